#include "base/utf.h"

#include <gtest/gtest.h>

namespace touchmark {
namespace {

TEST(Utf, BecomesUtf16) {
  EXPECT_EQ(to_utf16(""), u"");
  EXPECT_EQ(to_utf16("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91"), u"a\u00e4\u20ac\U0001f511");
  EXPECT_EQ(to_utf16("\xf4\x8f\xbf\xbf"), u"\U0010ffff");
  EXPECT_EQ(to_utf16(std::string_view("a\0b", 3)), std::u16string_view(u"a\0b", 3));
}

TEST(Utf, WhatIsNoUtf8IsReplacedByteByByte) {
  EXPECT_EQ(to_utf16("a\xff z"), u"a\ufffd z");
  EXPECT_EQ(to_utf16("\xc3"), u"\ufffd");
  EXPECT_EQ(to_utf16("\xc0\x80"), u"\ufffd\ufffd");  // overlong
  EXPECT_EQ(to_utf16("\xe2\x82z"), u"\ufffd\ufffdz");
  EXPECT_EQ(to_utf16("\xed\xa0\x80"), u"\ufffd");  // a surrogate
}

}  // namespace
}  // namespace touchmark
