#include "package/android/network_security.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "formats/testing/proto_builder.h"
#include "formats/testing/zip_builder.h"
#include "package/android/arsc.h"
#include "package/android/axml.h"
#include "package/android/manifest.h"
#include "package/bundle/resources_proto.h"
#include "package/testing/resource_builder.h"

namespace touchmark::package::android {
namespace {

using testing::XmlTestAttribute;
using testing::XmlTestElement;

constexpr std::uint32_t kTarget = 34;
constexpr std::uint8_t kBoolean = 0x12;
constexpr std::uint8_t kReference = 0x01;

XmlTestElement element(std::string name, std::vector<XmlTestElement> children = {}) {
  return {.name = std::move(name), .attributes = {}, .children = std::move(children), .text = ""};
}
XmlTestElement root(std::vector<XmlTestElement> children) {
  return element("network-security-config", std::move(children));
}
// A <base-config> or <domain-config>.
XmlTestElement permitting(std::string name, bool cleartext,
                          std::vector<XmlTestElement> children = {}) {
  XmlTestElement out = element(std::move(name), std::move(children));
  out.attributes = {
      {.name = "cleartextTrafficPermitted", .type = kBoolean, .data = cleartext ? 0xffffffff : 0}};
  return out;
}
XmlTestElement domain(std::string text) {
  XmlTestElement out = element("domain");
  out.text = std::move(text);
  return out;
}
XmlTestElement anchors(std::vector<std::string> sources) {
  XmlTestElement out = element("trust-anchors");
  for (std::string& source : sources) {
    XmlTestElement certificates = element("certificates");
    certificates.attributes = {{.name = "src", .text = std::move(source)}};
    out.children.push_back(std::move(certificates));
  }
  return out;
}

Result<NetworkSecurity> parse(const XmlTestElement& document, std::uint32_t target = kTarget) {
  const std::string bytes = testing::xml_document(document).build();
  Budget budget(bytes.size());
  auto xml = XmlReader::open(as_bytes(bytes), budget);
  if (!xml) return pass(xml);
  return parse_network_security(*xml, target);
}

// "cleartext: yes; user: for a.example", or the reason against the document.
std::string shown(const Result<NetworkSecurity>& security) {
  if (!security) return security.error().id();
  EXPECT_TRUE(security->configured);
  return "cleartext: " + to_string(security->cleartext) +
         "; user: " + to_string(security->user_certificates);
}
std::string allowed(std::vector<XmlTestElement> children, std::uint32_t target = kTarget) {
  return shown(parse(root(std::move(children)), target));
}

TEST(NetworkSecurity, FollowsTheTargetWhereItSaysNothing) {
  EXPECT_EQ(allowed({}), "cleartext: no; user: no");
  EXPECT_EQ(allowed({}, 28), "cleartext: no; user: no");
  EXPECT_EQ(allowed({}, 27), "cleartext: yes; user: no");
  EXPECT_EQ(allowed({}, 24), "cleartext: yes; user: no");
  EXPECT_EQ(allowed({}, 23), "cleartext: yes; user: yes");
  EXPECT_EQ(allowed({element("base-config")}, 27), "cleartext: yes; user: no");
  EXPECT_EQ(allowed({permitting("base-config", false)}, 27), "cleartext: no; user: no");
  EXPECT_EQ(allowed({element("base-config", {anchors({"system"})})}, 23),
            "cleartext: yes; user: no");
  EXPECT_EQ(allowed({element("base-config", {anchors({})})}, 23), "cleartext: yes; user: no");
}

TEST(NetworkSecurity, ReadsTheBase) {
  EXPECT_EQ(allowed({permitting("base-config", true)}), "cleartext: yes; user: no");
  EXPECT_EQ(allowed({element("base-config", {anchors({"system", "user"})})}),
            "cleartext: no; user: yes");
  // Elsewhere they say nothing: for debuggable apps, or in what the platform passes over.
  EXPECT_EQ(allowed({element("debug-overrides", {anchors({"user"})})}), "cleartext: no; user: no");
  EXPECT_EQ(allowed({permitting("debug-overrides", true)}), "cleartext: no; user: no");
  EXPECT_EQ(allowed({element("other", {permitting("base-config", true, {anchors({"user"})})})}),
            "cleartext: no; user: no");
  EXPECT_EQ(allowed({element("base-config", {element("other", {anchors({"user"})})})}),
            "cleartext: no; user: no");
  EXPECT_EQ(allowed({anchors({"user"})}), "cleartext: no; user: no");
}

TEST(NetworkSecurity, NamesTheDomains) {
  EXPECT_EQ(
      allowed({permitting("domain-config", true,
                          {domain(" API.Example \n"), domain("b.example"), domain("b.example")})}),
      "cleartext: for api.example, b.example; user: no");
  EXPECT_EQ(allowed({element("domain-config", {domain("a.example"), anchors({"user"})})}),
            "cleartext: no; user: for a.example");
  // Of what stands everywhere, domains add nothing.
  EXPECT_EQ(allowed({permitting("domain-config", true, {domain("a.example")}),
                     permitting("base-config", true)}),
            "cleartext: yes; user: no");
  EXPECT_EQ(allowed({permitting("base-config", true),
                     permitting("domain-config", false, {domain("a.example")})}),
            "cleartext: yes; user: no");
  // Traffic within the phone.
  EXPECT_EQ(allowed({permitting("domain-config", true,
                                {domain("localhost"), domain("127.0.0.1"), domain("::1")})}),
            "cleartext: no; user: no");
  EXPECT_EQ(allowed({permitting("domain-config", true, {domain("10.0.2.2")})}),
            "cleartext: for 10.0.2.2; user: no");
}

TEST(NetworkSecurity, InheritsFromTheOuterOne) {
  const XmlTestElement inner = element("domain-config", {domain("inner.example")});
  EXPECT_EQ(allowed({permitting("domain-config", true, {domain("outer.example"), inner})}),
            "cleartext: for outer.example, inner.example; user: no");
  EXPECT_EQ(allowed({permitting("domain-config", false,
                                {domain("outer.example"),
                                 permitting("domain-config", true, {domain("inner.example")})})}),
            "cleartext: for inner.example; user: no");
  EXPECT_EQ(
      allowed({element("domain-config", {domain("outer.example"), anchors({"user"}), inner})}),
      "cleartext: no; user: for outer.example, inner.example");
  // The base counts wherever it stands.
  EXPECT_EQ(allowed({inner, permitting("base-config", false)}, 27), "cleartext: no; user: no");
  EXPECT_EQ(allowed({element("domain-config", {domain("a.example"), anchors({"user"})}),
                     element("base-config", {anchors({"system"})})},
                    23),
            "cleartext: yes; user: for a.example");
}

// XmlBlock.Parser.getAttributeBooleanValue() takes numbers; anything else is the default, true.
TEST(NetworkSecurity, TakesValuesAsThePlatformDoes) {
  const auto base = [](XmlTestAttribute attribute) {
    XmlTestElement out = element("base-config");
    out.attributes = {std::move(attribute)};
    return allowed({out});
  };
  const std::string name = "cleartextTrafficPermitted";
  EXPECT_EQ(base({.name = name, .data = 0}), "cleartext: no; user: no");
  EXPECT_EQ(base({.name = name, .data = 1}), "cleartext: yes; user: no");
  EXPECT_EQ(base({.name = name, .text = "false"}), "cleartext: yes; user: no");
  EXPECT_EQ(base({.name = name, .type = kReference, .data = 0x7f010000}),
            "cleartext: yes; user: no");
  EXPECT_EQ(base({.name = "android:" + name, .data = 1}), "cleartext: no; user: no");
}

TEST(NetworkSecurity, RefusesWhatIsNone) {
  EXPECT_EQ(shown(parse(element("resources"))), "network-security.no-root");
  EXPECT_EQ(allowed({element("base-config"), element("base-config")}),
            "network-security.second-base");
  EXPECT_EQ(allowed({element("base-config", {anchors({"system"}), anchors({"user"})})}),
            "network-security.second-anchors");
}

TEST(NetworkSecurity, BoundsWhatItKeeps) {
  std::vector<XmlTestElement> domains;
  for (int i = 0; i < 1000; ++i) domains.push_back(domain("d" + std::to_string(i) + ".example"));
  domains[0] = domain(std::string(300, 'A') + "\n\x1b[31m");
  const auto security = parse(root({permitting("domain-config", true, domains)}));
  ASSERT_TRUE(security) << security.error().text();
  ASSERT_EQ(security->cleartext.domains.size(), AllowedHosts::kMaxDomains);
  EXPECT_EQ(security->cleartext.domains[0],
            std::string(AllowedHosts::kMaxDomainBytes, 'a') + "...");
  EXPECT_EQ(allowed({permitting("domain-config", true, {domain("a\n\x1b[31m.example")})}),
            "cleartext: for a??[31m.example; user: no");
}

// --- in packages -----------------------------------------------------------------------------

constexpr std::uint32_t kConfiguration = 0x7f010000;
constexpr std::uint32_t kAttributeId = 0x01010527;

XmlTestElement manifest_with(std::uint32_t resource_id, std::uint8_t type = kReference) {
  XmlTestElement manifest = testing::sample_manifest();
  manifest.children[1].attributes.push_back({.name = "networkSecurityConfig",
                                             .resource_id = kAttributeId,
                                             .type = type,
                                             .data = resource_id,
                                             .has_namespace = true});
  return manifest;
}

std::string binary(const XmlTestElement& document) {
  return testing::xml_document(document).build();
}
const std::string kOpen = binary(root({permitting("base-config", true)}));
const std::string kShut = binary(root({permitting("base-config", false)}));

// A table whose resource 0x7f010000 is the first text, and in German the second, if there is one.
std::string table_of(const std::vector<std::string>& paths) {
  std::string types;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    types += testing::type_chunk(1, {{.index = 0, .data = i}}, testing::TypeLayout::kPlain,
                                 i == 0 ? "" : "de");
  }
  return testing::resource_table(paths, types);
}

std::unique_ptr<Source> archive_of(const std::vector<std::pair<std::string, std::string>>& files) {
  testing::ZipFile zip;
  for (const auto& [name, content] : files) {
    zip.entries.push_back(testing::deflated(name, content));
  }
  return from_memory(to_bytes(zip.build()));
}

Result<NetworkSecurity> read(const std::vector<std::pair<std::string, std::string>>& files) {
  const auto source = archive_of(files);
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return pass(archive);
  const auto manifest = read_manifest(*archive);
  if (!manifest) return pass(manifest);
  return manifest->network;
}

TEST(NetworkSecurityOfAPackage, IsWhatItsFileSays) {
  const std::string manifest = binary(manifest_with(kConfiguration));
  const std::string path = "res/xml/n.xml";
  const auto with = [&](const std::string& file) {
    return read(
        {{"AndroidManifest.xml", manifest}, {"resources.arsc", table_of({path})}, {path, file}});
  };
  EXPECT_EQ(shown(with(kOpen)), "cleartext: yes; user: no");
  EXPECT_EQ(shown(with(kShut)), "cleartext: no; user: no");
  // One of another configuration of devices counts as well.
  EXPECT_EQ(shown(read({{"AndroidManifest.xml", manifest},
                        {"resources.arsc", table_of({path, "res/xml-de/n.xml"})},
                        {path, kShut},
                        {"res/xml-de/n.xml", kOpen}})),
            "cleartext: yes; user: no");
}

TEST(NetworkSecurityOfAPackage, IsNamedByAReferenceAlone) {
  XmlTestElement manifest = manifest_with(kConfiguration, 0x10);
  const auto security = read({{"AndroidManifest.xml", binary(manifest)}});
  ASSERT_TRUE(security) << security.error().text();
  EXPECT_EQ(*security, NetworkSecurity());
}

TEST(NetworkSecurityOfAPackage, ThatCannotBeReadRefusesNothing) {
  const std::string manifest = binary(manifest_with(kConfiguration));
  const std::string path = "res/xml/n.xml";
  const auto reason = [&](std::vector<std::pair<std::string, std::string>> files) {
    files.insert(files.begin(), {"AndroidManifest.xml", manifest});
    const auto security = read(files);
    EXPECT_TRUE(security) << security.error().text();
    if (!security) return security.error().id();
    EXPECT_TRUE(security->configured && !security->cleartext.any());
    return security->unreadable;
  };
  const std::pair<std::string, std::string> table{"resources.arsc", table_of({path})};
  EXPECT_EQ(reason({}), "the package has no resources");
  EXPECT_EQ(reason({{"resources.arsc", testing::resource_table({"a"}, "")}}),
            "arsc.no-such-resource: 0x7f010000 has no value");
  EXPECT_EQ(reason({table}), "network-security.no-file: no file res/xml/n.xml");
  EXPECT_EQ(reason({table, {path, "<network-security-config/>"}}),
            "axml.not-xml: res/xml/n.xml: not a binary XML chunk");
  EXPECT_EQ(reason({table, {path, binary(element("a\nb"))}}),
            "network-security.no-root: res/xml/n.xml: the root element is <a?b>");
  EXPECT_EQ(reason({table, {path, std::string(2 << 20, '\0')}}).substr(0, 4), "zip.");
  // Every cut of a genuine one.
  for (std::size_t size = 0; size < kOpen.size(); size += 4) {
    EXPECT_NE(reason({table, {path, kOpen.substr(0, size)}}), "") << size;
  }
  // A resource that leads to itself, one of 65 files, and one that is a style.
  EXPECT_EQ(
      reason({{"resources.arsc",
               testing::resource_table(
                   {"a"}, testing::type_chunk(
                              1, {{.index = 0, .type = kReference, .data = kConfiguration}}))}}),
      "arsc.reference-cycle: 0x7f010000 refers to itself alone");
  std::vector<std::string> paths(65);
  std::string types;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    paths[i] = std::to_string(i);
    types += testing::type_chunk(1, {{.index = 0, .data = i}});
  }
  EXPECT_EQ(reason({{"resources.arsc", testing::resource_table(paths, types)}}),
            "network-security.too-many-files: 65 files of one configuration");
  EXPECT_EQ(reason({{"resources.arsc",
                     testing::resource_table(
                         {"a"}, testing::type_chunk(1, {{.index = 0, .complex = true}}))}}),
            "arsc.complex-value: 0x7f010000 is not a plain value");
}

