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

struct Ending {
  MavenPart part;
  std::string_view suffix;  // behind "touchmark-attestation-VERSION"
};
constexpr auto kEndings = std::to_array<Ending>({{MavenPart::kLibrary, ".aar"},
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

std::string file_name(std::string_view version, MavenPart part) {
  const auto* const ending = std::ranges::find(kEndings, part, &Ending::part);
  if (ending == kEndings.end()) return std::string(kMetadataName);
  return std::string(kArtifact) + "-" + std::string(version) + std::string(ending->suffix);
}

Json variant(const char* name, const Json& attributes, const Json& file) {
  return {{"name", name}, {"attributes", attributes}, {"files", Json::array({file})}};
}

Json documentation(const char* kind) {
  return {{"org.gradle.category", "documentation"},
          {"org.gradle.dependency.bundling", "external"},
          {"org.gradle.docstype", kind},
          {"org.gradle.usage", "java-runtime"}};
}

Json library(const char* usage) {
  return {{"org.gradle.category", "library"},
          {"org.gradle.dependency.bundling", "external"},
          {"org.gradle.libraryelements", "aar"},
          {"org.gradle.usage", usage}};
}

}  // namespace

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
    const auto* const ending = std::ranges::find_if(kEndings, [&](const Ending& candidate) {
      return name == file_name(out.version, candidate.part);
    });
    if (ending == kEndings.end()) return std::nullopt;
    out.part = ending->part;
  }
  if (take_segment(path) != kArtifact || path.find('.') != path.npos) return std::nullopt;
  out.group = path;
  std::ranges::replace(out.group, '/', '.');
  return is_maven_group(out.group) ? std::optional(std::move(out)) : std::nullopt;
}

std::string maven_path(const MavenFile& file) {
  std::string out = file.group;
  std::ranges::replace(out, '.', '/');
  out.append("/").append(kArtifact).append("/");
  if (file.part != MavenPart::kMetadata) out.append(file.version).append("/");
  out.append(file_name(file.version, file.part));
  for (const auto& [algorithm, suffix] : kChecksums) {
    if (file.checksum == algorithm) out.append(suffix);
  }
  return out;
}

// What goes into the XML below needs no escape: see is_maven_group() and is_library_version().
std::string make_pom(std::string_view group, std::string_view version) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!-- do_not_remove: published-with-gradle-metadata -->\n"
      "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n"
      "  <modelVersion>4.0.0</modelVersion>\n";
  out.append("  <groupId>").append(group).append("</groupId>\n");
  out.append("  <artifactId>").append(kArtifact).append("</artifactId>\n");
  out.append("  <version>").append(version).append("</version>\n");
  out.append(
      "  <packaging>aar</packaging>\n"
      "  <name>Touchmark for Android</name>\n"
      "  <description>Attests a mobile app to its API with Touchmark. Needs no other library; the\n"
      "    interceptor works with OkHttp 3.12 or newer.</description>\n"
      "  <licenses>\n"
      "    <license>\n"
      "      <name>Apache-2.0</name>\n"
      "      <url>https://www.apache.org/licenses/LICENSE-2.0.txt</url>\n"
      "    </license>\n"
      "  </licenses>\n"
      "</project>\n");
  return out;
}

std::string make_gradle_module(std::string_view group, std::string_view version,
                               std::span<const StoredPart> parts) {
  Json variants = Json::array();
  for (const auto& [part, content] : parts) {
    const std::string name = file_name(version, part);
    Json file{{"name", name}, {"url", name}, {"size", content.size()}};
    for (const auto& [algorithm, suffix] : kChecksums) {
      file[std::string(suffix.substr(1))] = make_checksum(algorithm, content);
    }
    if (part == MavenPart::kLibrary) {
      variants.push_back(variant("apiElements", library("java-api"), file));
      variants.push_back(variant("runtimeElements", library("java-runtime"), file));
    } else if (part == MavenPart::kSources) {
      variants.push_back(variant("sourcesElements", documentation("sources"), file));
    } else {
      variants.push_back(variant("javadocElements", documentation("javadoc"), file));
    }
  }
  const Json module{{"formatVersion", "1.1"},
                    {"component",
                     {{"group", group},
                      {"module", kArtifact},
                      {"version", version},
                      {"attributes", {{"org.gradle.status", "release"}}}}},
                    {"variants", variants}};
  return module.dump(2) + "\n";
}

std::string make_maven_metadata(std::string_view group, std::vector<std::string> versions) {
  std::ranges::sort(versions, is_older);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata>\n";
  out.append("  <groupId>").append(group).append("</groupId>\n");
  out.append("  <artifactId>").append(kArtifact).append("</artifactId>\n  <versioning>\n");
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
