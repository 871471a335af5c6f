#include "verifier/sdk/maven.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/sdk_version.h"

namespace touchmark::verifier::sdk {
namespace {

constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxGroup = 200;
constexpr std::size_t kMaxVersion = 64;
constexpr std::string_view kMetadataName = "maven-metadata.xml";

struct Row {
  MavenArtifact artifact;
  std::string_view name;
  bool in_every_group;
  std::string_view library;  // what its library's name ends with; empty: it has a POM alone
  std::string_view title;
  std::string_view description;
};
constexpr auto kRows = std::to_array<Row>({
    {MavenArtifact::kSdk, kArtifact, true, ".aar", "Touchmark for Android",
     "Attests a mobile app to its API with Touchmark. Needs no other library; the\n"
     "    interceptor works with OkHttp 3.12 or newer."},
    {MavenArtifact::kCoroutines, "touchmark-attestation-coroutines", true, ".jar",
     "Touchmark for Kotlin's coroutines", "Fetches Touchmark's tokens in functions that suspend."},
    {MavenArtifact::kPlugin, "touchmark-gradle-plugin", false, ".jar",
     "Touchmark for builds of Android apps",
     "Puts the service's configuration into an app, and registers its releases."},
    {MavenArtifact::kMarker, "touchmark.sdk.gradle.plugin", false, "",
     "Touchmark for builds of Android apps", "Leads from the plugin's id to the plugin."},
});

const Row& row_of(MavenArtifact artifact) {
  return *std::ranges::find(kRows, artifact, &Row::artifact);
}

// Another module that one needs, beside Kotlin's own.
struct Needed {
  std::string_view group;
  std::string_view for_gradle;
  std::string_view for_maven;
  std::string_view version;
};
// attester/android/coroutines/pom.xml has the version that it is compiled with.
constexpr Needed kCoroutinesCore{"org.jetbrains.kotlinx", "kotlinx-coroutines-core",
                                 "kotlinx-coroutines-core-jvm", "1.8.1"};

struct Ending {
  MavenPart part;
  std::string_view suffix;  // behind "ARTIFACT-VERSION"; the library's depends on the artifact
};
constexpr auto kEndings = std::to_array<Ending>({{MavenPart::kLibrary, ""},
                                                 {MavenPart::kPom, ".pom"},
                                                 {MavenPart::kModule, ".module"},
                                                 {MavenPart::kSources, "-sources.jar"},
                                                 {MavenPart::kJavadoc, "-javadoc.jar"}});

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_group_word(std::string_view word) {
  return !word.empty() && is_lower(word.front()) && std::ranges::all_of(word, [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-';
  });
}

// The last segment of `path`, which loses it; empty when there is none.
std::string_view take_segment(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return {};
  const std::string_view segment = path.substr(slash + 1);
  path = path.substr(0, slash);
  return segment;
}

bool has_part(const Row& row, MavenPart part) {
  return !row.library.empty() || part == MavenPart::kPom || part == MavenPart::kMetadata;
}

std::string file_name(const Row& row, std::string_view version, MavenPart part) {
  const auto* const ending = std::ranges::find(kEndings, part, &Ending::part);
  if (ending == kEndings.end()) return std::string(kMetadataName);
  const std::string_view suffix = part == MavenPart::kLibrary ? row.library : ending->suffix;
  return std::string(row.name) + "-" + std::string(version) + std::string(suffix);
}

Json variant(const char* name, const Json& attributes, const Json& file) {
  return {{"name", name}, {"attributes", attributes}, {"files", Json::array({file})}};
}

std::string dependency_text(std::string_view group, std::string_view artifact,
                            std::string_view version, std::string_view more) {
  std::string out = "    <dependency>\n      <groupId>";
  out.append(group).append("</groupId>\n      <artifactId>").append(artifact);
  out.append("</artifactId>\n      <version>").append(version).append("</version>\n");
  return std::move(out.append(more).append("    </dependency>\n"));
}

// What the artifact's users need, too.
std::string dependencies_text(MavenArtifact artifact, std::string_view group,
                              std::string_view version) {
  std::string out;
  if (artifact == MavenArtifact::kCoroutines) {
    out = dependency_text(group, kArtifact, version,
                          "      <type>aar</type>\n      <scope>compile</scope>\n") +
          dependency_text(kCoroutinesCore.group, kCoroutinesCore.for_maven, kCoroutinesCore.version,
                          "      <scope>compile</scope>\n");
  } else if (artifact == MavenArtifact::kMarker) {
    out = dependency_text(kPluginId, row_of(MavenArtifact::kPlugin).name, version, "");
  }
  return out.empty() ? out : "  <dependencies>\n" + out + "  </dependencies>\n";
}

Json dependencies_json(MavenArtifact artifact, std::string_view group, std::string_view version) {
  if (artifact != MavenArtifact::kCoroutines) return nullptr;
  const auto one = [](std::string_view of, std::string_view module, std::string_view at) {
    return Json{{"group", of}, {"module", module}, {"version", {{"requires", at}}}};
  };
  return Json::array(
      {one(group, kArtifact, version),
       one(kCoroutinesCore.group, kCoroutinesCore.for_gradle, kCoroutinesCore.version)});
}

Json documentation(const char* kind) {
  return {{"org.gradle.category", "documentation"},
          {"org.gradle.dependency.bundling", "external"},
          {"org.gradle.docstype", kind},
          {"org.gradle.usage", "java-runtime"}};
}

Json library(const Row& row, const char* usage) {
  return {{"org.gradle.category", "library"},
          {"org.gradle.dependency.bundling", "external"},
          {"org.gradle.libraryelements", row.library.substr(1)},
          {"org.gradle.usage", usage}};
}

}  // namespace

std::string_view artifact_name(MavenArtifact artifact) { return row_of(artifact).name; }

std::string_view artifact_group(MavenArtifact artifact, std::string_view group) {
  return row_of(artifact).in_every_group ? group : kPluginId;
}

bool is_maven_group(std::string_view group) {
  if (group.size() > kMaxGroup || group.find('.') == group.npos) return false;
  while (true) {
    const std::size_t dot = group.find('.');
    if (!is_group_word(group.substr(0, dot))) return false;
    if (dot == group.npos) return true;
    group.remove_prefix(dot + 1);
  }
}

std::string bad_group(std::string_view group) {
  return shown(group) +
         " is no Maven group: name a domain that you hold, backwards, in lower-case words with "
         "dots, such as com.example.mobile";
}

bool is_library_version(std::string_view version) {
  const auto is_allowed = [](char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
  };
  return version.size() <= kMaxVersion && std::ranges::all_of(version, is_allowed) &&
         version.find("..") == version.npos && protocol::parse_sdk_version(version).has_value();
}

bool is_older(std::string_view a, std::string_view b) {
  const auto first = protocol::parse_sdk_version(a);
  const auto second = protocol::parse_sdk_version(b);
  return first == second ? a < b : first < second;
}

std::optional<MavenFile> parse_maven_path(std::string_view path) {
  if (path.size() > kMaxPath) return std::nullopt;
  MavenFile out;
  for (const auto& [algorithm, suffix] : kChecksums) {
    if (!path.ends_with(suffix)) continue;
    out.checksum = algorithm;
    path.remove_suffix(suffix.size());
    break;
  }
  const std::string_view name = take_segment(path);
  if (name != kMetadataName) {
    out.version = take_segment(path);
    if (!is_library_version(out.version)) return std::nullopt;
  }
  const auto* const row = std::ranges::find(kRows, take_segment(path), &Row::name);
  if (row == kRows.end() || path.find('.') != path.npos) return std::nullopt;
  out.artifact = row->artifact;
  if (name != kMetadataName) {
    const auto* const ending = std::ranges::find_if(kEndings, [&](const Ending& candidate) {
      return has_part(*row, candidate.part) && name == file_name(*row, out.version, candidate.part);
    });
    if (ending == kEndings.end()) return std::nullopt;
    out.part = ending->part;
  }
  out.group = path;
  std::ranges::replace(out.group, '/', '.');
  if (out.group != artifact_group(row->artifact, out.group)) return std::nullopt;
  return is_maven_group(out.group) ? std::optional(std::move(out)) : std::nullopt;
}

std::string maven_path(const MavenFile& file) {
  std::string out = file.group;
  std::ranges::replace(out, '.', '/');
  const Row& row = row_of(file.artifact);
  out.append("/").append(row.name).append("/");
  if (file.part != MavenPart::kMetadata) out.append(file.version).append("/");
  out.append(file_name(row, file.version, file.part));
  for (const auto& [algorithm, suffix] : kChecksums) {
    if (file.checksum == algorithm) out.append(suffix);
  }
  return out;
}

// What goes into the XML below needs no escape: see is_maven_group() and is_library_version().
std::string make_pom(MavenArtifact artifact, std::string_view group, std::string_view version) {
  const Row& row = row_of(artifact);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  if (!row.library.empty()) out.append("<!-- do_not_remove: published-with-gradle-metadata -->\n");
  out.append(
      "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n"
      "  <modelVersion>4.0.0</modelVersion>\n");
  out.append("  <groupId>").append(artifact_group(artifact, group)).append("</groupId>\n");
  out.append("  <artifactId>").append(row.name).append("</artifactId>\n");
  out.append("  <version>").append(version).append("</version>\n");
  out.append("  <packaging>").append(row.library.empty() ? "pom" : row.library.substr(1));
  out.append("</packaging>\n  <name>").append(row.title).append("</name>\n");
  out.append("  <description>").append(row.description).append("</description>\n");
  out.append(
      "  <licenses>\n"
      "    <license>\n"
      "      <name>Apache-2.0</name>\n"
      "      <url>https://www.apache.org/licenses/LICENSE-2.0.txt</url>\n"
      "    </license>\n"
      "  </licenses>\n");
  return std::move(out.append(dependencies_text(artifact, group, version)).append("</project>\n"));
}

std::string make_gradle_module(MavenArtifact artifact, std::string_view group,
                               std::string_view version, std::span<const StoredPart> parts) {
  const Row& row = row_of(artifact);
  const Json dependencies = dependencies_json(artifact, group, version);
  Json variants = Json::array();
  for (const auto& [part, content] : parts) {
    const std::string name = file_name(row, version, part);
    Json file{{"name", name}, {"url", name}, {"size", content.size()}};
    for (const auto& [algorithm, suffix] : kChecksums) {
      file[std::string(suffix.substr(1))] = make_checksum(algorithm, content);
    }
    if (part == MavenPart::kLibrary) {
      for (const auto& [of, usage] :
           {std::pair("apiElements", "java-api"), std::pair("runtimeElements", "java-runtime")}) {
        variants.push_back(variant(of, library(row, usage), file));
        if (!dependencies.is_null()) variants.back()["dependencies"] = dependencies;
      }
    } else if (part == MavenPart::kSources) {
      variants.push_back(variant("sourcesElements", documentation("sources"), file));
    } else {
      variants.push_back(variant("javadocElements", documentation("javadoc"), file));
    }
  }
  const Json module{{"formatVersion", "1.1"},
                    {"component",
                     {{"group", artifact_group(artifact, group)},
                      {"module", row.name},
                      {"version", version},
                      {"attributes", {{"org.gradle.status", "release"}}}}},
                    {"variants", variants}};
  return module.dump(2) + "\n";
}

std::string make_maven_metadata(MavenArtifact artifact, std::string_view group,
                                std::vector<std::string> versions) {
  std::ranges::sort(versions, is_older);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata>\n";
  out.append("  <groupId>").append(artifact_group(artifact, group)).append("</groupId>\n");
  out.append("  <artifactId>").append(artifact_name(artifact));
  out.append("</artifactId>\n  <versioning>\n");
  if (!versions.empty()) {
    out.append("    <latest>").append(versions.back()).append("</latest>\n");
  }
  const auto release = std::find_if(versions.rbegin(), versions.rend(), [](const auto& version) {
    return version.find('-') == version.npos;
  });
  if (release != versions.rend()) {
    out.append("    <release>").append(*release).append("</release>\n");
  }
  out.append("    <versions>\n");
  for (const std::string& version : versions) {
    out.append("      <version>").append(version).append("</version>\n");
  }
  return std::move(out.append("    </versions>\n  </versioning>\n</metadata>\n"));
}

std::string make_checksum(crypto::DigestAlgorithm algorithm, ByteView part) {
  return hex_encode(crypto::digest(algorithm, part));
}

}  // namespace touchmark::verifier::sdk
