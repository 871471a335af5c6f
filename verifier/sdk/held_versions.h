// The versions of the Android library that a service hands out: its own, as the package brings it,
// and the older ones that it has kept, so that an app that was built with one of them can be built
// again.
//
// A folder of one version holds touchmark_sdk.aar and, where they were made, the archives of its
// sources and its documentation, and what goes with it: the functions for coroutines and the Gradle
// plugin (attester/android/build-aar), and in its folder npm the packages for JavaScript
// (attester/javascript/build) and the package for Swift (attester/ios/build-package), as far as
// they are of the library's version.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "verifier/sdk/maven.h"
#include "verifier/sdk/npm.h"
#include "verifier/sdk/swift_package.h"

namespace touchmark::verifier::sdk {

enum class SdkError {
  kNotHeld,    // there is no such version, or it lacks that file
  kNoVersion,  // the library is no AAR of Touchmark's that says its version
};
std::string_view error_id(SdkError error);

inline constexpr const char* kLibraryName = "touchmark_sdk.aar";
// How many versions are kept beside those that are older.
inline constexpr std::size_t kMaxKept = 20;

// What an AAR of the library says of itself.
struct LibraryFacts {
  std::string version;
  std::vector<std::string> abis;  // for which it has libtouchmark.so, sorted
};
// SdkError.
Result<LibraryFacts> library_facts(const std::filesystem::path& library);

struct HeldPart {
  MavenArtifact artifact = MavenArtifact::kSdk;
  MavenPart part = MavenPart::kLibrary;
  std::uint64_t bytes = 0;
};

struct HeldPackage {
  std::string_view package;  // of kNpmPackages
  std::uint64_t bytes = 0;
};

struct HeldVersion {
  std::string version;
  bool is_own = false;  // the one that the service's package brought
  std::vector<std::string> abis;
  std::vector<HeldPart> parts;  // the stored ones, by artifact: its library first
  std::vector<HeldPackage> npm;
  std::optional<std::uint64_t> swift_bytes;  // of the package for Swift, where it is there
};

// Reads the folders at each call. Thread-safe.
class HeldVersions {
 public:
  // `own`: the folder of the service's own version. `kept`: holds a folder for each kept version;
  // empty when none are.
  HeldVersions(std::filesystem::path own, std::filesystem::path kept)
      : own_(std::move(own)), kept_(std::move(kept)) {}

  // The newest first. A library that does not say its version is not among them.
  std::vector<HeldVersion> list() const;
  // What the library in the own folder calls itself. kNotHeld when there is none.
  Result<std::string> own_version() const;
  // The AAR; of the own folder when `version` is empty, whatever it calls itself. kNotHeld.
  Result<Bytes> library(std::string_view version) const;
  // A file of the Maven repository (maven.h). kNotHeld.
  Result<std::string> file(const MavenFile& file) const;
  // A package for JavaScript, a tarball. kNotHeld.
  Result<Bytes> npm(const NpmFile& file) const;
  // The package for Swift, an archive. kNotHeld.
  Result<Bytes> swift(const std::string& version) const;

  struct Kept {
    std::string version;
    bool is_new = false;               // it was not there, or had other bytes
    std::vector<std::string> removed;  // were older than the newest kMaxKept
  };
  // Copies the own version to the kept ones, and removes the oldest of too many. One that is there
  // with other bytes is replaced: what is handed out under a version now is what an app is built
  // with. For one caller at a time. SdkError, FileError.
  Result<Kept> keep_own() const;

 private:
  Result<std::filesystem::path> folder_of(std::string_view version) const;
  Result<std::string> metadata(const MavenFile& file) const;
  Result<void> copy_own(const std::string& version, const std::filesystem::path& target) const;
  std::vector<std::string> kept_versions() const;

  std::filesystem::path own_;
  std::filesystem::path kept_;
};

}  // namespace touchmark::verifier::sdk
