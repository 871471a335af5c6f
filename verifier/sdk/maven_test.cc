#include "verifier/sdk/maven.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "base/json.h"

namespace touchmark::verifier::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kFolder = "com/example/mobile/touchmark-attestation/";
const std::string kBase = kFolder + "0.1.0/touchmark-attestation-0.1.0";

TEST(Maven, ReadsItsOwnPathsAndNoOther) {
  using enum MavenPart;
  for (const auto& [path, part] : std::initializer_list<std::pair<std::string, MavenPart>>{
           {kBase + ".aar", kLibrary},
           {kBase + ".pom", kPom},
           {kBase + ".module", kModule},
           {kBase + "-sources.jar", kSources},
           {kBase + "-javadoc.jar", kJavadoc}}) {
    const MavenFile file{"com.example.mobile", "0.1.0", part, {}};
    EXPECT_EQ(parse_maven_path(path), file) << path;
    EXPECT_EQ(maven_path(file), path);
    for (const auto& [algorithm, suffix] : kChecksums) {
      const MavenFile digest{"com.example.mobile", "0.1.0", part, algorithm};
      EXPECT_EQ(parse_maven_path(path + std::string(suffix)), digest) << path << suffix;
      EXPECT_EQ(maven_path(digest), path + std::string(suffix));
    }
  }
  const MavenFile metadata{"a.b", "", kMetadata, {}};
  EXPECT_EQ(parse_maven_path("a/b/touchmark-attestation/maven-metadata.xml"), metadata);
  EXPECT_EQ(maven_path(metadata), "a/b/touchmark-attestation/maven-metadata.xml");
}

TEST(Maven, TakesAGroupThatIsNamedAsTheArtifact) {
  const auto file = parse_maven_path(
      "net/touchmark-attestation/touchmark-attestation/1.2.3-rc.1/"
      "touchmark-attestation-1.2.3-rc.1.pom");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->group, "net.touchmark-attestation");
  EXPECT_EQ(file->version, "1.2.3-rc.1");
}

TEST(Maven, RefusesEveryOtherPath) {
  for (const std::string& path : std::initializer_list<std::string>{
           "",
           "/",
           "..",
           "maven-metadata.xml",
           "touchmark-attestation/maven-metadata.xml",
           "net/touchmark-attestation/maven-metadata.xml",  // a group of one word
           "com.example/touchmark-attestation/maven-metadata.xml",
           "/com/example/touchmark-attestation/maven-metadata.xml",
           "com//example/touchmark-attestation/maven-metadata.xml",
           "com/example//touchmark-attestation/maven-metadata.xml",
           "com/example/../touchmark-attestation/maven-metadata.xml",
           "com/./example/touchmark-attestation/maven-metadata.xml",
           "Com/Example/touchmark-attestation/maven-metadata.xml",
           "com/1example/touchmark-attestation/maven-metadata.xml",
           "com/ex ample/touchmark-attestation/maven-metadata.xml",
           "com/ex%2fample/touchmark-attestation/maven-metadata.xml",
           "com/ex\\ample/touchmark-attestation/maven-metadata.xml",
           "com/ex<ample/touchmark-attestation/maven-metadata.xml",
           std::string("com/ex\0mple/touchmark-attestation/maven-metadata.xml", 53),
           "com/example/touchmark-attestation/maven-metadata.xml/",
           "com/example/touchmark-attestation/maven-metadata.xml.asc",
           "com/example/touchmark-attestation/maven-metadata.xml.sha1.sha256",
           "com/example/touchmark-attestation/0.1.0/maven-metadata.xml",
           "com/example/okhttp/maven-metadata.xml",
           "com/example/touchmark-attestation-x/maven-metadata.xml",
           kFolder,
           kFolder + "0.1.0",
           kFolder + "0.1.0/",
           kFolder + "0.1.0/touchmark-attestation-0.1.1.aar",
           kFolder + "0.1.1/touchmark-attestation-0.1.0.aar",
           kFolder + "../touchmark-attestation-...aar",
           kFolder + "0.1.0-../touchmark-attestation-0.1.0-...aar",
           kFolder + "0.1.0-a\\b/touchmark-attestation-0.1.0-a\\b.aar",
           kFolder + "0.1.0-<x>/touchmark-attestation-0.1.0-<x>.pom",
           kFolder + "latest/touchmark-attestation-latest.aar",
           kFolder + "0.1.0/touchmark_sdk.aar",
           kBase,
           kBase + ".jar",
           kBase + ".aar.asc",
           kBase + ".AAR",
           kBase + ".aar/x",
           kBase + "-sources.jar.sha384",
           kBase + "/../../../../../../etc/passwd",
       }) {
    EXPECT_FALSE(parse_maven_path(path)) << path;
  }
  EXPECT_TRUE(parse_maven_path("com/" + std::string(196, 'a') + "/" + std::string(kArtifact) +
                               "/maven-metadata.xml"));
  EXPECT_FALSE(parse_maven_path("com/" + std::string(197, 'a') + "/" + std::string(kArtifact) +
                                "/maven-metadata.xml"));
  EXPECT_FALSE(parse_maven_path(std::string(1 << 20, '/') + "touchmark-attestation"));
  const std::string version = "0.1.0-" + std::string(59, '9');
  EXPECT_FALSE(parse_maven_path(kFolder + version + "/touchmark-attestation-" + version + ".pom"));
}

