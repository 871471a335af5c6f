#include "verifier/sdk/held_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "formats/testing/zip_builder.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::verifier::sdk {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string aar(const std::string& version, const std::string& code = "code") {
  package::testing::ZipFile out;
  out.entries = {
      package::testing::stored("jni/x86_64/libtouchmark.so", code),
      package::testing::stored("jni/arm64-v8a/libtouchmark.so", code),
      package::testing::stored("jni//libtouchmark.so", code),
      package::testing::stored("assets/touchmark-sdk.json", Json{{"version", version}}.dump())};
  return out.build();
}

class HeldVersionsTest : public ::testing::Test {
 protected:
  HeldVersionsTest() { fs::create_directory(own_); }

  void bring(const std::string& library) const { write(own_ / "touchmark_sdk.aar", library); }
  static void write(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  std::vector<std::string> versions() const {
    std::vector<std::string> out;
    for (const HeldVersion& held : held_.list()) out.push_back(held.version);
    return out;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(kept_)) out.push_back(entry.path().filename());
    return out;
  }
  std::string library(const std::string& version) const {
    auto content = held_.library(version);
    return content ? std::string(as_text(*content)) : content.error().id();
  }

  touchmark::testing::TemporaryFolder folder_;
  fs::path own_ = folder_ / "own";
  fs::path kept_ = folder_ / "data/sdk";
  HeldVersions held_{own_, kept_};
};

TEST_F(HeldVersionsTest, KeepsWhatAnUpgradeReplaces) {
  bring(aar("0.1.0"));
  write(own_ / "touchmark_sdk-sources.jar", "the sources of then");
  auto kept = held_.keep_own();
  ASSERT_TRUE(kept) << kept.error().text();
  EXPECT_TRUE(kept->is_new);
  EXPECT_FALSE(held_.keep_own()->is_new);

  fs::remove(own_ / "touchmark_sdk-sources.jar");
  bring(aar("0.2.0"));
  ASSERT_TRUE(held_.keep_own());
  EXPECT_THAT(versions(), ElementsAre("0.2.0", "0.1.0"));
  EXPECT_EQ(library(""), aar("0.2.0"));
  EXPECT_EQ(library("0.1.0"), aar("0.1.0"));
  EXPECT_EQ(held_.file({"a.b", "0.1.0", MavenPart::kSources, {}}).value(), "the sources of then");
  EXPECT_TRUE(held_.file({"a.b", "0.2.0", MavenPart::kSources, {}}).error().is(SdkError::kNotHeld));
  struct stat status {};
  ASSERT_EQ(::stat((kept_ / "0.1.0").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077, 0U);
}

TEST_F(HeldVersionsTest, TellsWhatIsInEach) {
  bring(aar("0.1.0"));
  write(own_ / "touchmark_sdk-javadoc.jar", "pages");
  const auto list = held_.list();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_TRUE(list[0].is_own);
  EXPECT_THAT(list[0].abis, ElementsAre("arm64-v8a", "x86_64"));
  ASSERT_EQ(list[0].parts.size(), 2U);
  EXPECT_EQ(list[0].parts[1].part, MavenPart::kJavadoc);
  EXPECT_EQ(list[0].parts[1].bytes, 5U);
}

TEST_F(HeldVersionsTest, AVersionWithOtherBytesIsTheOneThatIsHandedOutNow) {
  bring(aar("0.1.0", "for this machine"));
  ASSERT_TRUE(held_.keep_own());
  bring(aar("0.1.0", "for phones"));
  EXPECT_TRUE(held_.keep_own()->is_new);
  bring(aar("0.2.0"));
  EXPECT_EQ(library("0.1.0"), aar("0.1.0", "for phones"));
}

TEST_F(HeldVersionsTest, KeepsTheNewestAndItsOwn) {
  for (int minor = 0; minor < 25; ++minor) {
    bring(aar("0." + std::to_string(minor) + ".0"));
    ASSERT_TRUE(held_.keep_own());
  }
  EXPECT_EQ(names().size(), kMaxKept);
  EXPECT_THAT(names(), Not(Contains("0.4.0")));
  EXPECT_THAT(names(), Contains("0.5.0"));
  // Back to a version that is older than all of them.
  bring(aar("0.1.0"));
  ASSERT_TRUE(held_.keep_own());
  EXPECT_THAT(names(), Contains("0.1.0"));
  EXPECT_EQ(library(""), aar("0.1.0"));
  EXPECT_LE(names().size(), kMaxKept + 1);
}

TEST_F(HeldVersionsTest, MendsWhatAStartLeftHalf) {
  write(kept_ / ".0.1.0.tmp/touchmark_sdk.aar", "half");
  write(kept_ / ".0.1.0.before.tmp/touchmark_sdk.aar", "before");
  write(kept_ / "0.1.0/touchmark_sdk-sources.jar", "without a library");
  write(kept_ / "notes.txt", "of somebody");
  bring(aar("0.1.0"));
  ASSERT_TRUE(held_.keep_own());
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("0.1.0", "notes.txt"));
  bring(aar("0.2.0"));
  EXPECT_EQ(library("0.1.0"), aar("0.1.0"));
  EXPECT_TRUE(held_.file({"a.b", "0.1.0", MavenPart::kSources, {}}).error().is(SdkError::kNotHeld));
}

