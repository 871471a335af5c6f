// `touchmark evidence verify`: judges evidence files without a service.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

struct VerifyOptions {
  std::string type;
  std::vector<std::string> files;
  std::vector<std::string> keys;
  std::optional<std::string> as_of;
  std::optional<std::string> roots;
  std::optional<std::string> revocation;
  std::optional<std::string> challenge;
  std::optional<std::string> challenge_hex;
  std::optional<std::string> client_data_hash;
  std::optional<std::string> app_id;
  std::optional<std::string> environment;
  std::optional<std::uint32_t> previous_counter;
  std::optional<std::string> max_age;
  std::optional<std::string> policy;
  bool ear = false;
};

Outcome verify_evidence(const VerifyOptions& options, Session& session);

}  // namespace touchmark::cli::commands
