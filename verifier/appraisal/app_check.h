// Which registration evidence belongs to, and what of the evidence says otherwise.
#pragma once

#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"

namespace touchmark::verifier::appraisal {

struct Recognition {
  const Reference* reference = nullptr;  // nullptr: no registration
  // The installed app is not the registered package itself but some of its splits, or was made by a
  // store out of the registered bundle; one registration stands for many such measurements.
  bool in_part = false;
  // When in part: the code-bearing parts that are installed, by their names there; those that hold
  // at least a byte, and of them the first protocol::kMaxClaimedParts.
  std::vector<package::Part> code{};
};

// By the measurement, else by the parts (package/model/match.h) for a release in splits or in a
// bundle. Of a release in splits every installed one must be the registered one, byte for byte; of
// a bundle the code must be.
Recognition recognise(const Evidence& evidence, const ReferenceValues& references);

// What was proven of the app before it is checked.
struct ProvenApp {
  bool range_proof = false;  // it is that of the recognised registration
  // Verified device evidence names the app's package and signers
  // (DeviceAppraisal::names_signers()).
  bool signers = false;
};

// Everything that the registrations say against the evidence.
//
// An app that no registration knows may still be signed with registered certificates. Unless its
// signers are proven, the finding is then app.by-certificate instead of app.not-registered, and a
// policy decides what such an app is worth: its content was compared with nothing, and the signers
// are what the app itself says.
std::vector<protocol::Finding> check_app(const Evidence& evidence,
                                         const ReferenceValues& references, const Recognition& app,
                                         ProvenApp proven, UnixTime now);

// Whether a signer's certificate is marked as the development team's; the app may be registered or
// not.
bool signed_for_development(const Evidence& evidence, const ReferenceValues& references);

}  // namespace touchmark::verifier::appraisal
