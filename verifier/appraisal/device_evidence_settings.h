// What an operator sets about hardware evidence.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pki/revocation_list.h"
#include "pki/trust_roots.h"
#include "verifier/evidence/play_integrity.h"

namespace touchmark::verifier::appraisal {

// The list of revoked Android certificates in force, nullptr when none is configured; an error when
// one is required and is missing or too old. Thread-safe, and never waits for a network.
using Revocation = std::function<Result<std::shared_ptr<const pki::RevocationList>>()>;
inline Result<std::shared_ptr<const pki::RevocationList>> no_revocation() { return nullptr; }

struct HardwareSettings {
  // Beside Google's and Apple's: for the lab. Whoever holds such a root can make any phone.
  std::optional<pki::TrustRoots> more_roots{};
  std::map<std::string, evidence::PlayIntegrityKeys> play_integrity{};  // by package name
  std::vector<std::string> ios_app_ids{};                               // "<team id>.<bundle id>"
  Revocation revocation = no_revocation;
};

}  // namespace touchmark::verifier::appraisal
