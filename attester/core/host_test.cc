#include "attester/core/host.h"

#include <gtest/gtest.h>

namespace touchmark::attester {
namespace {

TEST(HostTest, ReadsHostAndPort) {
  EXPECT_EQ(parse_host("api.example.com"), (HostPort{"api.example.com", {}}));
  EXPECT_EQ(parse_host("API.Example.COM:8443"), (HostPort{"api.example.com", 8443}));
  EXPECT_EQ(parse_host("api.example.com."), (HostPort{"api.example.com", {}}));
  EXPECT_EQ(parse_host("api.example.com.:443"), (HostPort{"api.example.com", 443}));
  EXPECT_EQ(parse_host("127.0.0.1:5001"), (HostPort{"127.0.0.1", 5001}));
  EXPECT_EQ(parse_host("[::1]"), (HostPort{"::1", {}}));
  EXPECT_EQ(parse_host("[FE80::1]:443"), (HostPort{"fe80::1", 443}));
}

TEST(HostTest, RefusesEverythingElse) {
  for (const char* text :
       {"", ".", ":443", "a:", "a:0", "a:65536", "a:+1", "a:1:2", "a b", "a/b", "a@b", "https://a",
        "[::1", "::1", "[]", "[::1]x", "[g::1]", "a\n", "\xc3\xa4.example"}) {
    EXPECT_EQ(parse_host(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_host(std::string(254, 'a')), std::nullopt);
}

TEST(HostTest, ReadsHttpsUrls) {
  EXPECT_EQ(parse_https_url("https://api.example.com/v2/x?y#z"),
            (HostPort{"api.example.com", 443}));
  EXPECT_EQ(parse_https_url("HTTPS://API.example.com:8443"), (HostPort{"api.example.com", 8443}));
  EXPECT_EQ(parse_https_url("https://[::1]:5001/"), (HostPort{"::1", 5001}));
  // The host is what a client connects to, not what a reader takes for it.
  EXPECT_EQ(parse_https_url("https://api.example.com@evil.example/"),
            (HostPort{"evil.example", 443}));
  EXPECT_EQ(parse_https_url("https://evil.example#@api.example.com"),
            (HostPort{"evil.example", 443}));
}

TEST(HostTest, RefusesOtherUrls) {
  for (const char* url : {"", "http://api.example.com", "api.example.com", "ftp://a", "https://",
                          "https://a:99999/", "javascript:x"}) {
    EXPECT_EQ(parse_https_url(url), std::nullopt) << url;
  }
}

}  // namespace
}  // namespace touchmark::attester
