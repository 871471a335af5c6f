// What a package says of itself in AndroidManifest.xml.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/android/network_security.h"
#include "package/model/network_security.h"
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
  // By the network security configuration, where the application names one and it was read; else
  // by android:usesCleartextTraffic and the platform's defaults for the target.
  NetworkSecurity network;
  std::uint32_t network_configuration = 0;  // its resource id; 0 for none
  std::uint32_t min_sdk = 1;
  std::uint32_t target_sdk = 1;
  std::uint32_t target_sandbox_version = 1;
};

// `resources` resolves a version name, version code or label that is a reference; may be nullptr.
Result<Manifest> parse_manifest(XmlSource& document, const ResourceSource* resources);
// The same of binary XML.
Result<Manifest> parse_manifest(ByteView document, const ResourceSource* resources, Budget& budget);
// Reads AndroidManifest.xml and, when there are such, resources.arsc and the network security
// configuration.
Result<Manifest> read_manifest(const zip::ZipArchive& archive);

// Reads the network security configuration that the manifest names, if it names one.
Result<void> read_network_configuration(const zip::ZipArchive& archive,
                                        const ResourceSource* resources, const XmlFiles& files,
                                        Manifest& manifest);
// What a split has of the configuration that its base's manifest names, for devices with a
// configuration of the split's, joins what the manifest allows.
Result<void> add_split_network_configuration(const zip::ZipArchive& split, Manifest& base);

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
