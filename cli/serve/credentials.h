// The operator tokens: made on the first start, shown once, kept as hashes only.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "verifier/state/operators.h"
#include "verifier/verifier.h"

namespace touchmark::cli::serve {

struct Credentials {
  std::string url;
  std::string pin;
  std::string admin_token;
  std::string developer_token;
};

// Makes both tokens. From here on only their hashes are kept.
Result<Credentials> make_credentials(verifier::state::Operators& operators, const std::string& url,
                                     const std::string& pin);

// For scripts: JSON {"url","pin","admin_token","developer_token"}, mode 0600.
Result<void> write_credentials(const Credentials& credentials, const std::filesystem::path& file);

// What a valid token takes, and the warnings that belong to it, a line each.
std::string policy_text(const verifier::Status& status);

// What a person needs to go on, commands included.
std::string welcome_text(const Credentials& credentials, const std::filesystem::path& data,
                         const verifier::Status& status);

}  // namespace touchmark::cli::serve