TEST_F(HeldVersionsTest, ALibraryWithoutAVersionIsNotKept) {
  EXPECT_TRUE(held_.keep_own().error().is(SdkError::kNotHeld));
  for (const std::string& library :
       {std::string("no archive"), aar(""), aar("../../etc"), aar("0.1.0-/../../x"), aar("1.0"),
        aar("0.1.0-" + std::string(100, 'x'))}) {
    bring(library);
    const auto kept = held_.keep_own();
    ASSERT_FALSE(kept);
    EXPECT_TRUE(kept.error().is(SdkError::kNoVersion)) << kept.error().text();
    EXPECT_EQ(this->library(""), library) << "the only one there is";
    EXPECT_THAT(held_.list(), IsEmpty());
    EXPECT_FALSE(fs::exists(kept_));
  }
}

TEST_F(HeldVersionsTest, AFolderThatCannotBeMadeIsAnError) {
  bring(aar("0.1.0"));
  write(folder_ / "data", "a file where the folder should be");
  EXPECT_FALSE(held_.keep_own());
  EXPECT_EQ(library("0.1.0"), aar("0.1.0"));
}

TEST_F(HeldVersionsTest, NoVersionLeadsOutOfTheFolder) {
  bring(aar("0.2.0"));
  ASSERT_TRUE(held_.keep_own());
  write(kept_.parent_path() / "touchmark_sdk.aar", "not to be had");
  write(kept_ / "x/touchmark_sdk.aar", "not to be had");
  for (const char* version : {"..", ".", "x", "/", "0.2.0/../..", "../sdk/0.2.0", "0.2.0/", "9.9.9",
                              "0.2.0/.", "0.2.0\n"}) {
    EXPECT_EQ(library(version), "sdk.not-held") << version;
  }
}

TEST_F(HeldVersionsTest, HandsOutWhatGoesWithALibraryWhereItCame) {
  bring(aar("0.1.0"));
  ASSERT_TRUE(held_.keep_own());
  bring(aar("0.2.0"));
  write(own_ / "touchmark_sdk-coroutines.jar", "functions");
  write(own_ / "touchmark_sdk-gradle-plugin.jar", "plugin");
  write(own_ / "touchmark_sdk-gradle-plugin-sources.jar", "its sources");
  ASSERT_TRUE(held_.keep_own());
  bring(aar("0.3.0"));
  fs::remove(own_ / "touchmark_sdk-gradle-plugin.jar");
  const auto file = [&](const std::string& path) {
    auto content = held_.file(parse_maven_path(path).value());
    return content ? *content : std::string(content.error().id());
  };
  const std::string plugin = "touchmark/sdk/touchmark-gradle-plugin/";
  const std::string marker = "touchmark/sdk/touchmark.sdk.gradle.plugin/";
  EXPECT_EQ(file(plugin + "0.2.0/touchmark-gradle-plugin-0.2.0.jar"), "plugin");
  EXPECT_EQ(file(plugin + "0.2.0/touchmark-gradle-plugin-0.2.0-sources.jar"), "its sources");
  EXPECT_EQ(
      file("a/b/touchmark-attestation-coroutines/0.2.0/touchmark-attestation-coroutines-0.2.0.jar"),
      "functions");
  EXPECT_THAT(file(marker + "0.2.0/touchmark.sdk.gradle.plugin-0.2.0.pom"),
              HasSubstr("<version>0.2.0</version>"));
  const std::string metadata = file(marker + "maven-metadata.xml");
  EXPECT_THAT(metadata, HasSubstr("<version>0.2.0</version>"));
  // Versions that came without it, whatever else of it lies there.
  EXPECT_EQ(metadata.find("0.1.0"), std::string::npos);
  EXPECT_EQ(metadata.find("0.3.0"), std::string::npos);
  for (const char* version : {"0.1.0", "0.3.0"}) {
    const std::string name = std::string(version) + "/touchmark-gradle-plugin-" + version;
    for (const char* ending : {".pom", ".module", ".jar", "-sources.jar"}) {
      EXPECT_EQ(file(plugin + name + ending), "sdk.not-held") << name << ending;
    }
  }
  const Json module = Json::parse(file(plugin + "0.2.0/touchmark-gradle-plugin-0.2.0.module"));
  EXPECT_EQ(module["variants"].size(), 3U);
}

