// The name under which an API server takes the token secret from its environment.
#pragma once

namespace touchmark::cli::service {

inline constexpr const char* kSecretVariable = "TOUCHMARK_SECRET";

}  // namespace touchmark::cli::service
