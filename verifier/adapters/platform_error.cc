#include "verifier/adapters/platform_error.h"

namespace touchmark::adapters {
namespace {

PlatformError error_of(int status) {
  switch (status) {
    case 304:
      return PlatformError::kTooEarly;
    case 400:
      return PlatformError::kRejected;
    case 401:
    case 403:
      return PlatformError::kUnauthorized;
    case 404:
      return PlatformError::kNotFound;
    case 429:
      return PlatformError::kTooMany;
    default:
      return status >= 500 ? PlatformError::kUnavailable : PlatformError::kBadAnswer;
  }
}

}  // namespace

std::string_view error_id(PlatformError error) {
  switch (error) {
    case PlatformError::kBadKey:
      return "platform.bad-key";
    case PlatformError::kUnauthorized:
      return "platform.unauthorized";
    case PlatformError::kRejected:
      return "platform.rejected";
    case PlatformError::kNotFound:
      return "platform.not-found";
    case PlatformError::kTooEarly:
      return "platform.too-early";
    case PlatformError::kTooMany:
      return "platform.too-many";
    case PlatformError::kUnavailable:
      return "platform.unavailable";
    case PlatformError::kBadAnswer:
      return "platform.bad-answer";
    case PlatformError::kOtherApp:
      return "platform.other-app";
  }
  return "platform.unknown";
}

Result<void> check_status(const HttpAnswer& answer, std::string_view what) {
  if (answer.status == 200) return {};
  return fail(error_of(answer.status),
              std::string(what) + " answered with status " + std::to_string(answer.status));
}

}  // namespace touchmark::adapters
