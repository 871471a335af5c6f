#include "package/android/arsc.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "package/testing/resource_builder.h"

namespace touchmark::package::android {
namespace {

using testing::chunk;
using testing::resource_table;
using testing::TableEntry;
using testing::type_chunk;
using testing::TypeLayout;
using testing::u16;
using testing::u32;

constexpr std::uint8_t kString = 0x03;
constexpr std::uint8_t kReference = 0x01;
constexpr std::uint8_t kInt = 0x10;

std::string lookup(const std::string& file, std::uint32_t id) {
  const auto table = ResourceTable::parse(as_bytes(file));
  if (!table) return table.error().id();
  const auto text = table->string(id);
  return text ? *text : text.error().id();
}

std::string parse(const std::string& file) {
  const auto table = ResourceTable::parse(as_bytes(file));
  return table ? "" : table.error().id();
}

TEST(Arsc, FindsStringsInEveryLayout) {
  for (const TypeLayout layout :
       {TypeLayout::kPlain, TypeLayout::kSparse, TypeLayout::kOffset16, TypeLayout::kCompact}) {
    const std::string types =
        type_chunk(1, {{.index = 5, .type = kInt, .data = 9}}, layout) +
        type_chunk(2, {{.index = 1, .data = 0}, {.index = 300, .data = 1}}, layout);
    const std::string file = resource_table({"Converter", "Other"}, types);
    EXPECT_EQ(lookup(file, 0x7f020001), "Converter");
    EXPECT_EQ(lookup(file, 0x7f02012c), "Other");
    EXPECT_EQ(lookup(file, 0x7f020000), "arsc.no-such-resource");
    EXPECT_EQ(lookup(file, 0x7f02ffff), "arsc.no-such-resource");
    EXPECT_EQ(lookup(file, 0x7f030001), "arsc.no-such-resource");
    EXPECT_EQ(lookup(file, 0x01020001), "arsc.no-such-resource");
    EXPECT_EQ(lookup(file, 0x7f010005), "arsc.not-a-string");
    const auto table = ResourceTable::parse(as_bytes(file));
    ASSERT_TRUE(table);
    EXPECT_EQ(table->integer(0x7f010005).value(), 9u);
    EXPECT_TRUE(table->integer(0x7f020001).error().is(ArscError::kNotAnInteger));
  }
}

TEST(Arsc, TakesTheDefaultConfiguration) {
  const std::string types = type_chunk(1, {{.index = 0, .data = 0}}, TypeLayout::kPlain, "de") +
                            type_chunk(1, {{.index = 0, .data = 1}}) +
                            type_chunk(1, {{.index = 1, .data = 0}}, TypeLayout::kPlain, "de");
  const std::string file = resource_table({"deutsch", "default"}, types);
  EXPECT_EQ(lookup(file, 0x7f010000), "default");
  EXPECT_EQ(lookup(file, 0x7f010001), "arsc.no-such-resource");
}

TEST(Arsc, FollowsReferencesUpToALimit) {
  std::vector<TableEntry> chain = {{.index = 0, .type = kString, .data = 0}};
  for (std::uint16_t i = 1; i < 30; ++i) {
    chain.push_back({.index = i, .type = kReference, .data = 0x7f010000u + i - 1});
  }
  const std::string file = resource_table({"end"}, type_chunk(1, chain));
  EXPECT_EQ(lookup(file, 0x7f010014), "end");                   // 20 references
  EXPECT_EQ(lookup(file, 0x7f010015), "arsc.reference-cycle");  // 21

  const std::string loop =
      resource_table({}, type_chunk(1, {{.index = 0, .type = kReference, .data = 0x7f010001},
                                        {.index = 1, .type = kReference, .data = 0x7f010000}}));
  EXPECT_EQ(lookup(loop, 0x7f010000), "arsc.reference-cycle");
  const std::string self =
      resource_table({}, type_chunk(1, {{.index = 0, .type = kReference, .data = 0x7f010000}}));
  EXPECT_EQ(lookup(self, 0x7f010000), "arsc.reference-cycle");
}

TEST(Arsc, RefusesComplexValues) {
  const std::string file =
      resource_table({"x"}, type_chunk(1, {{.index = 0, .data = 0, .complex = true}}));
  EXPECT_EQ(lookup(file, 0x7f010000), "arsc.complex-value");
}

TEST(Arsc, RefusesWhatIsNotOneTable) {
  const std::string good = resource_table({"x"}, type_chunk(1, {{.index = 0}}));
  EXPECT_EQ(parse(good), "");
  EXPECT_EQ(parse(""), "arsc.not-table");
  EXPECT_EQ(parse(good + u32(0)), "arsc.not-table");
  EXPECT_EQ(parse(good.substr(0, good.size() - 4)), "arsc.not-table");
  EXPECT_EQ(parse(testing::xml_document(testing::sample_manifest()).build()), "arsc.not-table");
}

TEST(Arsc, RefusesWrongSizesAndCounts) {
  const std::string type = type_chunk(1, {{.index = 0}});
  const auto with_type = [&](std::size_t at, std::string_view bytes) {
    std::string changed = type;
    testing::patch(changed, at, bytes);
    const std::string file = resource_table({"x"}, changed);
    const std::string refused = parse(file);
    return refused.empty() ? lookup(file, 0x7f010000) : refused;
  };
  EXPECT_EQ(with_type(4, u32(0x10000)), "arsc.chunk-size");
  EXPECT_EQ(with_type(2, u16(8)), "arsc.chunk-size");
  EXPECT_EQ(with_type(20, u32(8)), "arsc.chunk-size");  // configuration
  EXPECT_EQ(with_type(20, u32(0xffffffff)), "arsc.chunk-size");
  EXPECT_EQ(with_type(12, u32(0x40000000)), "arsc.bad-type");  // entries
  EXPECT_EQ(with_type(12, u32(0xffffffff)), "arsc.bad-type");
  EXPECT_EQ(with_type(16, u32(0)), "arsc.bad-type");  // where entries start
  EXPECT_EQ(with_type(16, u32(0xfffffffc)), "arsc.bad-type");
  EXPECT_EQ(with_type(84, u32(0x1000)), "arsc.bad-type");  // offset of entry 0
  EXPECT_EQ(with_type(84, u32(12)), "arsc.bad-type");      // runs over the end
  EXPECT_EQ(with_type(88, u16(0xfff0)), "arsc.bad-type");  // size of entry 0
  EXPECT_EQ(with_type(88, u16(0)), "arsc.bad-type");

  std::string file = resource_table({"x"}, type);
  testing::patch(file, 8, u32(2));
  EXPECT_EQ(parse(file), "arsc.package-count");
  EXPECT_EQ(parse(chunk(0x0002, u32(1), chunk(0x0200, std::string(280, '\0'), ""))),
            "arsc.no-string-pool");
  EXPECT_EQ(parse(chunk(0x0002, u32(1),
                        testing::string_pool({}) + chunk(0x0200, std::string(8, '\0'), ""))),
            "arsc.chunk-size");
}

TEST(Arsc, EveryTruncationOfTheFileIsRefused) {
  const std::string file = resource_table({"x"}, type_chunk(1, {{.index = 0}}));
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(parse(file.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace touchmark::package::android
