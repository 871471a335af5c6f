// Errors as application/problem+json (RFC 9457).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "verifier/http/http.h"

namespace touchmark::verifier::http {

// What the transport itself refuses.
enum class HttpError {
  kMalformed,     // 400
  kUnauthorized,  // 401
  kForbidden,     // 403
  kNotFound,      // 404
  kWrongMethod,   // 405
  kTooLarge,      // 413
  kInternal,      // 500
  kBusy,          // 503
};
std::string_view error_id(HttpError error);

// The status that an error of the service, the store or the transport answers with; `otherwise` for
// the errors of other modules.
int http_status(const Error& error, int otherwise = 500);

// {"type":"urn:touchmark:error:<id>","title":...,"status":...,"detail":...}
HttpResponse problem(const Error& error, int otherwise = 500);

}  // namespace touchmark::verifier::http
