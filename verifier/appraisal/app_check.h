// Finds the registration that evidence belongs to, and what in the evidence contradicts it.
#pragma once

#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"

namespace touchmark::verifier::appraisal {

struct Recognition {
  const Reference* reference = nullptr;  // nullptr: no registration
  // The installed app is some splits of the registered package, or a store built it from the
  // registered bundle. One registration covers many such measurements.
  bool in_part = false;
  // Only when in part: the installed parts that hold code, under their names on the device. Empty
  // parts are left out, and of the others the first protocol::kMaxClaimedParts are named.
  std::vector<package::Part> code{};
};

// By the measurement, else by the parts (package/model/match.h) for a release in splits or in a
// bundle. Of a release in splits every installed one must be the registered one, byte for byte; of
// a bundle the code must be.
Recognition recognise(const Evidence& evidence, const ReferenceValues& references);

// What is proven about the app before check_app() looks at it.
struct ProvenApp {
  bool range_proof = false;  // the range proof fits the recognised registration
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

// Whether a certificate that signed the app is marked as the development team's. The app itself
// need not be registered; of one that is (`reference`), iOS shows its store's signature alone.
bool signed_for_development(const Evidence& evidence, const ReferenceValues& references,
                            const Reference* reference = nullptr);

// Where the app's signing key was rotated, the certificate that the rotation began with, as a
// registered certificate of its signer says: for an app that no package vouches for, which would
// prove it. One for this package goes before one for every package.
std::optional<Sha256Digest> registered_first_signer(const std::string& package,
                                                    const std::set<Sha256Digest>& signers,
                                                    const ReferenceValues& references,
                                                    UnixTime now);

}  // namespace touchmark::verifier::appraisal
