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
  Budget budget(file.size());
  const auto table = ResourceTable::parse(as_bytes(file), budget);
  if (!table) return table.error().id();
  const auto text = table->string(id);
  return text ? *text : text.error().id();
}

std::string parse(const std::string& file) {
  Budget budget(file.size());
  const auto table = ResourceTable::parse(as_bytes(file), budget);
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
    EXPECT_EQ(lookup(file, 0x7f010005), "9");
    Budget budget(file.size());
    const auto table = ResourceTable::parse(as_bytes(file), budget);
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
  EXPECT_EQ(lookup(file, 0x7f010001), "deutsch");  // on some devices
}

std::string installer_lookup(const std::string& file, std::uint32_t id) {
  Budget budget(file.size());
  const auto table = ResourceTable::parse(as_bytes(file), budget);
  if (!table) return table.error().id();
  const auto text = table->installer_string(id);
  return text ? *text : text.error().id();
}

// A configuration of 64 bytes with these at `at`.
std::string configuration(std::size_t at, std::string_view bytes) {
  std::string out(60, '\0');
  return out.replace(at - 4, bytes.size(), bytes);
}
// The type's only entry is string `index`, in that configuration.
std::string configured(std::uint32_t index, const std::string& config) {
  std::string type = type_chunk(1, {{.index = 0, .data = index}});
  testing::patch(type, 24, config);
  return type;
}

TEST(Arsc, TakesWhatADeviceWouldWhereThereIsNoDefault) {
  const auto density = [](std::uint16_t dpi) { return configuration(14, u16(dpi)); };
  const auto language = [](std::string_view name) { return configuration(8, name); };
  const auto sdk = [](std::uint16_t level) { return configuration(24, u16(level)); };
  const std::vector<std::string> strings = {"zero", "one", "two"};
  const auto both = [&](const std::string& types) {
    const std::string file = resource_table(strings, types);
    return lookup(file, 0x7f010000) + "/" + installer_lookup(file, 0x7f010000);
  };
  EXPECT_EQ(both(configured(1, density(160))), "one/one");
  EXPECT_EQ(both(configured(1, density(640))), "one/one");
  // A phone scales down from the next larger, the installer takes the medium one.
  EXPECT_EQ(
      both(configured(0, density(160)) + configured(1, density(480)) + configured(2, density(640))),
      "one/zero");
  EXPECT_EQ(both(configured(0, density(640)) + configured(2, density(120))), "zero/two");
  // English rather than German; the installer knows no language.
  EXPECT_EQ(both(configured(0, language("de")) + configured(1, language("en"))),
            "one/arsc.no-such-resource");
  EXPECT_EQ(both(configured(0, language("de"))), "zero/arsc.no-such-resource");
  // The newest version of the platform.
  EXPECT_EQ(both(configured(0, sdk(21)) + configured(1, sdk(33)) + configured(2, sdk(26))),
            "one/one");
  // A person sees the default; the installer is on a version that has another value.
  EXPECT_EQ(both(configured(0, std::string(60, '\0')) + configured(1, sdk(33))), "zero/one");
  // A tablet's value does not suit a phone, and is still better than nothing.
  EXPECT_EQ(both(configured(0, configuration(30, u16(600))) + configured(1, density(160))),
            "one/one");
  EXPECT_EQ(both(configured(0, configuration(30, u16(600)))), "zero/arsc.no-such-resource");
}

// A type's flags say which of its values differ between configurations.
TEST(Arsc, TheInstallerReadsNothingThatVaries) {
  const auto spec = [](std::uint32_t flags) {
    return chunk(0x0202, testing::u8(1) + testing::u8(0) + u16(0) + u32(1), u32(flags));
  };
  const auto with = [&](std::uint32_t flags) {
    return installer_lookup(resource_table({"x"}, spec(flags) + type_chunk(1, {{.index = 0}})),
                            0x7f010000);
  };
  EXPECT_EQ(with(0), "x");
  EXPECT_EQ(with(0x40000000), "x");  // public
  EXPECT_EQ(with(0x0400), "x");      // between versions of the platform
  EXPECT_EQ(with(0x0100), "");       // between densities
  EXPECT_EQ(with(0x0004), "");       // between languages
}

TEST(Arsc, CoercesWhatIsNoString) {
  const auto text = [](std::uint8_t type, std::uint32_t data) {
    const std::string file =
        resource_table({}, type_chunk(1, {{.index = 0, .type = type, .data = data}}));
    EXPECT_EQ(lookup(file, 0x7f010000), installer_lookup(file, 0x7f010000));
    return lookup(file, 0x7f010000);
  };
  EXPECT_EQ(text(0x10, 42), "42");
  EXPECT_EQ(text(0x10, 0xffffffff), "-1");
  EXPECT_EQ(text(0x11, 0xff), "0xff");
  EXPECT_EQ(text(0x12, 0xffffffff), "true");
  EXPECT_EQ(text(0x12, 0), "false");
  EXPECT_EQ(text(0x1c, 0xff00ff00), "#ff00ff00");
  EXPECT_EQ(text(0x04, 0x3f800000), "1.0");
  EXPECT_EQ(text(0x04, 0x3fc00000), "1.5");
  EXPECT_EQ(text(0x04, 0x3dcccccd), "0.1");
  EXPECT_EQ(text(0x04, 0x3a83126f), "0.001");
  EXPECT_EQ(text(0x04, 0x38d1b717), "1.0E-4");
  EXPECT_EQ(text(0x04, 0x4b189680), "1.0E7");
  EXPECT_EQ(text(0x04, 0x4b18967f), "9999999.0");
  EXPECT_EQ(text(0x04, 0xc1200000), "-10.0");
  EXPECT_EQ(text(0x04, 0x7f800000), "Infinity");
  EXPECT_EQ(text(0x05, 12U << 8 | 1), "12.0dip");
  EXPECT_EQ(text(0x02, 5), "?5");
  EXPECT_EQ(text(0x00, 0), "arsc.not-a-string");
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
  EXPECT_EQ(parse(good + u32(0)), "");  // what follows is passed over
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
  EXPECT_EQ(with_type(20, u32(3)), "arsc.chunk-size");  // configuration
  EXPECT_EQ(with_type(20, u32(8)), "x");                // of an older table
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
