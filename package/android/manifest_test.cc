#include "package/android/manifest.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "formats/testing/zip_builder.h"
#include "package/android/arsc.h"
#include "package/package.h"
#include "package/testing/resource_builder.h"

namespace touchmark::package::android {
namespace {

using testing::PoolEncoding;
using testing::sample_manifest;
using testing::XmlTestAttribute;
using testing::XmlTestElement;

constexpr std::uint8_t kReference = 0x01;
constexpr std::uint8_t kFloat = 0x04;

XmlTestElement& uses_sdk(XmlTestElement& manifest) { return manifest.children[0]; }
XmlTestElement& application(XmlTestElement& manifest) { return manifest.children[1]; }

Result<Manifest> parse(const XmlTestElement& root, const std::string& table_bytes = "") {
  const std::string document = testing::xml_document(root).build();
  Budget budget(document.size() + table_bytes.size());
  if (table_bytes.empty()) return parse_manifest(as_bytes(document), nullptr, budget);
  const auto table = ResourceTable::parse(as_bytes(table_bytes), budget);
  if (!table) return pass(table);
  return parse_manifest(as_bytes(document), &*table, budget);
}

template <class Change>
Result<Manifest> changed(Change change) {
  XmlTestElement manifest = sample_manifest();
  change(manifest);
  return parse(manifest);
}

template <class Change>
std::string refusal(Change change) {
  const auto result = changed(change);
  return result ? "" : result.error().id();
}

TEST(Manifest, ReadsWhatIdentifiesARelease) {
  for (const PoolEncoding encoding : {PoolEncoding::kUtf8, PoolEncoding::kUtf16}) {
    const std::string document = testing::xml_document(sample_manifest(), encoding).build();
    Budget budget(document.size());
    const auto manifest = parse_manifest(as_bytes(document), nullptr, budget);
    ASSERT_TRUE(manifest) << manifest.error().text();
    EXPECT_EQ(manifest->package_name, "org.example.app");
    EXPECT_EQ(manifest->version_name, "1.2");
    EXPECT_EQ(manifest->version_code, 7u);
    EXPECT_EQ(manifest->label, "Example");
    EXPECT_EQ(manifest->min_sdk, 21u);
    EXPECT_EQ(manifest->target_sdk, 33u);
    EXPECT_EQ(manifest->target_sandbox_version, 1u);
  }
}

TEST(Manifest, HasThePlatformsDefaults) {
  const auto manifest = parse({"manifest", {{.name = "package", .text = "a.b"}}});
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->version_code, 0u);
  EXPECT_EQ(manifest->version_name, "");
  EXPECT_EQ(manifest->label, "a.b");
  EXPECT_EQ(manifest->min_sdk, 1u);
  EXPECT_EQ(manifest->target_sdk, 1u);
}

TEST(Manifest, FindsAttributesByIdNotByName) {
  const auto manifest = changed([](XmlTestElement& m) {
    // A decoy with the right name and no id, and the real one under another name.
    m.attributes[0].name = "z";
    m.attributes.push_back({.name = "versionCode", .data = 99});
    uses_sdk(m).attributes[0].name = "y";
    uses_sdk(m).attributes.push_back({.name = "minSdkVersion", .data = 1});
  });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->version_code, 7u);
  EXPECT_EQ(manifest->min_sdk, 21u);
}

TEST(Manifest, JoinsTheHalvesOfTheVersionCode) {
  const auto manifest = changed([](XmlTestElement& m) {
    m.attributes.insert(m.attributes.begin() + 2,
                        {.name = "versionCodeMajor", .resource_id = 0x01010576, .data = 2});
    m.attributes[0].data = 0xfffffff0;
  });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->version_code, 0x2fffffff0u);
}

TEST(Manifest, TakesTheHighestOfSeveralMinima) {
  const auto manifest = changed([](XmlTestElement& m) {
    XmlTestElement second = uses_sdk(m);
    second.attributes[0].data = 24;
    m.children.push_back(second);
    m.children.push_back({"uses-sdk", {second.attributes[1]}});
  });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->min_sdk, 24u);
}

TEST(Manifest, TargetsTheMinimumWhenItNamesNoTarget) {
  const auto manifest = changed([](XmlTestElement& m) { uses_sdk(m).attributes.pop_back(); });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->target_sdk, 21u);
}

TEST(Manifest, IgnoresElementsAtAnotherDepth) {
  const auto manifest = changed([](XmlTestElement& m) {
    XmlTestElement inner = uses_sdk(m);
    inner.attributes[0].data = 33;
    application(m).children.push_back(inner);
    application(m).children.push_back(application(m));
  });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->min_sdk, 21u);
}

