#include "package/bundle/bundle.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "formats/testing/proto_builder.h"
#include "formats/testing/zip_builder.h"
#include "package/android/manifest.h"
#include "package/package.h"
#include "tests/support/vectors.h"

namespace touchmark::package::bundle {
namespace {

using testing::proto_attribute;
using testing::proto_bytes;
using testing::proto_element;
using testing::proto_entry;
using testing::proto_int_item;
using testing::proto_number;
using testing::proto_reference_item;
using testing::proto_string_item;
using testing::proto_table;
using testing::ZipFile;

std::string fields(std::string_view bytes) {
  const auto ok = protobuf::for_each_field(
      as_bytes(bytes), [](const protobuf::ProtoField&) -> Result<void> { return {}; });
  return ok ? "" : ok.error().id();
}

TEST(Protobuf, ReadsFieldsOfEveryKind) {
  const std::string message = proto_number(1, 150) + proto_bytes(2, "text") + "\x1d" +
                              testing::u32(7) + "\x21" + testing::u64(9) +
                              proto_number(536870911, ~std::uint64_t{0});
  std::vector<protobuf::ProtoField> found;
  ASSERT_TRUE(protobuf::for_each_field(as_bytes(message),
                                       [&](const protobuf::ProtoField& field) -> Result<void> {
                                         found.push_back(field);
                                         return {};
                                       }));
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0].value, 150u);
  EXPECT_EQ(as_text(found[1].bytes), "text");
  EXPECT_EQ(found[2].value, 7u);
  EXPECT_EQ(found[3].value, 9u);
  EXPECT_EQ(found[4].number, 536870911u);
  EXPECT_EQ(found[4].value, ~std::uint64_t{0});
}

