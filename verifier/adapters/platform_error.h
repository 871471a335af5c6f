// What the platforms' services can answer, beside http.* of a connection that failed.
#pragma once

#include <string_view>

#include "verifier/adapters/http_client.h"

namespace touchmark::adapters {

enum class PlatformError {
  kBadKey,        // the developer's or service account's key file cannot be used
  kUnauthorized,  // 401, 403: the platform does not take the key
  kRejected,      // 400: the platform does not take what was sent
  kNotFound,      // 404: nothing is known of it
  kTooEarly,      // 304: Apple has no newer receipt yet
  kTooMany,       // 429, after all attempts
  kUnavailable,   // 5xx, after all attempts
  kBadAnswer,     // an answer that is not of the documented form
  kOtherApp,      // a good answer, about another app than the one asked for
};
std::string_view error_id(PlatformError error);

// Nothing for 200, else the error of the status; `what` names the service.
Result<void> check_status(const HttpAnswer& answer, std::string_view what);

}  // namespace touchmark::adapters
