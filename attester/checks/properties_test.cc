#include "attester/checks/properties.h"

#include <gtest/gtest.h>

#include "attester/testing/little_endian.h"
#include "attester/testing/property_area.h"

namespace touchmark::attester::checks {
namespace {

using testing::make_property_area;

Properties read(const Bytes& area) {
  Properties out;
  out.add_area(area);
  return out;
}

TEST(PropertiesTest, AreReadFromInitsFiles) {
  const std::string text(300, 'x');
  const Properties all = read(make_property_area({{"ro.boot.verifiedbootstate", "green"},
                                                  {"ro.boot.vbmeta.device_state", "locked"},
                                                  {"ro.boot", "itself"},
                                                  {"ro.long", text},
                                                  {"ro.debuggable", "1", 1},
                                                  {"sys.empty", ""}}));
  EXPECT_EQ(all.all().size(), 6U);
  EXPECT_EQ(all.value("ro.boot.verifiedbootstate"), "green");
  EXPECT_EQ(all.value("ro.boot.vbmeta.device_state"), "locked");
  EXPECT_EQ(all.value("ro.boot"), "itself");
  EXPECT_EQ(all.value("ro.long"), text);
  EXPECT_EQ(all.find("ro.long")->changes, 0U);
  EXPECT_EQ(all.find("ro.debuggable")->changes, 1U);
  EXPECT_EQ(all.find("ro.boot.vbmeta"), nullptr);
  EXPECT_EQ(all.value("ro.bootx"), "");
}

TEST(PropertiesTest, AMalformedFileGivesWhatIsWhole) {
  EXPECT_TRUE(read(Bytes()).all().empty());
  EXPECT_TRUE(read(Bytes(128 * 1024)).all().empty());
  EXPECT_TRUE(read(to_bytes(std::string(5000, 'd'))).all().empty());
  const Bytes whole = make_property_area({{"ro.a.b", "1"}, {"ro.a.c", "2"}, {"ro.d", "3"}});
  for (std::size_t size = 0; size < 600; ++size) {
    read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  // A node that leads back to the root, one that leads out of the file, a name without an end.
  for (const std::uint64_t link : {std::uint64_t{0xffff'fff0}, std::uint64_t{0x7fff'ffff},
                                   std::uint64_t{128 * 1024 - 130}, std::uint64_t{20}}) {
    for (std::size_t at = 128; at < 400; at += 4) {
      Bytes broken = whole;
      testing::overwrite(broken, at, link, 4);
      EXPECT_LE(read(broken).all().size(), 20'000U);
    }
  }
}

}  // namespace
}  // namespace touchmark::attester::checks