TEST(Manifest, ReadsTheSandboxVersion) {
  const auto manifest = changed([](XmlTestElement& m) {
    m.attributes.insert(m.attributes.begin() + 2,
                        {.name = "targetSandboxVersion", .resource_id = 0x0101054c, .data = 2});
  });
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->target_sandbox_version, 2u);
}

TEST(Manifest, ResolvesReferences) {
  XmlTestElement manifest = sample_manifest();
  manifest.attributes[0] = {
      .name = "versionCode", .resource_id = 0x0101021b, .type = kReference, .data = 0x7f020000};
  manifest.attributes[1] = {
      .name = "versionName", .resource_id = 0x0101021c, .type = kReference, .data = 0x7f010000};
  application(manifest).attributes[0] = {
      .name = "label", .resource_id = 0x01010001, .type = kReference, .data = 0x7f010001};
  const std::string table = testing::resource_table(
      {"3.1", "Currency Converter"},
      testing::type_chunk(1, {{.index = 0, .data = 0}, {.index = 1, .data = 1}}) +
          testing::type_chunk(2, {{.index = 0, .type = 0x10, .data = 12}}));
  const auto facts = parse(manifest, table);
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->version_name, "3.1");
  EXPECT_EQ(facts->version_code, 12u);
  EXPECT_EQ(facts->label, "Currency Converter");
}

TEST(Manifest, UnresolvableTextsAreRefusedWhereTheyIdentify) {
  const auto reference = [](XmlTestAttribute& attribute) {
    attribute.text.reset();
    attribute.type = kReference;
    attribute.data = 0x7f010000;
  };
  const auto label = changed([&](XmlTestElement& m) { reference(application(m).attributes[0]); });
  ASSERT_TRUE(label) << label.error().text();
  EXPECT_EQ(label->label, "org.example.app");
  EXPECT_EQ(refusal([&](XmlTestElement& m) { reference(m.attributes[1]); }),
            "manifest.version-name");
  EXPECT_EQ(refusal([&](XmlTestElement& m) { reference(m.attributes[0]); }),
            "manifest.version-code");
  EXPECT_EQ(refusal([&](XmlTestElement& m) { m.attributes[0].text = "7"; }),
            "manifest.version-code");
}

TEST(Manifest, AVersionNameThatIsNoTextIsWrittenOut) {
  const auto version = [](std::uint8_t type, std::uint32_t data) {
    const auto manifest = changed([&](XmlTestElement& m) {
      m.attributes[1].text.reset();
      m.attributes[1].type = type;
      m.attributes[1].data = data;
    });
    return manifest ? manifest->version_name : manifest.error().id();
  };
  EXPECT_EQ(version(0x10, 12), "12");
  EXPECT_EQ(version(0x11, 0x1f), "0x1f");
  EXPECT_EQ(version(0x12, 1), "true");
  EXPECT_EQ(version(kFloat, 0x3f8ccccd), "1.1");
  EXPECT_EQ(version(0x00, 0), "");
  EXPECT_EQ(version(kReference, 0), "");  // @null
}

TEST(Manifest, TextsThatAreFarTooLongAreRefusedOrLeftOut) {
  const std::string text(4097, 'x');
  EXPECT_EQ(refusal([&](XmlTestElement& m) { m.attributes[1].text = text; }),
            "manifest.version-name");
  const auto label = changed([&](XmlTestElement& m) { application(m).attributes[0].text = text; });
  ASSERT_TRUE(label);
  EXPECT_EQ(label->label, "org.example.app");
}

TEST(Manifest, SaysWhetherTheAppIsDebuggable) {
  const auto debuggable = [](std::uint8_t type, std::uint32_t data) {
    const auto manifest = changed([&](XmlTestElement& m) {
      application(m).attributes.push_back(
          {.name = "debuggable", .resource_id = 0x0101000f, .type = type, .data = data});
    });
    EXPECT_TRUE(manifest) << manifest.error().text();
    return manifest && manifest->debuggable;
  };
  EXPECT_TRUE(debuggable(0x12, 0xffffffff));
  EXPECT_TRUE(debuggable(0x10, 1));
  EXPECT_FALSE(debuggable(0x12, 0));
  EXPECT_FALSE(debuggable(kReference, 0x7f010000));
  EXPECT_FALSE(changed([](XmlTestElement&) {})->debuggable);
}

