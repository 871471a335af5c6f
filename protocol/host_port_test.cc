#include "protocol/host_port.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

TEST(HostPortTest, ReadsHostAndPort) {
  EXPECT_EQ(parse_host_port("api.example.com"), (HostPort{"api.example.com", {}}));
  EXPECT_EQ(parse_host_port("API.Example.COM:8443"), (HostPort{"api.example.com", 8443}));
  EXPECT_EQ(parse_host_port("api.example.com."), (HostPort{"api.example.com", {}}));
  EXPECT_EQ(parse_host_port("api.example.com.:443"), (HostPort{"api.example.com", 443}));
  EXPECT_EQ(parse_host_port("127.0.0.1:5001"), (HostPort{"127.0.0.1", 5001}));
  EXPECT_EQ(parse_host_port("10.0.0.1:65535"), (HostPort{"10.0.0.1", 65535}));
  EXPECT_EQ(parse_host_port("[::1]"), (HostPort{"::1", {}}));
  EXPECT_EQ(parse_host_port("[FE80::1]:443"), (HostPort{"fe80::1", 443}));
  EXPECT_EQ(parse_host_port("my_host"), (HostPort{"my_host", {}}));
  EXPECT_EQ(parse_host_port("4a.example"), (HostPort{"4a.example", {}}));
  EXPECT_EQ(parse_host_port("XN--Bcher-KVA.example"), (HostPort{"xn--bcher-kva.example", {}}));
}

TEST(HostPortTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           ".",
                           ":443",
                           ":80",
                           "a:",
                           "a:0",
                           "a:65536",
                           "a:+1",
                           "a:080",
                           "a:x",
                           "a:1:2",
                           "host:12x",
                           "a b",
                           "a/b",
                           "a@b",
                           "user@a",
                           "https://a",
                           "[::1",
                           "::1",
                           "[]",
                           "[::1]x",
                           "[g::1]",
                           "a\n",
                           "-x",
                           "x-.de",
                           ".x",
                           "a..b",
                           "a..",
                           "http://x",
                           "https://x/path",
                           "\xc3\xa4.example",
                           "[::1]:",
                           "[::1]:0",
                           "[::1%25lo]"}) {
    EXPECT_EQ(parse_host_port(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_host_port(std::string(254, 'a')), std::nullopt);
  EXPECT_EQ(parse_host_port(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(parse_host_port(std::string_view("[::1\0]", 6)), std::nullopt);
}

TEST(HostPortTest, BoundsNamesAndLabels) {
  const std::string label(63, 'a');
  EXPECT_TRUE(parse_host_port(label));
  EXPECT_FALSE(parse_host_port(label + "a"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_EQ(longest.size(), 253U);
  EXPECT_TRUE(parse_host_port(longest));
  EXPECT_TRUE(parse_host_port(longest + ".:65535"));
  EXPECT_FALSE(parse_host_port(longest + "a"));
}

// Clients read these as IPv4 addresses, each in its own way.
TEST(HostPortTest, TakesNumbersAsIpv4AddressesOnly) {
  for (const char* text : {"1", "1.2.3", "256.1.1.1", "010.0.0.1", "1.2.3.4.5", "0x7f.1", "a.1",
                           "0x7f000001", "a.0x", "1.2.3.4."}) {
    EXPECT_EQ(parse_host_port(text), std::nullopt) << text;
  }
}

TEST(HostPortTest, WritesIpv6AsRfc5952Does) {
  const auto host = [](const char* text) {
    const auto parsed = parse_host_port(text);
    return parsed ? parsed->host : "refused";
  };
  EXPECT_EQ(host("[0:0:0:0:0:0:0:1]"), "::1");
  EXPECT_EQ(host("[::]"), "::");
  EXPECT_EQ(host("[2001:0DB8:0:0:1:0:0:1]"), "2001:db8::1:0:0:1");
  EXPECT_EQ(host("[2001:db8:0:1:1:1:1:1]"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(host("[1::]"), "1::");
  EXPECT_EQ(host("[::2]"), "::2");
  EXPECT_EQ(host("[::ffff:192.0.2.1]"), "::ffff:c000:201");
  EXPECT_EQ(host("[1:2:3:4:5:6:7:8:9]"), "refused");
  EXPECT_EQ(host("[1::2::3]"), "refused");
}

TEST(HostPortTest, IsReadBackAsWritten) {
  for (const char* text : {"api.example.com", "localhost:5001", "127.0.0.1:8443", "[::1]:5001",
                           "[::1]", "[2001:db8::1]:443"}) {
    const auto host = parse_host_port(text);
    ASSERT_TRUE(host) << text;
    EXPECT_EQ(to_string(*host), text);
    EXPECT_EQ(parse_host_port(to_string(*host)), host);
  }
}

TEST(ServiceUrlTest, ReadsHttpsUrls) {
  EXPECT_EQ(parse_service_url("https://one.example"), (HostPort{"one.example", 443}));
  EXPECT_EQ(parse_service_url("HTTPS://One.example:8443/"), (HostPort{"one.example", 8443}));
  EXPECT_EQ(parse_service_url("https://[::1]:5001/a%20b/c"), (HostPort{"::1", 5001}));
}

TEST(ServiceUrlTest, RefusesWhatTwoReadersMayTakeForTwoHosts) {
  for (const char* url :
       {"", "https:/", "https://", "http://a", "a", "https:///x", "https://a?x", "https://a#x",
        "https://u@a", "https://a\\b", "https://a/ b", "https://a/?x", "https://a/#", "https://a:0",
        "https://a/\xc3\xa4", "https://a:99999/", " https://a"}) {
    EXPECT_EQ(parse_service_url(url), std::nullopt) << url;
  }
}

}  // namespace
}  // namespace touchmark::protocol
