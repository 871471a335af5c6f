// Errors as application/problem+json (RFC 9457).
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "verifier/http/http.h"

namespace touchmark::verifier::http {

// What the transport itself refuses.
enum class HttpError {
  kMalformed,        // 400
  kUnauthorized,     // 401
  kForbidden,        // 403
  kNotFound,         // 404
  kWrongMethod,      // 405
  kTooLarge,         // 413
  kInternal,         // 500
  kBusy,             // 503
  kHeaderTooLarge,   // 431
  kTooManyFailures,  // 429
  kNotImplemented,   // 501
  kBadVersion,       // 505
};
std::string_view error_id(HttpError error);

// The status that an error of the transport answers with; nullopt for those of other modules.
std::optional<int> transport_status(const Error& error);

// {"type":"urn:touchmark:error:<id>","title":...,"status":...,"detail":...}
HttpResponse problem_response(const Error& error, int status);
// For an error of the transport, an upload that cannot be kept included; 500 for any other.
HttpResponse problem(const Error& error);

}  // namespace touchmark::verifier::http
