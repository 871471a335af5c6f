// iOS apps (.ipa): an archive with Payload/<name>.app/, whose main executable carries the code
// signature of the whole: it hashes the code's pages, Info.plist and the list of all other files
// (_CodeSignature/CodeResources), and is signed with CMS under Apple's root.
#pragma once

#include <vector>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/model/measurement.h"
#include "package/model/parts.h"

namespace touchmark::package::ios {

enum class IpaError {
  kNoApp,        // no Payload/*.app
  kSeveralApps,  // more than one
  kNoInfo,       // no Info.plist
  kInfo,         // Info.plist lacks a member, or has it of another type or over 4,096 bytes
  kNoExecutable,
  kIdentifierMismatch,  // code signature and Info.plist name different apps
  kTeamMismatch,        // slices, certificate and profile name different teams
  kSignersDiffer,       // slices signed by different certificates
  kNoResources,         // no _CodeSignature/CodeResources
  kBadResources,        // not the list that it should be
  kWeakSeal,            // a file that is listed without a SHA-256
  kSealMismatch,        // a file that is not the one that was signed
  kSealMissing,         // listed, not there
  kUnsealed,            // there, not listed, and not left out by the list's rules
  kEncrypted,           // a store has encrypted an image, so it cannot be compared
  kTooManyImages,       // or too many parts of them
  kPartName,            // two parts of one name: two images for one processor
  kProfile,             // embedded.mobileprovision is not for this app
  kProfileSigner,       // or not for this certificate
};
std::string_view error_id(IpaError error);

// An archive of this form, even if there is no app in it (kNoApp).
bool is_ipa(const zip::ZipArchive& archive);
// The app's folder, "Payload/Example.app/"; "" where there is none.
std::string ipa_folder(const zip::ZipArchive& archive);
// Under which name a file is a part: its path within the app's folder.
PartNames ipa_part_names(const zip::ZipArchive& archive);
// The parts have their path within the app's folder, and what a phone has in memory of an image
// comes beside it (app_images.h). Signers: the certificate that signed the code.
Result<Measurement> measure_ipa(const zip::ZipArchive& archive, const MeasureOptions& options);

}  // namespace touchmark::package::ios
