#include "protocol/idn/unicode_host.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

TEST(UnicodeHostTest, MakesALabels) {
  EXPECT_EQ(parse_unicode_host_port("B\xc3\xbc"
                                    "cher.example:8443"),
            (HostPort{"xn--bcher-kva.example", 8443}));
  EXPECT_EQ(parse_unicode_host_port("\xc3\xa9.com"), (HostPort{"xn--9ca.com", {}}));
  // "straße" is not "strasse": nontransitional.
  EXPECT_EQ(parse_unicode_host_port("stra\xc3\x9f"
                                    "e.example"),
            (HostPort{"xn--strae-oqa.example", {}}));
  // The letter and its combining mark are the same name.
  EXPECT_EQ(parse_unicode_host_port("e\xcc\x81.com"), (HostPort{"xn--9ca.com", {}}));
  // An ideographic full stop separates labels.
  EXPECT_EQ(parse_unicode_host_port("\xe4\xbe\x8b\xe3\x80\x82jp"), (HostPort{"xn--fsq.jp", {}}));
}

TEST(UnicodeHostTest, ReadsAsciiAsItIs) {
  EXPECT_EQ(parse_unicode_host_port("API.example.com"), (HostPort{"api.example.com", {}}));
  EXPECT_EQ(parse_unicode_host_port("my_host:1"), (HostPort{"my_host", 1}));
  EXPECT_EQ(parse_unicode_host_port("[::1]:5001"), (HostPort{"::1", 5001}));
  EXPECT_EQ(parse_unicode_host_port("xn--bcher-kva.example"),
            (HostPort{"xn--bcher-kva.example", {}}));
}

TEST(UnicodeHostTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "\xff.example", "\xc3\xa9.com:0", "\xc3\xa9.com:1:2", "\xc3\xa9.com/x",
        "a\xef\xbc\x9a"
        "80",                    // a fullwidth colon
        "\xe2\x84\x80.example",  // maps to "a/c.example"
        "\xc3\xa9..com", "-\xc3\xa9.com", "[\xc3\xa9]", "\xe2\x98\xba.example\xc2\xa0"}) {
    EXPECT_EQ(parse_unicode_host_port(text), std::nullopt) << text;
  }
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "\xc3\xa9";
  EXPECT_EQ(parse_unicode_host_port(many), std::nullopt);
}

}  // namespace
}  // namespace touchmark::protocol