TEST(Manifest, RefusesMoreThanOneReading) {
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.name = "manifesto"; }), "manifest.no-root");
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.has_namespace = true; }), "manifest.namespace");
  EXPECT_EQ(refusal([](XmlTestElement& m) { uses_sdk(m).has_namespace = true; }),
            "manifest.namespace");
  EXPECT_EQ(refusal([](XmlTestElement& m) {
              XmlTestElement second = uses_sdk(m);
              second.attributes[1].data = 20;
              m.children.push_back(second);
            }),
            "manifest.sdk-conflict");
}

TEST(Manifest, RefusesPackageNames) {
  const auto with_name = [](std::string name) {
    return refusal([&](XmlTestElement& m) { m.attributes[2].text = name; });
  };
  EXPECT_EQ(with_name("a_1.B2"), "");
  EXPECT_EQ(with_name("a b"), "manifest.package-name");
  EXPECT_EQ(with_name(""), "manifest.package-name");
  EXPECT_EQ(with_name("../a"), "manifest.package-name");
  EXPECT_EQ(with_name(std::string(224, 'a')), "manifest.package-name");
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.attributes.pop_back(); }), "manifest.package-name");
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.attributes.push_back(m.attributes[2]); }),
            "manifest.package-name");
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.attributes[2].has_namespace = true; }),
            "manifest.package-name");
  EXPECT_EQ(refusal([](XmlTestElement& m) { m.attributes[2].text.reset(); }),
            "manifest.package-name");
}

TEST(Manifest, ReadsTheNameOfASplit) {
  const auto split = changed([](XmlTestElement& m) {
    m.attributes.push_back({.name = "split", .text = "config.arm64_v8a"});
  });
  ASSERT_TRUE(split) << split.error().text();
  EXPECT_EQ(split->split_name, "config.arm64_v8a");
  EXPECT_EQ(changed([](XmlTestElement&) {}).value().split_name, "");
  EXPECT_EQ(
      refusal([](XmlTestElement& m) { m.attributes.push_back({.name = "split", .text = "a/b"}); }),
      "manifest.split-name");
  EXPECT_EQ(refusal([](XmlTestElement& m) {
              m.attributes.push_back({.name = "split", .text = "a"});
              m.attributes.push_back({.name = "split", .text = "b"});
            }),
            "manifest.split-name");
}

TEST(Manifest, ReadsCodeNamesAsApksigDoes) {
  const auto min_sdk = [](std::string codename) {
    return changed([&](XmlTestElement& m) { uses_sdk(m).attributes[0].text = codename; });
  };
  EXPECT_EQ(min_sdk("Tiramisu").value().min_sdk, 30u);
  EXPECT_TRUE(min_sdk("21").error().is(ManifestError::kSdkVersion));
  EXPECT_TRUE(min_sdk("").error().is(ManifestError::kSdkVersion));
  EXPECT_EQ(sdk_of_codename("Cupcake"), 2u);
  EXPECT_EQ(sdk_of_codename("A"), 1u);
  EXPECT_EQ(sdk_of_codename("N"), 23u);
  EXPECT_EQ(sdk_of_codename("Q"), 27u);
  EXPECT_EQ(sdk_of_codename("Baklava"), 34u);
  EXPECT_EQ(sdk_of_codename("CANARY"), 9999u);
  EXPECT_EQ(sdk_of_codename("nougat"), 0u);
}

TEST(Manifest, RefusesLevelsThatDependOnTheDevice) {
  EXPECT_EQ(refusal([](XmlTestElement& m) { uses_sdk(m).attributes[0].type = kReference; }),
            "manifest.sdk-version");
  EXPECT_EQ(refusal([](XmlTestElement& m) { uses_sdk(m).attributes[1].type = kFloat; }),
            "manifest.sdk-version");
}

TEST(Manifest, IsReadFromAnArchive) {
  const std::string document = testing::xml_document(sample_manifest()).build();
  const auto read = [](testing::ZipFile zip) -> Result<Manifest> {
    const auto source = from_memory(to_bytes(zip.build()));
    const auto archive = zip::ZipArchive::open(*source);
    if (!archive) return pass(archive);
    return read_manifest(*archive);
  };
  EXPECT_EQ(
      read({.entries = {testing::deflated("AndroidManifest.xml", document)}}).value().package_name,
      "org.example.app");
  EXPECT_TRUE(
      read({.entries = {testing::stored("classes.dex", "")}}).error().is(ManifestError::kMissing));
  EXPECT_TRUE(read({.entries = {testing::stored("AndroidManifest.xml", document),
                                testing::stored("resources.arsc", "junk")}})
                  .error()
                  .is(ArscError::kNotTable));
}

}  // namespace
}  // namespace touchmark::package::android
