#include "package/model/measurement.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace touchmark::package {
namespace {

Measurement sample() {
  Measurement m;
  m.package_name = "com.example.currency";
  m.version_name = "1.0";
  m.version_code = 1;
  m.label = "Currency Converter Demo";
  m.min_sdk = 23;
  m.target_sdk = 34;
  m.sdk_version = "0.1.0";
  m.signers = {crypto::sha256(as_bytes("signer"))};
  m.parts = {
      {"AndroidManifest.xml", PartKind::kManifest, 5, crypto::sha256(as_bytes("a"))},
      {"classes.dex", PartKind::kDex, 7, crypto::sha256(as_bytes("b"))},
      {"lib/x86_64/libtouchmark.so", PartKind::kNativeLibrary, 9, crypto::sha256(as_bytes("c"))}};
  return m;
}

TEST(Measurement, KeepsWhatItsNetworkLetsPass) {
  const auto kept = [](const NetworkSecurity& network) {
    Measurement m = sample();
    m.network = network;
    const auto read = from_json(to_json(m));
    return read && *read == m && digest(*read) == digest(sample());
  };
  EXPECT_TRUE(kept({}));
  EXPECT_TRUE(kept({.cleartext = {.everywhere = true}}));
  EXPECT_TRUE(kept({.cleartext = {.domains = {"a.example", "b.example"}},
                    .user_certificates = {.everywhere = true},
                    .configured = true}));
  EXPECT_TRUE(kept({.user_certificates = {.domains = {"c.example"}},
                    .configured = true,
                    .unreadable = "axml.not-xml: not a binary XML chunk"}));
  // As the versions before wrote it.
  Json old = to_json(sample());
  old.erase("network_security");
  old.erase("user_certificates");
  old["cleartext"] = true;
  const auto read = from_json(old);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_TRUE(read->network.cleartext.everywhere);
  EXPECT_FALSE(read->network.user_certificates.any());
  old["network_security"] = {{"cleartext_domains", Json::array({1})}};
  EXPECT_FALSE(from_json(old));
  old["network_security"] = {{"cleartext_domains", std::vector<std::string>(33, "a")}};
  EXPECT_FALSE(from_json(old));
}

// The canonical form, written out by hand: other implementations must arrive at the same bytes.
TEST(Measurement, DigestIsOverTheCanonicalForm) {
  const auto hex = [](std::string_view text) { return hex_encode(crypto::sha256(as_bytes(text))); };
  const std::string canonical =
      R"({"app":["Android","com.example.currency","1.0",1],"parts":[["AndroidManifest.xml",5,")" +
      hex("a") + R"("],["classes.dex",7,")" + hex("b") + R"("],["lib/x86_64/libtouchmark.so",9,")" +
      hex("c") + R"("]],"signers":[")" + hex("signer") + R"("]})";
  EXPECT_EQ(hex_encode(digest(sample())), hex(canonical));
}

TEST(Measurement, DigestCoversWhatIdentifiesAReleaseAndNothingElse) {
  const Sha256Digest original = digest(sample());
  const auto after = [](auto change) {
    Measurement m = sample();
    change(m);
    return digest(m);
  };
  EXPECT_NE(after([](auto& m) { m.package_name += "x"; }), original);
  EXPECT_NE(after([](auto& m) { m.version_name += "x"; }), original);
  EXPECT_NE(after([](auto& m) { m.version_code += 1; }), original);
  EXPECT_NE(after([](auto& m) { m.platform = "iOS"; }), original);
  EXPECT_NE(after([](auto& m) { m.signers.clear(); }), original);
  EXPECT_NE(after([](auto& m) { m.parts.pop_back(); }), original);
  EXPECT_NE(after([](auto& m) { m.parts[1].name = "classes2.dex"; }), original);
  EXPECT_NE(after([](auto& m) { m.parts[1].size += 1; }), original);
  EXPECT_NE(after([](auto& m) { m.parts[1].sha256[31] ^= std::byte{1}; }), original);
  EXPECT_EQ(after([](auto& m) { m.label = "Another"; }), original);
  EXPECT_EQ(after([](auto& m) { m.sdk_version = "9"; }), original);
}

TEST(Measurement, LineHasTheArticlesForm) {
  const std::string line = one_line(sample());
  EXPECT_EQ(line,
            base64_encode(digest(sample())) + "com.example.currency-1.0[1]-3 SDK:Android(0.1.0)");
  EXPECT_EQ(line[43], '=');
  EXPECT_EQ(line.substr(44, 4), "com.");
}

TEST(Measurement, LineIsOneLineWhateverThePackageSays) {
  Measurement m = sample();
  m.version_name = "1\nregistration successful\x1b[2J\x7f";
  EXPECT_EQ(one_line(m).substr(44),
            "com.example.currency-1?registration successful?[2J?[1]-3 SDK:Android(0.1.0)");
  m = sample();
  m.sdk_version.clear();
  EXPECT_EQ(one_line(m).substr(44), "com.example.currency-1.0[1]-3");
}

TEST(Measurement, SurvivesJson) {
  Measurement m = sample();
  m.version_code = (std::uint64_t{0x7fffffff} << 32) | 0xfffffff0;
  const auto text = dump_json(to_json(m));
  const auto json = parse_json(text);
  ASSERT_TRUE(json) << json.error().text();
  const auto back = from_json(*json);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, m);
}

TEST(Measurement, RefusesMalformedJson) {
  const auto refused = [](auto change) {
    Json json = to_json(sample());
    change(json);
    return !from_json(json).has_value();
  };
  EXPECT_FALSE(refused([](Json&) {}));
  EXPECT_TRUE(refused([](Json& j) { j = Json::array(); }));
  for (const char* member : {"platform", "package", "version_name", "version_code", "label",
                             "min_sdk", "target_sdk", "sdk_version", "signers", "parts"}) {
    EXPECT_TRUE(refused([&](Json& j) { j.erase(member); })) << member;
    EXPECT_TRUE(refused([&](Json& j) { j[member] = Json::object(); })) << member;
  }
  EXPECT_TRUE(refused([](Json& j) { j["version_code"] = -1; }));
  EXPECT_TRUE(refused([](Json& j) { j["version_code"] = 1.5; }));
  EXPECT_TRUE(refused([](Json& j) { j["signers"][0] = "00"; }));
  EXPECT_TRUE(refused([](Json& j) { j["parts"][0]["kind"] = "code"; }));
  EXPECT_TRUE(refused([](Json& j) { j["parts"][0]["sha256"] = 7; }));
  EXPECT_TRUE(refused([](Json& j) { j["parts"][0]["size"] = -1; }));
  EXPECT_TRUE(refused([](Json& j) { j["parts"][0] = "classes.dex"; }));
  EXPECT_TRUE(refused([](Json& j) { std::swap(j["parts"][0], j["parts"][1]); }));
  EXPECT_TRUE(refused([](Json& j) { j["parts"][1] = j["parts"][0]; }));
}

}  // namespace
}  // namespace touchmark::package
