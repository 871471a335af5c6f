// For people who want to know what a package is and why it is refused: everything that can be read
// of it, verified or not. What decides about an app uses measure() instead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "package/android/signature/signature.h"
#include "package/model/measurement.h"
#include "package/package.h"

namespace touchmark::package {

// Verifies the signatures: of an APK without a digest of every part, of an archive of split APKs
// those of each (the report is the base's), of an iOS app its code signature. An app bundle is
// refused: the packages that a store makes of it are what is signed.
Result<signature::SignatureReport> verify(const Source& source,
                                          const signature::SignatureOptions& options = {});

struct Inspection {
  Measurement measurement;                        // without signers when the signatures are refused
  Result<signature::SignatureReport> signatures;  // or the first reason against them
};
// Fails when container, manifest or parts cannot be read. Of an app that is not one APK (app
// bundle, split APKs) the report names the signers only, and refused signatures are a failure.
Result<Inspection> inspect(const Source& source, const MeasureOptions& options = {});

// The certificates in an app bundle's own signature, by its upload key: SHA-256 of each. Nothing is
// verified, for it says nothing of what a store delivers. Empty where there is none, and for other
// packages.
std::vector<Sha256Digest> upload_certificates(const Source& source);

// Of a measurement that is at hand: its signers, with nothing else known of the signatures.
Inspection inspection_of(Measurement measurement);

enum class DifferenceKind { kFact, kSigner, kPart };
std::string_view to_string(DifferenceKind kind);

struct Difference {
  DifferenceKind kind;
  std::string name;    // of the fact or part; of a signer its certificate's SHA-256 in hex
  std::string before;  // the fact's value, or the SHA-256 of the part in hex; empty when absent
  std::string after;
  std::uint64_t size_before = 0;  // parts only
  std::uint64_t size_after = 0;
};
// What tells two releases apart: facts first, then signers, then parts by name.
std::vector<Difference> differences(const Measurement& before, const Measurement& after);

}  // namespace touchmark::package
