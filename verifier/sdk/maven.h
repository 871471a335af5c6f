// A Maven repository of the Android library and what goes with it: which paths it has, and those of
// its files that are written rather than stored. The one place that knows either; the service
// answers with it, and `touchmark sdk repository` writes it into a folder.
//
// References: https://maven.apache.org/repositories/layout.html; Gradle Module Metadata 1.1. Pure
// functions, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace touchmark::verifier::sdk {

inline constexpr std::string_view kArtifact = "touchmark-attestation";
// Gradle looks for the plugin with this id in the group of that name, and in no other.
inline constexpr std::string_view kPluginId = "touchmark.sdk";

enum class MavenArtifact {
  kSdk,         // touchmark-attestation, in every group
  kCoroutines,  // touchmark-attestation-coroutines, in every group
  kPlugin,      // touchmark-gradle-plugin, in the group kPluginId
  kMarker,      // touchmark.sdk.gradle.plugin, there too: leads from the id to the plugin
};
inline constexpr auto kArtifacts = std::to_array({MavenArtifact::kSdk, MavenArtifact::kCoroutines,
                                                  MavenArtifact::kPlugin, MavenArtifact::kMarker});
std::string_view artifact_name(MavenArtifact artifact);
// The group that an artifact is in, for somebody whose own is `group`.
std::string_view artifact_group(MavenArtifact artifact, std::string_view group);

enum class MavenPart {
  kMetadata,  // maven-metadata.xml: which versions there are
  kLibrary,   // the AAR, or the JAR
  kPom,
  kModule,  // what Gradle reads in the POM's place; kMarker has none
  kSources,
  kJavadoc,
};

// A file of the repository.
struct MavenFile {
  std::string group;
  std::string version;  // empty for kMetadata
  MavenPart part = MavenPart::kMetadata;
  std::optional<crypto::DigestAlgorithm> checksum{};  // the file with this digest of the part
  MavenArtifact artifact = MavenArtifact::kSdk;

  friend bool operator==(const MavenFile&, const MavenFile&) = default;
};

// The digests that stand beside each file, and what their names end with.
struct Checksum {
  crypto::DigestAlgorithm algorithm;
  std::string_view suffix;
};
inline constexpr auto kChecksums =
    std::to_array<Checksum>({{crypto::DigestAlgorithm::kMd5, ".md5"},
                             {crypto::DigestAlgorithm::kSha1, ".sha1"},
                             {crypto::DigestAlgorithm::kSha256, ".sha256"},
                             {crypto::DigestAlgorithm::kSha512, ".sha512"}});

// Lower-case words with dots between them, two at least, and 200 characters at most: a domain,
// backwards.
bool is_maven_group(std::string_view group);
// What is wrong with a text that is no such group, for people.
std::string bad_group(std::string_view group);

// A version (protocol/sdk_version.h) that may name a folder and stand in a URL: at most 64 letters,
// digits, '.', '-' and '+', and no "..".
bool is_library_version(std::string_view version);
// Of two such versions: whether `a` is older.
bool is_older(std::string_view a, std::string_view b);

// Relative, without a slash in front. nullopt for whatever the repository does not have: another
// artifact, an artifact in another group than its own, another file, a path that a file system
// would read in another way.
std::optional<MavenFile> parse_maven_path(std::string_view path);
// The path of it. parse_maven_path() gives the same file back.
std::string maven_path(const MavenFile& file);

// The artifact's POM. `group` and `version` are as the functions above take them; the group is
// whoever publishes', for each artifact.
std::string make_pom(MavenArtifact artifact, std::string_view group, std::string_view version);

// A stored part as Gradle's metadata has it: kLibrary, kSources or kJavadoc.
struct StoredPart {
  MavenPart part = MavenPart::kLibrary;
  ByteView content;
};
std::string make_gradle_module(MavenArtifact artifact, std::string_view group,
                               std::string_view version, std::span<const StoredPart> parts);

// Versions in any order.
std::string make_maven_metadata(MavenArtifact artifact, std::string_view group,
                                std::vector<std::string> versions);

// What a file with a checksum holds: the digest of the part, in hexadecimal.
std::string make_checksum(crypto::DigestAlgorithm algorithm, ByteView part);

}  // namespace touchmark::verifier::sdk
