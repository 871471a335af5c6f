// What a package says of itself in AndroidManifest.xml.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/model/xml_source.h"

namespace touchmark::package::android {

enum class ManifestError {
  kMissing,      // no AndroidManifest.xml
  kNoRoot,       // the root element is not <manifest>
  kNamespace,    // an element that the platform looks for stands in a namespace
  kPackageName,  // no package attribute, several, or not a name that the platform accepts
  kSplitName,    // several split attributes, or not a name that the platform accepts
  kSdkVersion,   // minSdkVersion or targetSdkVersion is neither an integer nor a known code name
  kSdkConflict,  // several <uses-sdk> with different target versions
  kVersionCode,  // not an integer
  kVersionName,  // a reference that leads nowhere, or over 4,096 bytes
};
std::string_view error_id(ManifestError error);

struct Manifest {
  std::string package_name;
  std::string split_name;          // empty for the base of an app
  std::string version_name;        // empty when there is none
  std::uint64_t version_code = 0;  // versionCodeMajor in the upper 32 bits
  std::string
      label;  // of the application; the package name when there is none, or none that is short
  bool debuggable = false;  // of the application
  bool test_only = false;   // of the application: no installer but a developer's takes it
  // Whether the manifest lets the app talk without TLS: by its word, or by the platform's default
  // for its target. A network security configuration, which may say otherwise, is not read.
  bool cleartext = false;
  std::uint32_t min_sdk = 1;
  std::uint32_t target_sdk = 1;
  std::uint32_t target_sandbox_version = 1;
};

// `resources` resolves a version name, version code or label that is a reference; may be nullptr.
Result<Manifest> parse_manifest(XmlSource& document, const ResourceSource* resources);
// The same of binary XML.
Result<Manifest> parse_manifest(ByteView document, const ResourceSource* resources, Budget& budget);
// Reads AndroidManifest.xml and, when there is one, resources.arsc.
Result<Manifest> read_manifest(const zip::ZipArchive& archive);

// The API level that a platform code name stands for, one below the level it was released as (the
// rule of AOSP's apksig, which cannot tell a preview from the release). 0 for a name it cannot
// place.
std::uint32_t sdk_of_codename(std::string_view codename);

// Of a version name and a label, in bytes.
inline constexpr std::size_t kMaxManifestText = 4096;
// Both are read into memory; past these sizes the package is refused.
inline constexpr std::size_t kMaxManifestBytes = std::size_t{8} << 20;
inline constexpr std::size_t kMaxResourceTableBytes = std::size_t{48} << 20;

}  // namespace touchmark::package::android