TEST(NetworkSecurityOfAPackage, CountsOnTheBudgetOfTheFile) {
  // 60 files of a megabyte of nothing each, in a small package.
  const XmlTestElement padded = root({permitting("base-config", false)});
  testing::XmlDocument document = testing::xml_document(padded);
  document.nodes.push_back(
      testing::chunk(0x0105, std::string(8, '\0'), std::string((1 << 20) - 1024, '\0')));
  const std::string file = document.build();
  std::vector<std::pair<std::string, std::string>> files{
      {"AndroidManifest.xml", binary(manifest_with(kConfiguration))}, {"resources.arsc", ""}};
  std::vector<std::string> paths;
  std::string types;
  for (std::uint32_t i = 0; i < 60; ++i) {
    paths.push_back("r" + std::to_string(i));
    types += testing::type_chunk(1, {{.index = 0, .data = i}});
    files.emplace_back(paths.back(), file);
  }
  files[1].second = testing::resource_table(paths, types);
  const auto security = read(files);
  ASSERT_FALSE(security);
  EXPECT_EQ(security.error().id(), "budget.bytes");
}

// The same document as an app bundle has it.
TEST(NetworkSecurityOfABundle, IsReadFromProtocolBuffers) {
  using namespace testing;
  const auto child = [](const std::string& node) { return proto_bytes(5, node); };
  const std::string truth = proto_bytes(7, proto_number(8, 1));
  const std::string node = proto_element(
      "network-security-config", "",
      child(proto_element(
          "domain-config",
          proto_bytes(4, proto_attribute("cleartextTrafficPermitted", 0, "true", truth)),
          child(proto_bytes(2, "\n  ")) +
              child(proto_element("domain", "", child(proto_bytes(2, "A.example")))) +
              child(proto_element(
                  "trust-anchors", "",
                  child(proto_element("certificates",
                                      proto_bytes(4, proto_attribute("src", 0, "user")))))))));
  Budget budget(node.size());
  auto xml = bundle::ProtoXml::parse(as_bytes(node), budget);
  ASSERT_TRUE(xml);
  EXPECT_EQ(shown(parse_network_security(*xml, kTarget)),
            "cleartext: for a.example; user: for a.example");

  const std::string table = proto_table(
      proto_entry(0, proto_bytes(5, proto_bytes(1, "res/xml/n.xml") + proto_number(2, 2))) +
      proto_entry(1, proto_reference_item(0x7f010000)) +
      proto_entry(2, proto_reference_item(0x7f010003)) + proto_entry(3, proto_int_item(7)));
  Budget table_budget(table.size());
  const bundle::ProtoTable resources(as_bytes(table), table_budget);
  const auto files = [&](std::uint32_t id) {
    const auto found = resources.every_string(id);
    return found && found->size() == 1 ? *found->begin() : found.error().id();
  };
  EXPECT_EQ(files(0x7f010000), "res/xml/n.xml");
  EXPECT_EQ(files(0x7f010001), "res/xml/n.xml");
  EXPECT_EQ(files(0x7f010002), "7");
  EXPECT_EQ(files(0x7f010009), "bundle.no-such-resource");
}

}  // namespace
}  // namespace touchmark::package::android