TEST(Maven, HasWhatGoesWithTheLibrary) {
  using enum MavenPart;
  const std::string coroutines =
      "com/example/touchmark-attestation-coroutines/0.1.0/touchmark-attestation-coroutines-0.1.0";
  const std::string plugin =
      "touchmark/sdk/touchmark-gradle-plugin/0.1.0/touchmark-gradle-plugin-0.1.0";
  const std::string marker =
      "touchmark/sdk/touchmark.sdk.gradle.plugin/0.1.0/touchmark.sdk.gradle.plugin-0.1.0";
  for (const auto& [path, artifact, part] :
       std::initializer_list<std::tuple<std::string, MavenArtifact, MavenPart>>{
           {coroutines + ".jar", MavenArtifact::kCoroutines, kLibrary},
           {coroutines + ".module", MavenArtifact::kCoroutines, kModule},
           {coroutines + "-sources.jar", MavenArtifact::kCoroutines, kSources},
           {plugin + ".jar", MavenArtifact::kPlugin, kLibrary},
           {plugin + ".pom", MavenArtifact::kPlugin, kPom},
           {plugin + "-javadoc.jar", MavenArtifact::kPlugin, kJavadoc},
           {marker + ".pom", MavenArtifact::kMarker, kPom},
           {"touchmark/sdk/touchmark.sdk.gradle.plugin/maven-metadata.xml", MavenArtifact::kMarker,
            kMetadata}}) {
    const auto file = parse_maven_path(path);
    ASSERT_TRUE(file) << path;
    EXPECT_EQ(file->artifact, artifact) << path;
    EXPECT_EQ(file->part, part) << path;
    EXPECT_EQ(maven_path(*file), path);
  }
  for (const std::string& path : {
           coroutines + ".aar",
           kBase + ".jar",
           marker + ".jar",
           marker + ".module",
           marker + "-sources.jar",
           // The plugin is looked for in one group, and whoever has another asks for nothing of
           // ours.
           std::string("com/example/touchmark-gradle-plugin/maven-metadata.xml"),
           std::string("com/example/touchmark.sdk.gradle.plugin/maven-metadata.xml"),
           std::string("touchmark/touchmark.sdk.gradle.plugin/maven-metadata.xml"),
           std::string("touchmark.sdk/touchmark.sdk.gradle.plugin/maven-metadata.xml"),
           std::string("touchmark/sdk/touchmark.sdk/maven-metadata.xml"),
       }) {
    EXPECT_FALSE(parse_maven_path(path)) << path;
  }
}

