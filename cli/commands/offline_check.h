// `touchmark token check --secret-file`: tells valid, invalid, expired and forged tokens apart
// without the service, by its secret alone.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace touchmark::cli::commands {

struct TokenVerdict {
  std::string status;  // "valid", "invalid", "expired", "forged" or "malformed"
  Json claims;         // null when it is no JWT
};

// The secret of a file: what `secret get` printed in any of its formats. kBadSecret, FileError.
Result<Bytes> secret_from_file(const std::filesystem::path& path);

// A failed attestation's token is signed with the secret derived from the token secret
// (protocol/README.md, "The token").
TokenVerdict check_with_secret(std::string_view token, ByteView secret, UnixTime now);

Result<TokenVerdict> check_offline(std::string_view token, const std::filesystem::path& secret_file,
                                   UnixTime now);

}  // namespace touchmark::cli::commands