TEST(Protobuf, RefusesMalformedFields) {
  EXPECT_EQ(fields("\x0a"), "proto.truncated");
  EXPECT_EQ(fields("\x0a\x05"
                   "abc"),
            "proto.truncated");
  EXPECT_EQ(fields("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "proto.truncated");
  EXPECT_EQ(fields("\x08\x80"), "proto.truncated");
  EXPECT_EQ(fields("\x0d"
                   "abc"),
            "proto.truncated");
  EXPECT_EQ(fields("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "proto.bad-varint");
  EXPECT_EQ(fields("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto.bad-varint");
  EXPECT_EQ(fields(std::string_view("\0\1", 2)), "proto.bad-tag");
  EXPECT_EQ(fields(testing::proto_varint(std::uint64_t{1} << 32) + "\1"), "proto.bad-tag");
  EXPECT_EQ(fields("\x0b"), "proto.wire-type");
  EXPECT_EQ(fields("\x0e"), "proto.wire-type");
}

std::string manifest_attributes() {
  return proto_bytes(4, proto_attribute("versionCode", 0x0101021b, "7", proto_int_item(7))) +
         proto_bytes(
             4, proto_attribute("versionName", 0x0101021c, "", proto_reference_item(0x7f010000))) +
         proto_bytes(4, proto_attribute("package", 0, "org.example.app"));
}

std::string uses_sdk() {
  return proto_bytes(
      5, proto_element("uses-sdk", proto_bytes(4, proto_attribute("minSdkVersion", 0x0101020c, "21",
                                                                  proto_int_item(21)))));
}

std::string sample_table() {
  return proto_table(proto_entry(0, proto_string_item("deutsch"), "de") +
                     proto_entry(1, proto_reference_item(0x7f010002)) +
                     proto_entry(2, proto_string_item("2.5")));
}

Result<android::Manifest> parse(const std::string& document, const std::string& table = "") {
  Budget budget(document.size() + table.size());
  auto xml = ProtoXml::parse(as_bytes(document), budget);
  if (!xml) return pass(xml);
  const ProtoTable resources(as_bytes(table), budget);
  return android::parse_manifest(*xml, &resources);
}

std::string refusal(const std::string& document, const std::string& table = "") {
  const auto manifest = parse(document, table);
  return manifest ? "" : manifest.error().id();
}

TEST(ProtoManifest, IsReadLikeABinaryOne) {
  const std::string table = proto_table(proto_entry(0, proto_reference_item(0x7f010001)) +
                                        proto_entry(1, proto_string_item("2.5")));
  const auto manifest = parse(proto_element("manifest", manifest_attributes(), uses_sdk()), table);
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->package_name, "org.example.app");
  EXPECT_EQ(manifest->version_code, 7u);
  EXPECT_EQ(manifest->version_name, "2.5");
  EXPECT_EQ(manifest->min_sdk, 21u);
}

TEST(ProtoManifest, RefusesTwoReadings) {
  EXPECT_EQ(refusal(""), "bundle.not-xml");
  EXPECT_EQ(refusal(proto_bytes(2, "text")), "bundle.not-xml");
  const std::string package = proto_bytes(4, proto_attribute("package", 0, "a.b"));
  EXPECT_EQ(refusal(proto_element("manifest", package) + proto_element("manifest", package)),
            "bundle.duplicate-field");
  EXPECT_EQ(refusal(proto_bytes(1, proto_bytes(3, "manifest") + proto_bytes(3, "other"))),
            "bundle.duplicate-field");
  EXPECT_EQ(refusal(proto_element("manifest", proto_bytes(4, proto_attribute("package", 0, "a.b") +
                                                                 proto_bytes(3, "c.d")))),
            "bundle.duplicate-field");
  const std::string code =
      proto_bytes(4, proto_attribute("versionCode", 0x0101021b, "", proto_int_item(1)));
  EXPECT_EQ(refusal(proto_element("manifest", package + code + code)),
            "bundle.duplicate-attribute");
  // One item that is a number and a reference, and one with two numbers.
  const auto with_item = [&](const std::string& item) {
    return refusal(proto_element(
        "manifest", package + proto_bytes(4, proto_attribute("x", 0x0101021b, "", item))));
  };
  EXPECT_EQ(with_item(proto_int_item(1) + proto_reference_item(2)), "bundle.duplicate-field");
  EXPECT_EQ(with_item(proto_bytes(7, proto_number(6, 1) + proto_number(7, 2))),
            "bundle.duplicate-field");
  EXPECT_EQ(
      refusal(proto_element("manifest", proto_bytes(4, proto_attribute("package", 0, "a\xff")))),
      "bundle.bad-text");
}

TEST(ProtoManifest, BoundsTheDepth) {
  std::string deep = proto_element("a", "");
  for (int i = 0; i < 150; ++i) deep = proto_element("a", "", proto_bytes(5, deep));
  const std::string package = proto_bytes(4, proto_attribute("package", 0, "a.b"));
  EXPECT_EQ(refusal(proto_element("manifest", package, proto_bytes(5, deep))), "bundle.too-deep");
}

std::string lookup(const std::string& table, std::uint32_t id) {
  Budget budget(table.size());
  const auto text = ProtoTable(as_bytes(table), budget).string(id);
  return text ? *text : text.error().id();
}

TEST(ProtoTable, FindsDefaultValues) {
  EXPECT_EQ(lookup(sample_table(), 0x7f010002), "2.5");
  EXPECT_EQ(lookup(sample_table(), 0x7f010001), "2.5");
  EXPECT_EQ(lookup(sample_table(), 0x7f010000), "deutsch");
  EXPECT_EQ(lookup(sample_table(), 0x7f020000), "bundle.no-such-resource");
  EXPECT_EQ(lookup("", 0x7f010000), "bundle.no-such-resource");
  const std::string number = proto_table(proto_entry(0, proto_int_item(3)));
  EXPECT_EQ(lookup(number, 0x7f010000), "3");
  Budget budget(number.size());
  EXPECT_EQ(ProtoTable(as_bytes(number), budget).integer(0x7f010000).value(), 3u);
  EXPECT_EQ(lookup(proto_table(proto_entry(0, proto_reference_item(0x7f010000))), 0x7f010000),
            "bundle.reference-cycle");
  EXPECT_EQ(lookup(proto_table(proto_entry(0, proto_string_item("a")) +
                               proto_entry(0, proto_string_item("b"))),
                   0x7f010000),
            "bundle.duplicate-field");
}

// Configuration.proto: density is field 18, the version 24, the smallest width 9, the locale 3.
TEST(ProtoTable, TakesWhatADeviceWouldWhereThereIsNoDefault) {
  const auto value = [](const std::string& config, std::string_view text) {
    return proto_bytes(6, (config.empty() ? "" : proto_bytes(1, config)) +
                              proto_bytes(2, proto_bytes(4, proto_string_item(text))));
  };
  const auto both = [](const std::string& values) {
    const std::string table =
        proto_table(proto_bytes(3, proto_bytes(1, proto_number(1, 0)) + values));
    Budget budget(table.size());
    const ProtoTable read(as_bytes(table), budget);
    const auto person = read.string(0x7f010000);
    const auto installer = read.installer_string(0x7f010000);
    return (person ? *person : person.error().id()) + "/" +
           (installer ? *installer : installer.error().id());
  };
  const auto density = [](unsigned dpi) { return proto_number(18, dpi); };
  const auto sdk = [](unsigned level) { return proto_number(24, level); };
  const auto locale = [](std::string_view name) { return proto_bytes(3, name); };
  EXPECT_EQ(both(value(density(160), "a")), "a/a");
  // The value differs between devices, so the installer reads none.
  EXPECT_EQ(both(value(density(160), "a") + value(density(480), "b")), "b/");
  EXPECT_EQ(both(value(sdk(21), "a") + value(sdk(33), "b") + value(sdk(26), "c")), "b/b");
  EXPECT_EQ(both(value(locale("de"), "a") + value(locale("en-US"), "b")),
            "b/bundle.no-such-resource");
  EXPECT_EQ(both(value(locale("de"), "a")), "a/bundle.no-such-resource");
  EXPECT_EQ(both(value(proto_number(9, 600), "a") + value(density(160), "b")), "b/");
  EXPECT_EQ(both(value("", "a") + value(locale("en"), "b")), "a/");
  EXPECT_EQ(both(value("", "a") + value(sdk(33), "b")), "a/b");
  // StyledString (4), as a label with markup is.
  EXPECT_EQ(
      both(proto_bytes(6, proto_bytes(2, proto_bytes(4, proto_bytes(4, proto_bytes(1, "a")))))),
      "a/a");
}

TEST(Bundle, IsMeasuredByWhatADeviceInstalls) {
  const auto source = from_memory(touchmark::testing::read_vector("bundle/app.aab"));
  const Sha256Digest signer = crypto::sha256(as_bytes("app-signing certificate"));
  const auto m = measure(*source, {.bundle_signers = {signer}});
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_EQ(m->form, Form::kBundle);
  EXPECT_EQ(m->package_name, "org.example.bundle");
  EXPECT_EQ(m->version_name, "2.5");
  EXPECT_EQ(m->version_code, 5u);
  EXPECT_EQ(m->label, "Bundle App");
  EXPECT_EQ(m->min_sdk, 24u);
  EXPECT_EQ(m->target_sdk, 34u);
  EXPECT_EQ(m->sdk_version, "0.1.0");
  EXPECT_EQ(m->signers, std::vector{signer});
  const auto kind = [&](std::string_view name) -> std::string {
    const auto at = std::ranges::find(m->parts, name, &Part::name);
    return at == m->parts.end() ? "none" : std::string(to_string(at->kind));
  };
  EXPECT_EQ(kind("classes.dex"), "dex");
  EXPECT_EQ(kind("photo!/classes.dex"), "dex");
  EXPECT_EQ(kind("lib/arm64-v8a/libanswer.so"), "native-library");
  EXPECT_EQ(kind("assets/a.txt"), "asset");
  EXPECT_EQ(kind("AndroidManifest.xml"), "manifest");
  EXPECT_EQ(kind("r.txt"), "other");
}

std::string measured(std::vector<testing::ZipFileEntry> entries) {
  entries.insert(entries.begin(), testing::stored("BundleConfig.pb", ""));
  const auto source = from_memory(to_bytes(ZipFile{.entries = std::move(entries)}.build()));
  const auto m = measure(*source);
  return m ? std::to_string(m->parts.size()) : m.error().id();
}

TEST(Bundle, RefusesFilesInNoPlace) {
  const auto manifest = testing::stored(
      "base/manifest/AndroidManifest.xml",
      proto_element("manifest", proto_bytes(4, proto_attribute("package", 0, "a.b"))));
  using testing::stored;
  EXPECT_EQ(measured({manifest}), "2");
  EXPECT_EQ(measured({manifest, stored("BUNDLE-METADATA/x/proguard.map", "m"),
                      stored("META-INF/UPLOAD.RSA", "s")}),
            "2");
  EXPECT_EQ(measured({stored("base/dex/classes.dex", "d")}), "bundle.no-manifest");
  EXPECT_EQ(measured({manifest, stored("classes.dex", "d")}), "bundle.unknown-place");
  EXPECT_EQ(measured({manifest, stored("base/x/y", "d")}), "bundle.unknown-place");
  EXPECT_EQ(measured({manifest, stored("base/assets/photo!/x", "d")}), "bundle.unknown-place");
  EXPECT_EQ(measured({manifest, stored("base/root/classes.dex", "1"),
                      stored("base/dex/classes.dex", "2")}),
            "bundle.part-collision");
}

}  // namespace
}  // namespace touchmark::package::bundle
