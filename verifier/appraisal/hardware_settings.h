// What an operator sets about hardware evidence.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "verifier/evidence/play_integrity.h"
#include "verifier/evidence/trust_roots.h"

namespace touchmark::verifier {

struct HardwareSettings {
  // Beside Google's and Apple's: for the lab. Whoever holds such a root can make any phone.
  std::optional<evidence::TrustRoots> more_roots{};
  std::map<std::string, evidence::PlayIntegrityKeys> play_integrity{};  // by package name
  std::vector<std::string> ios_app_ids{};                               // "<team id>.<bundle id>"
};

}  // namespace touchmark::verifier
