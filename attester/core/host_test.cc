#include "attester/core/host.h"

#include <gtest/gtest.h>

namespace touchmark::attester {
namespace {

using protocol::HostPort;

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
