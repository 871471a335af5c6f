#include "package/android/string_pool.h"

#include <gtest/gtest.h>

#include "base/utf.h"
#include "formats/testing/bytes_writer.h"
#include "package/testing/resource_builder.h"

namespace touchmark::package::android {
namespace {

using testing::PoolEncoding;
using testing::u16;
using testing::u32;

// A pool of one string whose bytes, length included, are given as they are.
std::string raw_pool(std::string_view string, std::uint32_t flags) {
  const std::string header = u32(1) + u32(0) + u32(flags) + u32(32) + u32(0);
  return testing::chunk(0x0001, header, u32(0) + std::string(string));
}

// The id of the refusal of the pool or of its first string.
std::string refusal(const std::string& bytes) {
  ByteView rest = as_bytes(bytes);
  const auto chunk = take_chunk(rest);
  if (!chunk) return "no chunk";
  Budget budget(bytes.size());
  const auto pool = StringPool::parse(*chunk, budget);
  if (!pool) return pool.error().id();
  const auto first = pool->get(0);
  return first ? "" : first.error().id();
}

std::string first_string(const std::string& bytes) {
  ByteView rest = as_bytes(bytes);
  Budget budget(bytes.size());
  const auto pool = StringPool::parse(*take_chunk(rest), budget);
  return pool ? pool->get(0).value_or("?") : "?";
}

constexpr std::uint32_t kUtf8 = 0x100;

TEST(StringPool, ReadsBothEncodings) {
  for (const PoolEncoding encoding : {PoolEncoding::kUtf8, PoolEncoding::kUtf16}) {
    const std::string bytes = testing::string_pool({"one", "", "three"}, encoding);
    ByteView rest = as_bytes(bytes);
    Budget budget(bytes.size());
    const auto pool = StringPool::parse(*take_chunk(rest), budget);
    ASSERT_TRUE(pool) << pool.error().text();
    EXPECT_EQ(pool->size(), 3u);
    EXPECT_EQ(pool->get(0).value(), "one");
    EXPECT_EQ(pool->get(1).value(), "");
    EXPECT_EQ(pool->get(2).value(), "three");
    EXPECT_TRUE(pool->get(3).error().is(StringPoolError::kNoSuchString));
    EXPECT_TRUE(pool->get(0xffffffff).error().is(StringPoolError::kNoSuchString));
  }
}

TEST(StringPool, ReadsLongLengthsAndAllOfUnicode) {
  const std::string long_text(300, 'x');
  EXPECT_EQ(first_string(raw_pool("\x81\x2c\x81\x2c" + long_text + '\0', kUtf8)), long_text);
  // U+1F600 in UTF-8, as two surrogates in Java's UTF-8, and in UTF-16.
  const std::string smile = "\xf0\x9f\x98\x80";
  EXPECT_EQ(first_string(raw_pool("\2\4" + smile + '\0', kUtf8)), smile);
  EXPECT_EQ(first_string(raw_pool(std::string("\2\6\xed\xa0\xbd\xed\xb8\x80\0", 9), kUtf8)), smile);
  EXPECT_EQ(first_string(raw_pool(u16(2) + u16(0xd83d) + u16(0xde00) + u16(0), 0)), smile);
}

TEST(StringPool, GoesByTheSizesOfItsHeader) {
  const std::string good = testing::string_pool({"one", "two"});
  std::string longer = good;
  longer.insert(28, u32(7));
  testing::patch(longer, 2, u16(32));
  testing::patch(longer, 4, u32(longer.size()));
  testing::patch(longer, 20, u32(le32(as_bytes(good), 20) + 4));
  EXPECT_EQ(first_string(longer), "one");
  // Styles, which stand behind the strings, and unused bytes between offsets and strings.
  const std::string styled = u32(1) + u32(1) + u32(kUtf8) + u32(40) + u32(44);
  EXPECT_EQ(first_string(testing::chunk(
                0x0001, styled,
                u32(0) + u32(0) + u32(9) + "\1\1x" + u32(0).substr(0, 1) + u32(0xffffffff))),
            "x");
}

// A length of UTF-8 has 15 bits; the platform looks for the zero every 32,768 bytes from there.
TEST(StringPool, ReadsTextsThatAreLongerThanTheirLength) {
  for (const std::size_t size : {32767U, 32768U, 40000U, 100000U}) {
    const std::string text(size, 'x');
    const std::size_t low = size & 0x7fff;
    const std::string length = testing::u8(0x80 | low >> 8) + testing::u8(low);
    EXPECT_EQ(first_string(raw_pool(length + length + text + '\0', kUtf8)), text) << size;
  }
}

TEST(StringPool, RefusesCountsAndOffsetsThatDoNotFit) {
  const std::string good = testing::string_pool({"one", "two"});
  const auto patched = [&](std::size_t at, std::string_view bytes) {
    std::string file = good;
    testing::patch(file, at, bytes);
    return refusal(file);
  };
  EXPECT_EQ(patched(8, u32(0x40000000)), "string-pool.bad-header");  // strings
  EXPECT_EQ(patched(8, u32(0xffffffff)), "string-pool.bad-header");
  EXPECT_EQ(patched(12, u32(0x40000000)), "string-pool.bad-header");  // styles
  EXPECT_EQ(patched(20, u32(28)), "string-pool.bad-header");          // strings over offsets
  EXPECT_EQ(patched(20, u32(0x1000)), "string-pool.bad-header");
  EXPECT_EQ(patched(28, u32(0x1000)), "string-pool.bad-offset");
  EXPECT_EQ(refusal(testing::chunk(0x0001, u32(0), "")), "string-pool.bad-header");
  EXPECT_EQ(refusal(testing::chunk(0x0002, std::string(20, '\0'), "")), "string-pool.bad-header");
}

TEST(StringPool, RefusesBadStrings) {
  EXPECT_EQ(refusal(raw_pool("\3\3abcd", kUtf8)), "string-pool.unterminated");
  EXPECT_EQ(refusal(raw_pool(u16(1) + "ab" + "cd", 0)), "string-pool.unterminated");
  EXPECT_EQ(refusal(raw_pool("\3\x70"
                             "abc",
                             kUtf8)),
            "string-pool.bad-offset");
  EXPECT_EQ(refusal(raw_pool(u16(0x7fff) + u16(0), 0)), "string-pool.bad-offset");
  EXPECT_EQ(refusal(raw_pool(u16(0xffff) + u16(0xffff), 0)), "string-pool.bad-offset");
  EXPECT_EQ(refusal(raw_pool(std::string("\1\1\xff\0", 4), kUtf8)), "string-pool.bad-encoding");
  EXPECT_EQ(refusal(raw_pool(std::string("\3\3a\0b\0", 6), kUtf8)), "string-pool.bad-encoding");
  EXPECT_EQ(refusal(raw_pool(u16(1) + u16(0xd83d) + u16(0), 0)), "string-pool.bad-encoding");
}

TEST(Utf, KnowsStrictUtf8) {
  EXPECT_TRUE(is_utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80, \xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << ::testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace touchmark::package::android
