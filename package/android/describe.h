// What the measurements of all forms of an Android app have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/android/manifest.h"
#include "package/android/signature/signature.h"
#include "package/model/measurement.h"

namespace touchmark::package::android {

// A measurement with the manifest's facts, without signers and parts.
Measurement describe(const Manifest& manifest);
// Sorted, each once.
// Sets the signers, and the first one of a key that was rotated.
void set_signers(const signature::SignatureReport& report, Measurement& out);
signature::ManifestFacts facts_of(const Manifest& manifest);

// The version that the SDK's asset (assets/touchmark-sdk.json) at `path` says; empty when the
// package has no SDK or the asset is not of its form. A hint for people: the part digests, not this
// text, identify the SDK.
Result<std::string> read_sdk_version(const zip::ZipArchive& archive,
                                     std::string_view path = "assets/touchmark-sdk.json");

}  // namespace touchmark::package::android