TEST_F(HeldVersionsTest, HandsOutAMavenRepository) {
  bring(aar("0.1.0"));
  ASSERT_TRUE(held_.keep_own());
  bring(aar("0.2.0"));
  const auto file = [&](const std::string& path) {
    return held_.file(parse_maven_path("com/example/touchmark-attestation/" + path).value());
  };
  EXPECT_THAT(file("maven-metadata.xml").value(), HasSubstr("<version>0.1.0</version>"));
  EXPECT_EQ(file("0.1.0/touchmark-attestation-0.1.0.aar").value(), aar("0.1.0"));
  EXPECT_THAT(file("0.2.0/touchmark-attestation-0.2.0.pom").value(),
              HasSubstr("<groupId>com.example</groupId>"));
  const std::string library = aar("0.2.0");
  EXPECT_EQ(file("0.2.0/touchmark-attestation-0.2.0.aar.sha256").value(),
            make_checksum(crypto::DigestAlgorithm::kSha256, as_bytes(library)));
  const Json module = Json::parse(file("0.2.0/touchmark-attestation-0.2.0.module").value());
  EXPECT_EQ(module["variants"].size(), 2U);
  EXPECT_EQ(module["variants"][0]["files"][0]["size"], library.size());
  EXPECT_TRUE(file("0.3.0/touchmark-attestation-0.3.0.pom").error().is(SdkError::kNotHeld));
}

TEST_F(HeldVersionsTest, HoldsThePackagesOfTheLibrarysVersion) {
  bring(aar("0.2.0"));
  write(own_ / "npm/touchmark-cordova-0.2.0.tgz", "plugin");
  write(own_ / "npm/touchmark-react-native-0.2.0.tgz", "native");
  write(own_ / "npm/touchmark-capacitor-0.1.0.tgz", "of another version");
  write(own_ / "npm/touchmark-other-0.2.0.tgz", "not ours");
  const auto held = held_.list();
  ASSERT_EQ(held.size(), 1);
  ASSERT_EQ(held[0].npm.size(), 2);
  EXPECT_EQ(held[0].npm[0].package, "cordova");
  EXPECT_EQ(held[0].npm[0].bytes, 6);
  EXPECT_EQ(held[0].npm[1].package, "react-native");
  EXPECT_EQ(as_text(held_.npm({"cordova", "0.2.0"}).value()), "plugin");
  EXPECT_EQ(held_.npm({"capacitor", "0.2.0"}).error().id(), "sdk.not-held");
  EXPECT_EQ(held_.npm({"capacitor", "0.1.0"}).error().id(), "sdk.not-held");
}

TEST_F(HeldVersionsTest, KeepsThePackages) {
  bring(aar("0.1.0"));
  write(own_ / "npm/touchmark-cordova-0.1.0.tgz", "first");
  ASSERT_TRUE(held_.keep_own()->is_new);
  EXPECT_FALSE(held_.keep_own()->is_new);
  write(own_ / "npm/touchmark-cordova-0.1.0.tgz", "other");
  EXPECT_TRUE(held_.keep_own()->is_new);
  bring(aar("0.2.0"));
  EXPECT_EQ(as_text(held_.npm({"cordova", "0.1.0"}).value()), "other");
}

TEST_F(HeldVersionsTest, HoldsAndKeepsThePackageForSwift) {
  bring(aar("0.1.0"));
  EXPECT_EQ(held_.list()[0].swift_bytes, std::nullopt);
  EXPECT_EQ(held_.swift("0.1.0").error().id(), "sdk.not-held");
  write(own_ / "touchmark-swift-0.1.0.zip", "archive");
  write(own_ / "touchmark-swift-0.3.0.zip", "of another version");
  EXPECT_EQ(held_.list()[0].swift_bytes, 7);
  ASSERT_TRUE(held_.keep_own()->is_new);
  EXPECT_FALSE(held_.keep_own()->is_new);
  bring(aar("0.2.0"));
  EXPECT_EQ(as_text(held_.swift("0.1.0").value()), "archive");
  EXPECT_EQ(held_.swift("0.2.0").error().id(), "sdk.not-held");
  EXPECT_EQ(held_.swift("0.3.0").error().id(), "sdk.not-held");
}

}  // namespace
}  // namespace touchmark::verifier::sdk
