#include "formats/cbor.h"

#include <cbor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "crypto/openssl.h"
#include "tests/support/vectors.h"

namespace touchmark::cbor {
namespace {

using testing::from_hex;

std::string parse_id(std::string_view hex, Limits limits = {}) {
  Bytes data = from_hex(hex);
  auto value = parse(data, limits);
  return value ? "no error" : value.error().id();
}
std::string json_of(std::string_view hex) {
  Bytes data = from_hex(hex);
  auto value = parse(data);
  return value ? dump_json(to_json(*value)) : value.error().text();
}

// RFC 8949 appendix A, those of definite length.
TEST(Cbor, Rfc8949Examples) {
  constexpr std::pair<const char*, const char*> kExamples[] = {
      {"00", "0"},
      {"17", "23"},
      {"1818", "24"},
      {"1903e8", "1000"},
      {"1a000f4240", "1000000"},
      {"1b000000e8d4a51000", "1000000000000"},
      {"1bffffffffffffffff", "18446744073709551615"},
      {"3bffffffffffffffff", "\"-18446744073709551616\""},
      {"20", "-1"},
      {"3863", "-100"},
      {"3903e7", "-1000"},
      {"f90000", "0.0"},
      {"f93c00", "1.0"},
      {"f97bff", "65504.0"},
      {"f9c400", "-4.0"},
      {"f90001", "5.960464477539063e-08"},
      {"fa47c35000", "100000.0"},
      {"fb3ff199999999999a", "1.1"},
      {"f97c00", "null"},  // infinity and NaN have no JSON
      {"f97e00", "null"},
      {"f4", "false"},
      {"f5", "true"},
      {"f6", "null"},
      {"f7", R"({"simple":23})"},
      {"f8ff", R"({"simple":255})"},
      {"c11a514b67b0", R"({"tag":1,"value":1363896240})"},
      {"40", R"({"hex":""})"},
      {"4401020304", R"({"hex":"01020304"})"},
      {"62c3bc", "\"\xc3\xbc\""},
      {"80", "[]"},
      {"8301820203820405", "[1,[2,3],[4,5]]"},
      {"a201020304", R"({"1":2,"3":4})"},
      {"a26161016162820203", R"({"a":1,"b":[2,3]})"},
      {"a12001", R"({"-1":1})"},
  };
  for (auto [hex, json] : kExamples) EXPECT_EQ(json_of(hex), json) << hex;
}

TEST(Cbor, RefusesWhatIsNotDeterministic) {
  EXPECT_EQ(parse_id("1817"), "cbor.non-minimal");
  EXPECT_EQ(parse_id("1900ff"), "cbor.non-minimal");
  EXPECT_EQ(parse_id("1a0000ffff"), "cbor.non-minimal");
  EXPECT_EQ(parse_id("1b00000000ffffffff"), "cbor.non-minimal");
  EXPECT_EQ(parse_id("5800"), "cbor.non-minimal");
  EXPECT_EQ(parse_id("5f4100ff"), "cbor.indefinite");
  EXPECT_EQ(parse_id("9fff"), "cbor.indefinite");
  EXPECT_EQ(parse_id("ff"), "cbor.indefinite");
  EXPECT_EQ(parse_id("1c"), "cbor.reserved");
  EXPECT_EQ(parse_id("f818"), "cbor.reserved");
  EXPECT_EQ(parse_id("a201020103"), "cbor.duplicate-key");
  EXPECT_EQ(parse_id("a2616101616102"), "cbor.duplicate-key");
  EXPECT_EQ(parse_id("61ff"), "cbor.bad-text");
  EXPECT_EQ(parse_id("0000"), "cbor.trailing-data");
}

TEST(Cbor, BoundsWhatADocumentCanCost) {
  EXPECT_EQ(parse_id(""), "cbor.truncated");
  EXPECT_EQ(parse_id("19"), "cbor.truncated");
  EXPECT_EQ(parse_id("4401"), "cbor.truncated");
  // Declared sizes far beyond the data allocate nothing.
  EXPECT_EQ(parse_id("5b7fffffffffffffff"), "cbor.truncated");
  EXPECT_EQ(parse_id("9bffffffffffffffff"), "cbor.truncated");
  EXPECT_EQ(parse_id("bbffffffffffffffff"), "cbor.truncated");
  EXPECT_EQ(parse_id("bb8000000000000000"), "cbor.truncated");
  EXPECT_EQ(parse_id("8181818181818100"), "no error");
  EXPECT_EQ(parse_id("818181818181818100"), "cbor.too-deep");
  EXPECT_EQ(parse_id("c0c0c0c0c0c0c0c000"), "cbor.too-deep");
  EXPECT_EQ(parse_id("820000", {.max_depth = 2, .max_items = 3}), "no error");
  EXPECT_EQ(parse_id("820000", {.max_depth = 2, .max_items = 2}), "cbor.too-many-items");
}

TEST(Cbor, FindsMembers) {
  Bytes data = from_hex(
      "a3"
      "6161"
      "01"
      "05"
      "02"
      "20"
      "4103");
  auto map = parse(data);
  ASSERT_TRUE(map) << map.error().text();
  EXPECT_EQ(map->find("a")->number, 1U);
  EXPECT_EQ(map->find(5)->number, 2U);
  EXPECT_EQ(hex_encode(map->find(-1)->bytes), "03");
  EXPECT_EQ(map->find("b"), nullptr);
  EXPECT_EQ(map->find(0), nullptr);
  EXPECT_EQ(map->find("a")->find("a"), nullptr);
  EXPECT_TRUE(member(*map, "a", Type::kUnsigned));
  EXPECT_EQ(member(*map, "a", Type::kText).error().id(), "cbor.unexpected-type");
  EXPECT_EQ(member(*map, "b", Type::kText).error().id(), "cbor.missing-member");
  EXPECT_EQ(member(*map->find("a"), "b", Type::kText).error().id(), "cbor.unexpected-type");
}

TEST(Cbor, PrefixSaysWhereTheRestBegins) {
  Bytes data = from_hex("820102ff");
  auto value = parse_prefix(data);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->encoded.size(), 3U);
}

Bytes random_document(std::mt19937& random) {
  Bytes data(1 + random() % 24);
  for (std::byte& byte : data) {
    byte =
        static_cast<std::byte>(random() % 2 == 0 ? random() % 4 | (random() % 8) << 5 : random());
  }
  return data;
}

// libcbor knows no simple value but false, true, null and undefined, and not every short tag.
bool beyond_libcbor(const Value& value) {
  bool beyond = value.type == Type::kTag ||
                (value.type == Type::kSimple && (value.number < 20 || value.number > 23));
  return beyond || std::ranges::any_of(value.items, beyond_libcbor);
}

// libcbor takes a superset (non-minimal heads, indefinite lengths, duplicate keys): whatever this
// parser takes, it must take, and see the same extent and type.
TEST(CborOracle, LibcborAgrees) {
  std::mt19937 random(3);
  int taken = 0;
  for (int round = 0; round < 200000; ++round) {
    Bytes data = random_document(random);
    auto value = parse_prefix(data);
    if (!value) continue;
    cbor_load_result result;
    cbor_item_t* item = cbor_load(uchars(ByteView(data)), data.size(), &result);
    if (item == nullptr) {
      ASSERT_TRUE(beyond_libcbor(*value)) << hex_encode(data);
      continue;
    }
    ASSERT_EQ(result.read, value->encoded.size()) << hex_encode(data);
    int major = std::min(static_cast<int>(value->type), 7);
    ASSERT_EQ(static_cast<int>(cbor_typeof(item)), major) << hex_encode(data);
    cbor_decref(&item);
    ++taken;
  }
  EXPECT_GT(taken, 10000);
}

// libcbor encodes each width as it was built; the shortest is the caller's to choose.
cbor_item_t* build_unsigned(std::uint64_t number) {
  if (number <= UINT8_MAX) return cbor_build_uint8(static_cast<std::uint8_t>(number));
  if (number <= UINT16_MAX) return cbor_build_uint16(static_cast<std::uint16_t>(number));
  if (number <= UINT32_MAX) return cbor_build_uint32(static_cast<std::uint32_t>(number));
  return cbor_build_uint64(number);
}

// The other way round: what libcbor builds and encodes is deterministic, so it must be taken.
TEST(CborOracle, TakesWhatLibcborEncodes) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 2000; ++round) {
    cbor_item_t* map = cbor_new_definite_map(3);
    std::uint64_t number = random() >> random() % 64;
    Bytes blob(random() % 300, std::byte{7});
    ASSERT_TRUE(
        cbor_map_add(map, {cbor_move(cbor_build_string("n")), cbor_move(build_unsigned(number))}));
    ASSERT_TRUE(
        cbor_map_add(map, {cbor_move(cbor_build_string("b")),
                           cbor_move(cbor_build_bytestring(uchars(ByteView(blob)), blob.size()))}));
    ASSERT_TRUE(
        cbor_map_add(map, {cbor_move(cbor_build_negint8(3)), cbor_move(cbor_build_bool(true))}));
    unsigned char* encoded = nullptr;
    std::size_t capacity = 0;
    std::size_t length = cbor_serialize_alloc(map, &encoded, &capacity);
    auto value = parse(std::as_bytes(std::span(encoded, length)));
    ASSERT_TRUE(value) << value.error().text();
    EXPECT_EQ(value->find("n")->number, number);
    EXPECT_EQ(to_bytes(value->find("b")->bytes), blob);
    EXPECT_EQ(value->find(-4)->number, 21U);
    free(encoded);
    cbor_decref(&map);
  }
}

}  // namespace
}  // namespace touchmark::cbor
