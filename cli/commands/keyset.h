// What `touchmark keyset rotate|promote` and `touchmark secret rotate` share.
#pragma once

#include <string>

#include "cli/commands/command_context.h"

namespace touchmark::cli::commands {

inline constexpr const char* kDefaultKeySet = "default";

struct RotateOptions {
  std::string name = kDefaultKeySet;
  std::string algorithm;  // "": that of the present key
  bool promote = false;   // sign with the next key, in place of making one
};
Outcome rotate_key_set(const RotateOptions& options, Session& session);

}  // namespace touchmark::cli::commands
