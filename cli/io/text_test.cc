#include "cli/io/text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace touchmark::cli::io {
namespace {

TEST(Printable, EscapesWhatDrivesATerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable("bell\a\x7f"), "bell\\x07\\x7f");
  EXPECT_EQ(printable("c1 \xc2\x9b"), "c1 \\x9b");
  EXPECT_EQ(printable("\xe2\x80\xaegnp.apk"), "\\u{202e}gnp.apk");
}

TEST(Printable, KeepsOrdinaryTextOfAnyLanguage) {
  EXPECT_EQ(printable("Währungsrechner €1.12 通貨\n\tx"), "Währungsrechner €1.12 通貨\n\tx");
  EXPECT_EQ(printable("cut \xe2\x80"), "cut \xe2\x80");
}

TEST(OneLine, HasNoLineBreak) { EXPECT_EQ(one_line("\n a\nb\r\n"), "a b"); }

TEST(HumanSize, ChoosesTheUnit) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(5ULL << 20), "5.0 MiB");
  EXPECT_EQ(human_size(3ULL << 40), "3.0 TiB");
}

TEST(Table, PadsByCodePointsAndEndsWithoutSpace) {
  EXPECT_EQ(table({{"A", "B"}, {"€€€", "x"}, {"y", ""}}), "A    B\n€€€  x\ny");
}

TEST(LocalTime, HasItsZone) {
  const UnixTime time = from_unix(1568396901);
  const auto in_zone = [&](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return local_time(time);
  };
  EXPECT_EQ(in_zone("IST-5:30"), "2019-09-13 23:18:21+05:30");
  EXPECT_EQ(in_zone("NST3:30"), "2019-09-13 14:18:21-03:30");
  EXPECT_EQ(in_zone("UTC0"), "2019-09-13 17:48:21+00:00");
}

TEST(Trim, TakesBothEnds) {
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

}  // namespace
}  // namespace touchmark::cli::io
