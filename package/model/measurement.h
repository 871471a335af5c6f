// What identifies one release of an app: manifest facts, signer certificates, digest of every part.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "package/model/network_security.h"

namespace touchmark::package {

enum class PartKind { kDex, kNativeLibrary, kManifest, kResources, kAsset, kImage, kOther };
std::string_view to_string(PartKind kind);

// One entry of the archive, by its uncompressed content. Of an iOS app's images (kImage), which a
// store encrypts and signs again, what a phone has in memory are parts of their own:
// "Frameworks/Kit.framework/Kit#arm64/__TEXT.__text" (package/ios/image.h).
struct Part {
  std::string name;  // path in the archive, "classes.dex", "lib/x86_64/libtouchmark.so"
  PartKind kind = PartKind::kOther;
  std::uint64_t size = 0;  // bytes, uncompressed
  Sha256Digest sha256{};
  // Code the app runs: dex, native libraries, what iOS loads of images. The range proof covers
  // these.
  bool code_bearing() const { return kind == PartKind::kDex || kind == PartKind::kNativeLibrary; }
  bool operator==(const Part&) const = default;
};

// What was measured. It decides how an installed app is compared with it (match.h).
enum class Form {
  kApk,     // one package
  kSplits,  // a base and its splits; parts of a split are "<split>!/<path>"
  kBundle,  // an app bundle; parts of a module other than the base are "<module>!/<path>"
  kIpa,     // an iOS app
};
std::string_view to_string(Form form);

// A Mach-O image in an iOS app, for one processor. For people: what is compared are its parts.
struct AppImage {
  std::string name;            // "Frameworks/Kit.framework/Kit#arm64"
  std::string uuid;            // of the build, 32 hex digits; empty when it has none
  std::string code_directory;  // hash of the code directory in hex; empty when it is not signed
  bool operator==(const AppImage&) const = default;
};

struct Measurement {
  Form form = Form::kApk;            // not part of the digest
  std::string platform = "Android";  // or "iOS"
  std::string package_name;
  std::string version_name;
  std::uint64_t version_code = 0;
  std::string label;  // the app's name as its user sees it; not part of the digest
  std::uint32_t min_sdk = 1;
  std::uint32_t target_sdk = 1;
  bool debuggable = false;  // a debugger may attach; not part of the digest
  bool test_only = false;   // no store takes it; not part of the digest
  NetworkSecurity network;  // not part of the digest
  std::string sdk_version;  // of the Touchmark SDK inside, "0.1.0"; empty when there is none
  std::vector<Sha256Digest> signers;  // SHA-256 of each signer certificate (DER), sorted
  // Where the signing key was rotated, the certificate that the proof of rotation begins with: what
  // Android's key attestation names. Not part of the digest.
  std::optional<Sha256Digest> first_signer;
  std::string team;  // of an iOS app, whose signers differ on a phone; not part of the digest
  // Of an iOS app, those of the main executable first; not part of the digest.
  std::vector<AppImage> images;
  std::vector<Part> parts;  // sorted by name (bytewise); v1 signature files are left out
  bool operator==(const Measurement&) const = default;
};

// SHA-256 over the canonical form: the dump (members sorted, no white space) of
// {"app":[platform,package,versionName,versionCode],"parts":[[name,size,hex],...],"signers":[hex,...]}.
Sha256Digest digest(const Measurement& measurement);

// In the name of a part of a split or module: "<split>!/<path>".
inline constexpr std::string_view kSplitMark = "!/";
// The split or module of a part of kSplits or kBundle; "" for the base.
std::string_view split_of(std::string_view part_name);
// The part's path within its split.
std::string_view path_in_split(std::string_view part_name);
// In the name of a part of an image, between its path and its processor.
inline constexpr char kImageMark = '#';
// The image that a part belongs to, "Kit#arm64"; "" for another part.
std::string_view image_of(std::string_view part_name);
// "Kit" of "Kit#arm64".
std::string_view path_of_image(std::string_view image_name);
// For each split, "" for the base, SHA-256 over the canonical form of its parts:
// [[name,size,hex],...]. A device has some of a release's splits installed, each of them whole.
std::map<std::string, Sha256Digest> split_digests(const Measurement& measurement);

// "<base64 of the digest>=..." as the command line prints it:
// base64(SHA-256) + package-versionName[versionCode]-N + " SDK:Android(x.y.z)", N the number of
// parts. The base64 of 32 bytes ends in '=', which separates the digest from the rest.
std::string one_line(const Measurement& measurement);

Json to_json(const Measurement& measurement);
enum class MeasurementError { kMalformed };
std::string_view error_id(MeasurementError error);
Result<Measurement> from_json(const Json& json);

struct MeasureOptions {
  // Verify signatures as a platform of these API levels would; 0 = what the manifest says / newest.
  std::uint32_t min_sdk = 0;
  std::uint32_t max_sdk = 0;
  // For an app bundle, which does not say who will sign what is installed: SHA-256 of the
  // app-signing certificates.
  std::vector<Sha256Digest> bundle_signers = {};
  // And where their key was rotated, the certificate that the rotation began with. A bundle holds
  // no proof of it.
  std::optional<Sha256Digest> bundle_first_signer = {};
  // For an iOS app: the roots that its signer's certificate may chain to, DER, beside Apple's.
  std::vector<Bytes> ios_roots = {};
};

}  // namespace touchmark::package
