#include "formats/plist/plist.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "formats/testing/plist_writer.h"

namespace touchmark::plist {
namespace {

using package::testing::u8;
using testing::xml_plist;

std::string refusal(std::string_view file) {
  const auto plist = parse_plist(as_bytes(file));
  return plist ? "" : plist.error().id();
}

std::string be64(std::uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += u8(value >> shift);
  return out;
}

// A binary list of these objects, one-byte references; object 0 is the top.
std::string binary(const std::vector<std::string>& objects) {
  std::string file = "bplist00";
  std::string offsets;
  for (const std::string& object : objects) {
    offsets += u8(file.size() >> 8) + u8(file.size());
    file += object;
  }
  const std::size_t table = file.size();
  return file + offsets + std::string(6, '\0') + u8(2) + u8(1) + be64(objects.size()) + be64(0) +
         be64(table);
}
std::string ascii(std::string_view text) { return u8(0x50 + text.size()) + std::string(text); }

TEST(XmlPlist, ReadsEveryType) {
  const auto plist = parse_plist(as_bytes(
      xml_plist("<!-- comment --><dict><key>s</key><string>a &lt;&amp;&gt; \xc3\xa9</string>"
                "<key>i</key><integer>-42</integer><key>h</key><integer>0x1f</integer>"
                "<key>r</key><real>1.5e2</real><key>t</key><true/><key>f</key><false/>"
                "<key>d</key><data>aGVs\n\tbG8=</data><key>e</key><string/>"
                "<key>w</key><date>2001-01-02T00:00:01Z</date>"
                "<key>a</key><array><string>x</string><dict/></array></dict>")));
  ASSERT_TRUE(plist) << plist.error().text();
  EXPECT_EQ(*plist->find_text("s"), "a <&> \xc3\xa9");
  EXPECT_EQ(*plist->find("i")->as<std::int64_t>(), -42);
  EXPECT_EQ(*plist->find("h")->as<std::int64_t>(), 31);
  EXPECT_EQ(*plist->find("r")->as<double>(), 150.0);
  EXPECT_TRUE(*plist->find("t")->as<bool>());
  EXPECT_FALSE(*plist->find("f")->as<bool>());
  EXPECT_EQ(as_text(*plist->find("d")->as<Bytes>()), "hello");
  EXPECT_EQ(*plist->find_text("e"), "");
  EXPECT_EQ(plist->find("w")->as<PlistDate>()->seconds, 86401.0);
  EXPECT_EQ(plist->find("a")->as<PlistValue::Array>()->size(), 2u);
  EXPECT_EQ(plist->find("missing"), nullptr);
  EXPECT_EQ(plist->find_text("i"), nullptr);
}

TEST(XmlPlist, RefusesWhatXmlAllowsAndListsDoNot) {
  EXPECT_EQ(refusal(xml_plist("<string>a</string><string>b</string>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string>a")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string>a</data>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string>&evil;</string>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string><![CDATA[a]]></string>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string>a\xff</string>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<other/>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<dict><string>a</string></dict>")), "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<dict><key>a</key></dict>")), "plist.bad-xml");
  EXPECT_EQ(refusal("<!DOCTYPE plist [<!ENTITY a \"b\">]><plist><string/></plist>"),
            "plist.bad-xml");
  EXPECT_EQ(refusal(xml_plist("<string/>") + "<x/>"), "plist.bad-xml");
  EXPECT_EQ(refusal("<string/>"), "plist.bad-xml");
}

TEST(XmlPlist, RefusesBadValues) {
  for (const std::string_view value :
       {"<integer>1x</integer>", "<integer/>", "<integer>99999999999999999999</integer>",
        "<real>1,5</real>", "<date>2001-13-01T00:00:00Z</date>", "<date>yesterday</date>",
        "<data>a</data>", "<data>a===</data>"}) {
    EXPECT_NE(refusal(xml_plist(value)), "") << value;
  }
  EXPECT_EQ(refusal(xml_plist("<integer>1x</integer>")), "plist.bad-value");
  EXPECT_EQ(refusal(xml_plist("<dict><key>a</key><true/><key>a</key><false/></dict>")),
            "plist.duplicate-key");
}

TEST(Plist, BoundsDepthAndSize) {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<array>";
  for (int i = 0; i < 40; ++i) deep += "</array>";
  EXPECT_EQ(refusal(xml_plist(deep)), "plist.too-deep");
  std::string many = "<array>";
  for (int i = 0; i < 100001; ++i) many += "<true/>";
  EXPECT_EQ(refusal(xml_plist(many + "</array>")), "plist.too-large");
  // A cycle, and the same array many times over (the "billion laughs").
  EXPECT_EQ(refusal(binary({u8(0xa1) + u8(0)})), "plist.too-deep");
  std::vector<std::string> bomb;
  for (unsigned i = 0; i < 20; ++i) {
    bomb.push_back(u8(0xaa) + std::string(10, static_cast<char>(i + 1)));
  }
  bomb.push_back(ascii("ha"));
  EXPECT_EQ(refusal(binary(bomb)), "plist.too-large");
}

TEST(BinaryPlist, ReadsEveryType) {
  const auto plist = parse_plist(as_bytes(
      binary({u8(0xd6) + "\1\2\3\4\5\6" + "\7\10\11\12\13\14",  // dict: 6 keys, 6 values
              ascii("s"), ascii("i"), ascii("r"), ascii("t"), ascii("d"), ascii("u"),
              u8(0x5f) + u8(0x10) + u8(16) + "sixteen letters!", u8(0x13) + be64(~std::uint64_t{0}),
              u8(0x23) + be64(0x3ff8000000000000), u8(0x09), u8(0x43) + "abc",
              u8(0x62) + std::string("\xd8\x3d\xde\x00", 4)})));
  ASSERT_TRUE(plist) << plist.error().text();
  EXPECT_EQ(*plist->find_text("s"), "sixteen letters!");
  EXPECT_EQ(*plist->find("i")->as<std::int64_t>(), -1);
  EXPECT_EQ(*plist->find("r")->as<double>(), 1.5);
  EXPECT_TRUE(*plist->find("t")->as<bool>());
  EXPECT_EQ(as_text(*plist->find("d")->as<Bytes>()), "abc");
  EXPECT_EQ(*plist->find_text("u"), "\xf0\x9f\x98\x80");
}

TEST(BinaryPlist, RefusesObjectsThatDoNotFit) {
  EXPECT_EQ(refusal("bplist00"), "plist.bad-trailer");
  const std::string good = binary({ascii("a")});
  EXPECT_EQ(refusal(good), "");
  const auto patched = [&](std::size_t from_end, char value) {
    std::string file = good;
    file[file.size() - from_end] = value;
    return refusal(file);
  };
  EXPECT_EQ(patched(26, 0), "plist.bad-trailer");  // size of offsets
  EXPECT_EQ(patched(26, 9), "plist.bad-trailer");
  EXPECT_EQ(patched(25, 0), "plist.bad-trailer");  // size of references
  EXPECT_EQ(patched(24, 1), "plist.bad-trailer");  // count: 2^56 + 1
  EXPECT_EQ(patched(9, 5), "plist.bad-trailer");   // top
  EXPECT_EQ(patched(1, 0), "plist.bad-trailer");   // table at the header
  EXPECT_EQ(patched(8, 1), "plist.bad-trailer");   // table past the end
  EXPECT_EQ(refusal(binary({u8(0x5f) + u8(0x13) + be64(~std::uint64_t{0})})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0x5e) + "short"})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0x51) + "\xff"})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0x61) + "\xd8" + u8(0)})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0x14) + std::string(16, '\0')})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0xa1) + u8(9)})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0xaf) + u8(0x13) + be64(~std::uint64_t{0})})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0xd1) + "\1\1", u8(0x09)})), "plist.bad-object");
  EXPECT_EQ(refusal(binary({u8(0xd2) + "\1\1\2\2", ascii("k"), u8(0x09)})), "plist.duplicate-key");
  EXPECT_EQ(refusal(binary({u8(0x70)})), "plist.bad-object");
}

TEST(Plist, KnowsNoOtherForm) {
  EXPECT_EQ(refusal(""), "plist.unknown-form");
  EXPECT_EQ(refusal("{ a = b; }"), "plist.unknown-form");
  EXPECT_EQ(refusal("bplist15" + std::string(40, '\0')), "plist.unknown-form");
  EXPECT_EQ(refusal("\xef\xbb\xbf" + xml_plist("<true/>")), "");
}

}  // namespace
}  // namespace touchmark::plist
