// Which registration evidence belongs to, and what of the evidence says otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/findings.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/appraisal/reference_values.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

struct Recognition {
  const Reference* reference = nullptr;  // nullptr: no registration
  // The installed app is not the registered package itself but some of its splits, or was made by a
  // store out of the registered bundle. Its measurement is one of many that this gives.
  bool in_part = false;
  // When in part: the code-bearing parts that are installed, by their names there; those that hold
  // at least a byte.
  std::vector<package::Part> code{};

  // What the ranges of a challenge are drawn over; empty for an app that no registration knows.
  const std::vector<package::Part>& installed_code() const {
    return reference != nullptr && !in_part ? reference->code : code;
  }
};

// By the measurement, else by the parts (package/model/match.h) for a release in splits or in a
// bundle. Of a release in splits every installed one must be the registered one, byte for byte; of
// a bundle the code must be.
Recognition recognise(const Evidence& evidence, const ReferenceValues& references);

// Everything that the registrations say about the evidence. `proof_matches`: whether the range
// proof is that of the recognised registration.
//
// An app that no registration knows may still be signed with registered certificates: then the
// finding is app.by-certificate instead of app.not-registered, and a policy decides what such an
// app is worth. Its content was compared with nothing, and the signers are what the app itself
// says.
void check_app(const Evidence& evidence, const ReferenceValues& references, const Recognition& app,
               bool proof_matches, UnixTime now, std::vector<protocol::Finding>& out);

// The finding app.development when a signer's certificate is marked as the development team's,
// whether the app is registered or not.
std::optional<protocol::Finding> development_mark(const Evidence& evidence,
                                                  const ReferenceValues& references);

// Takes app.by-certificate out where hardware evidence that names the claimed package and signers
// was verified without a finding: the signers are then no longer the app's word alone. Android's
// key attestation and Play Integrity name them; App Attest names the team and the app only.
// `facts`: as HardwareAppraiser leaves them.
void accept_vouched_signers(const policy::Facts& facts, std::vector<protocol::Finding>& findings);

// Text of the client's in a detail: short, for it ends up in logs.
std::string shown(std::string_view text);

}  // namespace touchmark::verifier::appraisal
