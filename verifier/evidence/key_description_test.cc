#include "verifier/evidence/key_description.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "formats/testing/der_writer.h"
#include "verifier/evidence/authorization_tags.h"

namespace touchmark::verifier::evidence {
namespace {

using namespace touchmark::testing;

Bytes describe(const Bytes& software, const Bytes& hardware, std::uint64_t version = 400) {
  return sequence({number(version), number(1, der::kEnumerated), number(version),
                   number(2, der::kEnumerated), octets("challenge"), octets("id"),
                   element(der::kSequence, software), element(der::kSequence, hardware)});
}

Result<Json> decode(const Bytes& hardware) {
  Bytes extension = describe({}, hardware);
  auto description = parse_key_description(extension);
  if (!description) return pass(description);
  return to_json(*description).at("hardwareEnforced");
}
std::string decode_id(const Bytes& hardware) {
  auto json = decode(hardware);
  return json ? "no error" : json.error().id();
}

// A value of each tag's type, as DER and as the JSON that it must become.
struct Sample {
  Bytes der;
  Json json;
};
using List = AuthorizationList;
Sample sample(List::Integer List::*) { return {number(UINT64_MAX), UINT64_MAX}; }
Sample sample(List::IntegerSet List::*) { return {set({number(2), number(300)}), {2, 300}}; }
Sample sample(List::Octets List::*) { return {octets("\x01\x02"), "AQI="}; }
Sample sample(TextField) { return {octets("G\xc3\xa9rard"), "G\xc3\xa9rard"}; }
Sample sample(bool List::*) { return {null(), true}; }
Sample sample(std::optional<KeyOrigin> List::*) { return {number(4), "SECURELY_IMPORTED"}; }
Sample sample(std::optional<PatchLevel> List::*) { return {number(20240229), 20240229}; }
Sample sample(std::optional<RootOfTrust> List::*) {
  return {sequence({octets("k"), boolean(0xff), number(1, der::kEnumerated), octets("h")}),
          {{"verifiedBootKey", "aw=="},
           {"deviceLocked", true},
           {"verifiedBootState", "SELF_SIGNED"},
           {"verifiedBootHash", "aA=="}}};
}
Sample sample(std::optional<AttestationApplicationId> List::*) {
  return {octets(sequence({set({sequence({octets("com.a"), number(7)})}), set({octets("d")})})),
          {{"packageInfos", {{{"packageName", "com.a"}, {"version", 7}}}},
           {"signatureDigests", {"ZA=="}}}};
}

TEST(KeyDescription, ReadsEveryTag) {
  Bytes all;
  Json expected = Json::object();
  for (const AuthorizationTag& tag : authorization_tags()) {
    Sample value = std::visit([](auto field) { return sample(field); }, tag.field);
    append(all, explicit_tag(tag.number, value.der));
    expected[std::string(tag.name)] = value.json;
    // Each alone, too, and not of another type.
    EXPECT_EQ(decode(explicit_tag(tag.number, value.der)).value(),
              (Json{{std::string(tag.name), value.json}}));
    EXPECT_EQ(decode_id(explicit_tag(tag.number, boolean(0xff))), "key-description.malformed-tag")
        << tag.name;
    EXPECT_EQ(decode_id(explicit_tag(tag.number, join({value.der, null()}))),
              "key-description.malformed-tag")
        << tag.name;
    EXPECT_EQ(decode_id(explicit_tag(tag.number, {})), "key-description.malformed-tag") << tag.name;
  }
  EXPECT_EQ(decode(all).value(), expected);
  EXPECT_EQ(authorization_tags().size(), 64U);
}

TEST(KeyDescription, ReadsTheFrame) {
  Bytes extension = describe(explicit_tag(701, number(5)), {});
  auto description = parse_key_description(extension);
  ASSERT_TRUE(description) << description.error().text();
  EXPECT_EQ(description->attestation_version, 400U);
  EXPECT_EQ(description->attestation_security_level, SecurityLevel::kTrustedEnvironment);
  EXPECT_EQ(description->key_mint_security_level, SecurityLevel::kStrongBox);
  EXPECT_EQ(as_text(description->attestation_challenge), "challenge");
  EXPECT_EQ(description->software_enforced.creation_date_time, 5U);
  EXPECT_TRUE(description->warnings.empty());
}

TEST(KeyDescription, EveryTruncationIsMalformed) {
  Bytes extension = describe(explicit_tag(701, number(5)), explicit_tag(702, number(0)));
  for (std::size_t size = 0; size < extension.size(); ++size) {
    auto description = parse_key_description(ByteView(extension).first(size));
    ASSERT_FALSE(description) << size;
    EXPECT_EQ(description.error().id(), "key-description.malformed") << size;
  }
  extension.push_back(std::byte{0});
  EXPECT_FALSE(parse_key_description(extension));
}

TEST(KeyDescription, TagsAreUniqueAndUsuallyInOrder) {
  Bytes key_size = explicit_tag(3, number(256));
  Bytes algorithm = explicit_tag(2, number(3));
  EXPECT_EQ(decode_id(join({key_size, key_size})), "key-description.duplicate-tag");
  Bytes extension = describe({}, join({key_size, algorithm}));
  auto description = parse_key_description(extension);
  ASSERT_TRUE(description);
  EXPECT_FALSE(description->hardware_enforced.tags_ordered);
  EXPECT_TRUE(description->software_enforced.tags_ordered);
  ASSERT_EQ(description->warnings.size(), 1U);
  EXPECT_TRUE(description->warnings[0].starts_with("key-description.tag-order: hardwareEnforced"));
}

TEST(KeyDescription, AListHoldsOnlyAuthorizations) {
  EXPECT_EQ(decode_id(number(5)), "key-description.malformed");
  EXPECT_EQ(decode_id(element(der::context_primitive(3), {})), "key-description.malformed");
  EXPECT_EQ(decode_id(explicit_tag(1000, number(1))), "key-description.unknown-tag");
}

TEST(KeyDescription, PatchLevelsThatAreNoDatesAreLeftOut) {
  for (std::uint64_t level : {0U, 202400U, 202413U, 1234567U, 20000000U, 20240132U}) {
    Bytes extension = describe({}, explicit_tag(719, number(level)));
    auto description = parse_key_description(extension);
    ASSERT_TRUE(description) << level;
    EXPECT_FALSE(description->hardware_enforced.boot_patch_level) << level;
    EXPECT_EQ(description->warnings.size(), 1U) << level;
  }
  EXPECT_EQ(decode(explicit_tag(706, number(202402)))->at("osPatchLevel"), 202402);
  // Some phones count their vendor's level without a day of the month.
  EXPECT_EQ(decode(explicit_tag(718, number(20240200)))->at("vendorPatchLevel"), 20240200);
}

TEST(KeyDescription, IdentifiersThatAreNoTextStayBytes) {
  EXPECT_EQ(decode(explicit_tag(710, octets("\xff")))->at("attestationIdBrand"), "/w==");
}

TEST(KeyDescription, ListsAreBounded) {
  Bytes numbers;
  for (int i = 0; i < 300; ++i) append(numbers, number(1));
  EXPECT_EQ(decode_id(explicit_tag(1, element(der::kSet, numbers))),
            "key-description.malformed-tag");
}

}  // namespace
}  // namespace touchmark::verifier::evidence
