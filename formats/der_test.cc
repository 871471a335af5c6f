#include "formats/der.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#include <random>

#include "base/encoding.h"
#include "base/utf.h"
#include "crypto/openssl.h"
#include "formats/der_fields.h"
#include "tests/support/vectors.h"

namespace touchmark::der {
namespace {

using testing::from_hex;

template <class T>
std::string id_of(const Result<T>& result) {
  return result ? "no error" : result.error().id();
}

std::string read_id(std::string_view hex, Options options = {}) {
  Bytes data = from_hex(hex);
  return id_of(Reader(data, options).read());
}

TEST(DerReader, ReadsTagsLengthsAndContent) {
  Bytes data = from_hex(
      "3003020105"
      "bf85400403020100");
  Reader reader(data);
  auto inner = reader.enter(kSequence);
  ASSERT_TRUE(inner);
  EXPECT_EQ(decode_uint64(inner->read(kInteger)->content).value(), 5U);
  EXPECT_TRUE(inner->finish());
  EXPECT_TRUE(reader.next_is(context(704)));
  auto tagged = reader.read(context(704));
  ASSERT_TRUE(tagged) << tagged.error().text();
  EXPECT_EQ(hex_encode(tagged->content), "03020100");
  EXPECT_EQ(tagged->full.size(), 8U);
  EXPECT_TRUE(reader.at_end());
}

TEST(DerReader, RefusesWhatIsNotDer) {
  EXPECT_EQ(read_id(""), "der.truncated");
  EXPECT_EQ(read_id("30"), "der.truncated");
  EXPECT_EQ(read_id("0402ff"), "der.truncated");
  EXPECT_EQ(read_id("0481"), "der.truncated");
  EXPECT_EQ(read_id("04847fffffff"), "der.truncated");
  EXPECT_EQ(read_id("04817f"), "der.bad-length");
  EXPECT_EQ(read_id("04820080"), "der.bad-length");
  EXPECT_EQ(read_id("0484ffffffff"), "der.bad-length");
  EXPECT_EQ(read_id("04850000000001"), "der.bad-length");
  EXPECT_EQ(read_id("04ff"), "der.bad-length");
  EXPECT_EQ(read_id("3080020105"
                    "0000"),
            "der.indefinite-length");
  EXPECT_EQ(read_id("1f1e00"), "der.bad-tag");          // 30 in the long form
  EXPECT_EQ(read_id("1f8001"), "der.bad-tag");          // leading zero group
  EXPECT_EQ(read_id("1f888080800000"), "der.bad-tag");  // 2^31
  EXPECT_EQ(read_id("1f87ffffff7f00"), "no error");     // 2^31 - 1
  EXPECT_EQ(read_id("1f1f00"), "no error");
  EXPECT_EQ(read_id("1fff"), "der.truncated");
}

TEST(DerReader, AFailedReadDoesNotMove) {
  Bytes data = from_hex("0201050101ff");
  Reader reader(data);
  EXPECT_EQ(id_of(reader.read(kBoolean)), "der.unexpected-tag");
  EXPECT_EQ(id_of(reader.enter(kSequence)), "der.unexpected-tag");
  EXPECT_FALSE(reader.read_optional(kBoolean)->has_value());
  EXPECT_TRUE(reader.read_optional(kInteger)->has_value());
  EXPECT_EQ(id_of(reader.finish()), "der.trailing-data");
  EXPECT_TRUE(reader.read(kBoolean));
  EXPECT_FALSE(reader.read_optional(kBoolean)->has_value());
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(id_of(parse(data, kInteger)), "der.trailing-data");
}

TEST(DerReader, BerIsAnOption) {
  Options ber{.indefinite_length = true};
  Bytes data = from_hex(
      "3080"
      "2480"
      "0401aa"
      "0402bbcc"
      "0000"
      "0000");
  auto outer = parse(data, kSequence, ber);
  ASSERT_TRUE(outer) << outer.error().text();
  EXPECT_EQ(outer->full.size(), data.size());
  Reader inside(outer->content, ber);
  auto octets = inside.read();
  ASSERT_TRUE(octets);
  EXPECT_EQ(hex_encode(*decode_octets(*octets, ber)), "aabbcc");
  EXPECT_EQ(id_of(decode_octets(*octets)), "der.unexpected-tag");
  EXPECT_TRUE(inside.finish());

  EXPECT_EQ(read_id("30800401", ber), "der.truncated");
  EXPECT_EQ(read_id("3080", ber), "der.truncated");
  EXPECT_EQ(read_id("0480"
                    "0000",
                    ber),
            "der.indefinite-length");  // primitive
  std::string deep;
  for (std::size_t i = 0; i < kMaxBerDepth; ++i) deep = "3080" + deep + "0000";
  EXPECT_EQ(read_id(deep, ber), "no error");
  EXPECT_EQ(read_id("3080" + deep + "0000", ber), "der.too-deep");
}

TEST(DerValues, Booleans) {
  EXPECT_EQ(decode_boolean(from_hex("ff")), true);
  EXPECT_EQ(decode_boolean(from_hex("00")), false);
  EXPECT_EQ(id_of(decode_boolean(from_hex("01"))), "der.bad-boolean");
  EXPECT_EQ(decode_boolean(from_hex("01"), true), true);
  EXPECT_EQ(decode_boolean(from_hex("00"), true), false);
  EXPECT_EQ(id_of(decode_boolean(from_hex(""), true)), "der.bad-boolean");
  EXPECT_EQ(id_of(decode_boolean(from_hex("ffff"), true)), "der.bad-boolean");
}

TEST(DerValues, Integers) {
  EXPECT_EQ(decode_uint64(from_hex("00")).value(), 0U);
  EXPECT_EQ(decode_uint64(from_hex("7f")).value(), 127U);
  EXPECT_EQ(decode_uint64(from_hex("0080")).value(), 128U);
  EXPECT_EQ(decode_uint64(from_hex("00ffffffffffffffff")).value(), UINT64_MAX);
  EXPECT_EQ(id_of(decode_uint64(from_hex("010000000000000000"))), "der.bad-integer");
  EXPECT_EQ(id_of(decode_uint64(from_hex("80"))), "der.bad-integer");
  for (const char* bad : {"", "0000", "007f", "ffff", "ff80"}) {
    EXPECT_EQ(id_of(decode_integer(from_hex(bad))), "der.bad-integer") << bad;
  }
  EXPECT_TRUE(decode_integer(from_hex("ff7f")));
}

TEST(DerValues, BitStringsAndNull) {
  EXPECT_EQ(hex_encode(*decode_octet_aligned_bits(from_hex("00abcd"))), "abcd");
  EXPECT_EQ(id_of(decode_octet_aligned_bits(from_hex("04f0"))), "der.bad-bit-string");
  EXPECT_EQ(id_of(decode_octet_aligned_bits(from_hex(""))), "der.bad-bit-string");
  EXPECT_EQ(id_of(decode_null({})), "no error");
  EXPECT_EQ(id_of(decode_null(from_hex("00"))), "der.bad-null");
}

TEST(DerValues, ObjectIdentifiers) {
  constexpr Oid kKeyDescription("1.3.6.1.4.1.11129.2.1.17");
  EXPECT_EQ(hex_encode(kKeyDescription.content()), "2b06010401d679020111");
  EXPECT_EQ(hex_encode(Oid("2.999.4294967295").content()), "88378fffffff7f");
  EXPECT_TRUE(ByteView(from_hex("2b06010401d679020111")) == kKeyDescription);
  EXPECT_FALSE(ByteView(from_hex("2b06010401d6790201")) == kKeyDescription);
  EXPECT_EQ(decode_oid(kKeyDescription.content()).value(), "1.3.6.1.4.1.11129.2.1.17");
  EXPECT_EQ(decode_oid(from_hex("883703")).value(), "2.999.3");
  for (const char* bad : {"", "2b80", "2b8001", "80", "2bffffffffffffffffffff7f"}) {
    EXPECT_EQ(id_of(decode_oid(from_hex(bad))), "der.bad-oid") << bad;
  }
}

Element time_element(Tag tag, std::string_view text) {
  return {tag, as_bytes(text), as_bytes(text)};
}

TEST(DerValues, Times) {
  EXPECT_EQ(format_time(*decode_time(time_element(kUtcTime, "491231235959Z"))),
            "2049-12-31 23:59:59");
  EXPECT_EQ(format_time(*decode_time(time_element(kUtcTime, "500101000000Z"))),
            "1950-01-01 00:00:00");
  EXPECT_EQ(format_time(*decode_time(time_element(kGeneralizedTime, "99991231235959Z"))),
            "9999-12-31 23:59:59");
  for (const char* bad : {"", "4912312359Z", "491231235959", "491331235959Z", "490229000000Z",
                          "491231245959Z", "491231235960Z", "4912312359 9Z", "491231235959+0000"}) {
    EXPECT_EQ(id_of(decode_time(time_element(kUtcTime, bad))), "der.bad-time") << bad;
  }
  EXPECT_EQ(id_of(decode_time(time_element(kGeneralizedTime, "20200101000000.5Z"))),
            "der.bad-time");
  EXPECT_EQ(id_of(decode_time(time_element(kInteger, "491231235959Z"))), "der.unexpected-tag");
}

TEST(DerValues, Strings) {
  EXPECT_EQ(decode_string(time_element(kUtf8String, "h\xc3\xa9")).value(), "h\xc3\xa9");
  EXPECT_EQ(id_of(decode_string(time_element(kUtf8String, "h\xc3"))), "der.bad-string");
  EXPECT_EQ(decode_string(time_element(kPrintableString, "Droid CA2")).value(), "Droid CA2");
  EXPECT_EQ(id_of(decode_string(time_element(kPrintableString, "a;b"))), "der.bad-string");
  EXPECT_EQ(id_of(decode_string(time_element(kIa5String, "\x80"))), "der.bad-string");
  EXPECT_EQ(id_of(decode_string(time_element(kInteger, "a"))), "der.unexpected-tag");
}

TEST(Utf8, TakesExactlyRfc3629) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "a\xe2"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

// The content of the first element in hex, read as leniently as JAR signatures are.
std::string first_value(std::string_view text) {
  const Bytes bytes = from_hex(text);
  const auto value = Reader(bytes, kAnyBer).read();
  return value ? hex_encode(value->content) : "malformed";
}

TEST(AnyBer, ReadsAllFormsOfLength) {
  EXPECT_EQ(first_value("0403010203"), "010203");
  EXPECT_EQ(first_value("04810101"), "01");
  EXPECT_EQ(first_value("0484000000010199"), "01");  // longer than needed
  EXPECT_EQ(first_value("040101ffff"), "01");        // more values follow
  EXPECT_EQ(first_value("24800401010401020000"), "040101040102");
  EXPECT_EQ(first_value("0480aabb0000"), "aabb");
  EXPECT_EQ(first_value("308030800000040000000000"), "308000000400");
  EXPECT_EQ(first_value("30800480aabb00000000"), "0480aabb0000");
}

TEST(AnyBer, RefusesWhatDoesNotFit) {
  EXPECT_EQ(first_value("04"), "malformed");
  EXPECT_EQ(first_value("0402aa"), "malformed");
  EXPECT_EQ(first_value("0485000000000100"), "malformed");
  EXPECT_EQ(first_value("04840000"), "malformed");
  EXPECT_EQ(first_value("0484ffffffff"), "malformed");
  EXPECT_EQ(first_value("30800401"), "malformed");
  EXPECT_EQ(first_value("0480aabb00"), "malformed");
  EXPECT_EQ(first_value("1fffffffffff0100"), "malformed");  // a tag number over 2^31
  std::string deep;
  for (unsigned i = 0; i < kMaxBerDepth + 2; ++i) deep = "3080" + deep + "0000";
  EXPECT_EQ(first_value(deep), "malformed");
}

TEST(AnyBer, ReadsTagsOfAnyForm) {
  const Bytes bytes = from_hex("bf818a010100a00100");
  Reader reader(bytes, kAnyBer);
  EXPECT_TRUE(reader.read(context_primitive(1 << 14 | 10 << 7 | 1)));
  const auto low = reader.read(context_primitive(0));
  ASSERT_TRUE(low);
  EXPECT_EQ(low->full.size(), 3u);
  EXPECT_FALSE(reader.read());
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(Reader(bytes).read(context_primitive(1 << 14 | 10 << 7 | 1)));
}

TEST(AnyBer, WritesObjectIdentifiers) {
  const auto text = [](std::string_view digits, Options options = kAnyBer) {
    return decode_oid(from_hex(digits), options).value_or("none");
  };
  EXPECT_EQ(text("2a864886f70d010702"), "1.2.840.113549.1.7.2");
  EXPECT_EQ(text("608648016503040201"), "2.16.840.1.101.3.4.2.1");
  EXPECT_EQ(text("00"), "0.0");
  EXPECT_EQ(text("883703"), "2.999.3");
  EXPECT_EQ(text("2a80864886f70d010702"), "1.2.840.113549.1.7.2");
  EXPECT_EQ(text("2a80864886f70d010702", {}), "none");
  EXPECT_EQ(text(""), "none");
  EXPECT_EQ(text("2a86"), "none");
  EXPECT_EQ(text("2affffffffffffffffffff7f"), "none");
}

TEST(Fields, KeepTheFirstFailure) {
  const Bytes bytes = from_hex("30080201010101ff0400");
  Failure failure;
  Fields fields = Fields::of(bytes, kSequence, failure);
  EXPECT_EQ(fields.number(), 1u);
  EXPECT_TRUE(fields.boolean());
  EXPECT_TRUE(fields.octets().empty());
  fields.finish();
  EXPECT_FALSE(failure);
  EXPECT_EQ(fields.octets().size(), 0u);
  EXPECT_TRUE(fields.at_end());
  fields.null();
  EXPECT_EQ(id_of(failure.or_else(0)), "der.truncated");
}

// OpenSSL reads BER, so it must read whatever this reader takes, and see the same element.
TEST(DerOracle, OpenSslAgreesOnRandomElements) {
  std::mt19937 random(1);
  int taken = 0;
  for (int round = 0; round < 200000; ++round) {
    Bytes data(2 + random() % 12);
    for (std::byte& byte : data) {
      // Small values make valid lengths and the high tag form likely.
      byte = static_cast<std::byte>(random() % 3 == 0 ? random() % 16 : random());
    }
    auto element = Reader(data).read();
    if (!element || element->tag.number == 0) continue;
    const unsigned char* cursor = uchars(ByteView(data));
    long length = 0;
    int tag = 0;
    int tag_class = 0;
    int flags = ASN1_get_object(&cursor, &length, &tag, &tag_class, static_cast<long>(data.size()));
    ASSERT_EQ(flags & 0x80, 0) << hex_encode(data);
    ASSERT_EQ(static_cast<std::uint32_t>(tag), element->tag.number) << hex_encode(data);
    ASSERT_EQ(tag_class >> 6, static_cast<int>(element->tag.tag_class)) << hex_encode(data);
    ASSERT_EQ((flags & V_ASN1_CONSTRUCTED) != 0, element->tag.constructed) << hex_encode(data);
    ASSERT_EQ(cursor, uchars(element->content)) << hex_encode(data);
    ASSERT_EQ(length, static_cast<long>(element->content.size())) << hex_encode(data);
    ++taken;
  }
  ERR_clear_error();
  EXPECT_GT(taken, 1000);
}

TEST(DerOracle, OpenSslAgreesOnIntegersAndIdentifiers) {
  std::mt19937 random(2);
  int taken = 0;
  for (int round = 0; round < 50000; ++round) {
    Bytes content(1 + random() % 9);
    for (std::byte& byte : content) byte = static_cast<std::byte>(random());
    Bytes data = {std::byte{2}, static_cast<std::byte>(content.size())};
    append(data, content);
    const unsigned char* cursor = uchars(ByteView(data));
    openssl::Owned<ASN1_INTEGER, ASN1_INTEGER_free> integer(
        d2i_ASN1_INTEGER(nullptr, &cursor, static_cast<long>(data.size())));
    // OpenSSL refuses INTEGERs that are not minimal, too.
    ASSERT_EQ(integer != nullptr, decode_integer(content).has_value()) << hex_encode(data);
    std::uint64_t expected = 0;
    if (integer && ASN1_INTEGER_get_uint64(&expected, integer.get()) == 1) {
      ASSERT_EQ(decode_uint64(content).value(), expected) << hex_encode(data);
      ++taken;
    } else {
      ASSERT_FALSE(decode_uint64(content)) << hex_encode(data);
    }

    data[0] = std::byte{6};
    cursor = uchars(ByteView(data));
    openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(
        d2i_ASN1_OBJECT(nullptr, &cursor, static_cast<long>(data.size())));
    auto oid = decode_oid(content);
    ASSERT_EQ(object != nullptr, oid.has_value()) << hex_encode(data);
    if (object) {
      char text[256];
      OBJ_obj2txt(text, sizeof text, object.get(), 1);
      ASSERT_EQ(*oid, text) << hex_encode(data);
    }
  }
  ERR_clear_error();
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace touchmark::der
