// `touchmark token check --secret-file`: tells valid, invalid, expired and forged tokens apart
// without the service, by its secrets alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/appraisal/token_keys.h"

namespace touchmark::cli::commands {

struct TokenVerdict {
  std::string status;  // "valid", "invalid", "expired", "early", "forged" or "malformed"
  Json claims;         // null when it is no JWT
};

// The secrets of a file: what `secret get` printed in any of its formats. kBadSecret, FileError.
Result<verifier::appraisal::TokenKeys> secrets_from_file(const std::filesystem::path& path);
// Of the service's answer, or of what API servers have as their setting: secrets with commas
// between them, each alone or behind its kid. kBadSecret.
Result<verifier::appraisal::TokenKeys> secrets_in_answer(const Json& answer);
Result<verifier::appraisal::TokenKeys> secrets_in(std::string_view setting);

Result<TokenVerdict> check_offline(std::string_view token, const std::filesystem::path& secret_file,
                                   UnixTime now);

}  // namespace touchmark::cli::commands