TEST(Maven, LeadsFromOneArtifactToAnother) {
  const std::string pom = make_pom(MavenArtifact::kCoroutines, "a.b", "0.1.0");
  EXPECT_THAT(pom, HasSubstr("<artifactId>touchmark-attestation</artifactId>"));
  EXPECT_THAT(pom, HasSubstr("<type>aar</type>"));
  EXPECT_THAT(pom, HasSubstr("kotlinx-coroutines-core-jvm"));
  const std::string marker = make_pom(MavenArtifact::kMarker, "a.b", "0.1.0");
  EXPECT_THAT(marker, HasSubstr("<groupId>touchmark.sdk</groupId>"));
  EXPECT_THAT(marker, HasSubstr("<packaging>pom</packaging>"));
  EXPECT_THAT(marker, HasSubstr("<artifactId>touchmark-gradle-plugin</artifactId>"));
  EXPECT_EQ(marker.find("a.b<"), std::string::npos);
  EXPECT_EQ(make_pom(MavenArtifact::kSdk, "a.b", "0.1.0").find("<dependency>"), std::string::npos);

  const Bytes library = to_bytes("library");
  const std::vector<StoredPart> parts{{MavenPart::kLibrary, library}};
  const Json module =
      Json::parse(make_gradle_module(MavenArtifact::kCoroutines, "a.b", "0.1.0", parts));
  EXPECT_EQ(module["component"]["module"], "touchmark-attestation-coroutines");
  for (const Json& variant : module["variants"]) {
    EXPECT_EQ(variant["attributes"]["org.gradle.libraryelements"], "jar");
    EXPECT_EQ(variant["dependencies"][0]["group"], "a.b");
    EXPECT_EQ(variant["dependencies"][0]["version"]["requires"], "0.1.0");
    EXPECT_EQ(variant["dependencies"][1]["module"], "kotlinx-coroutines-core");
  }
}

TEST(Maven, KnowsGroups) {
  for (const char* group : {"com.example.mobile", "a.b", "io.my-company.app_2"}) {
    EXPECT_TRUE(is_maven_group(group)) << group;
  }
  for (const char* group : {"", ".", "com", "com.", ".com", "com..x", "Com.example", "com.2x",
                            "com/example", "com.exa mple", "com.\xc3\xa4", "com.-x"}) {
    EXPECT_FALSE(is_maven_group(group)) << group;
  }
  EXPECT_THAT(bad_group("touchmark"), HasSubstr("com.example.mobile"));
}

TEST(Maven, OrdersVersionsAsNumbers) {
  const std::string metadata =
      make_maven_metadata(MavenArtifact::kSdk, "a.b", {"0.10.0", "0.2.0", "1.0.0-rc.1", "0.9.9"});
  std::vector<std::string> order;
  for (std::size_t at = 0; (at = metadata.find("<version>", at)) != std::string::npos;) {
    at += 9;
    order.push_back(metadata.substr(at, metadata.find('<', at) - at));
  }
  EXPECT_THAT(order, ElementsAre("0.2.0", "0.9.9", "0.10.0", "1.0.0-rc.1"));
  EXPECT_THAT(metadata, HasSubstr("<latest>1.0.0-rc.1</latest>"));
  EXPECT_THAT(metadata, HasSubstr("<release>0.10.0</release>"));
}

TEST(Maven, TellsGradleOfEachPart) {
  const Bytes library = to_bytes("library");
  const Bytes sources = to_bytes("the sources");
  const std::vector<StoredPart> parts{{MavenPart::kLibrary, library},
                                      {MavenPart::kSources, sources}};
  const Json module = Json::parse(make_gradle_module(MavenArtifact::kSdk, "a.b", "0.1.0", parts));
  EXPECT_EQ(module["formatVersion"], "1.1");
  EXPECT_EQ(module["component"]["group"], "a.b");
  EXPECT_EQ(module["component"]["module"], "touchmark-attestation");
  std::vector<std::string> names;
  for (const Json& variant : module["variants"]) {
    names.push_back(variant["name"]);
    const Json& file = variant["files"][0];
    const bool is_library = variant["attributes"]["org.gradle.category"] == "library";
    EXPECT_EQ(file["size"], is_library ? 7 : 11);
    EXPECT_EQ(file["sha256"],
              make_checksum(crypto::DigestAlgorithm::kSha256, is_library ? library : sources));
    EXPECT_EQ(file["url"], is_library ? "touchmark-attestation-0.1.0.aar"
                                      : "touchmark-attestation-0.1.0-sources.jar");
  }
  EXPECT_THAT(names, ElementsAre("apiElements", "runtimeElements", "sourcesElements"));
}

}  // namespace
}  // namespace touchmark::verifier::sdk
