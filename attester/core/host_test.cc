#include "attester/core/host.h"

#include <gtest/gtest.h>

#include <string>

namespace touchmark::attester {
namespace {

using protocol::HostPort;

TEST(HostTest, ReadsHttpsUrls) {
  const HostPort api{"api.example.com", 443};
  for (const char* url :
       {"https://api.example.com", "https://api.example.com/v2/x?y#z", "https://api.example.com?x",
        "https://api.example.com#x", "HTTPS://API.example.COM", "hTTps://api.example.com./",
        "https://api.example.com:443/", "https://api.example.com:/", "https://api.example.com:0443",
        "https://user@api.example.com/", "https://us-er:p.w!@api.example.com/"}) {
    EXPECT_EQ(parse_https_url(url), api) << url;
  }
  EXPECT_EQ(parse_https_url("HTTPS://API.example.com:8443"), (HostPort{"api.example.com", 8443}));
  EXPECT_EQ(parse_https_url("https://[::1]:5001/"), (HostPort{"::1", 5001}));
  EXPECT_EQ(parse_https_url("https://[0:0:0:0:0:0:0:1]/"), (HostPort{"::1", 443}));
  EXPECT_EQ(parse_https_url("https://[::1]:"), (HostPort{"::1", 443}));
  EXPECT_EQ(parse_https_url("https://127.0.0.1:1"), (HostPort{"127.0.0.1", 1}));
  // The host is what a client connects to, not what a reader takes for it.
  EXPECT_EQ(parse_https_url("https://api.example.com@evil.example/"),
            (HostPort{"evil.example", 443}));
  EXPECT_EQ(parse_https_url("https://evil.example#@api.example.com"),
            (HostPort{"evil.example", 443}));
  EXPECT_EQ(parse_https_url("https://evil.example?@api.example.com"),
            (HostPort{"evil.example", 443}));
  EXPECT_EQ(parse_https_url("https://evil.example/\\@api.example.com"),
            (HostPort{"evil.example", 443}));
}

// What a strict reader of whole URLs refuses, and HTTP clients send.
TEST(HostTest, PathQueryAndFragmentDoNotMatter) {
  for (const std::string rest : {"/a b",
                                 "/?q=a b",
                                 "/a|b",
                                 "/[x]",
                                 "/{id}",
                                 "/%zz",
                                 "/%",
                                 "/?q=%zz",
                                 "/^`\"<>",
                                 "?a[]=1 2",
                                 "#a b",
                                 "/\\",
                                 "/\t",
                                 "/\r\n",
                                 "/x ",
                                 "/\xff\xfe",
                                 "/\xc3\xa4?\xc3\xa4#\xc3\xa4",
                                 "/http://other.example/",
                                 "/?u=https://user@other.example:1/",
                                 "//other.example",
                                 "/:80",
                                 "/../..",
                                 "?x://y@z"}) {
    EXPECT_EQ(parse_https_url("https://api.example.com" + rest), (HostPort{"api.example.com", 443}))
        << rest;
    EXPECT_EQ(parse_https_url("https://API.example.com:8443" + rest),
              (HostPort{"api.example.com", 8443}))
        << rest;
  }
  EXPECT_TRUE(parse_https_url("https://api.example.com/" + std::string(1 << 20, ' ')));
}

TEST(HostTest, ReadsALabelsAlone) {
  for (const char* url : {"https://xn--bcher-kva.example", "https://XN--BCHER-KVA.example."}) {
    EXPECT_EQ(parse_https_url(url), (HostPort{"xn--bcher-kva.example", 443})) << url;
  }
  EXPECT_EQ(parse_https_url("https://b\xc3\xbc"
                            "cher.example/"),
            std::nullopt);
}

TEST(HostTest, RefusesOtherUrls) {
  for (const char* url : {"", "http://api.example.com", "api.example.com", "ftp://a", "https://",
                          "https://a:99999/", "https://a:0/", "https://a:00/", "https://a:+443/",
                          "https://a:4 43/", "https://a:443x/", "javascript:x", "https"}) {
    EXPECT_EQ(parse_https_url(url), std::nullopt) << url;
  }
}

// Each of these is one host to one client, and another, or none, to the next.
TEST(HostTest, RefusesWhatTwoReadersMayTakeForTwoHosts) {
  for (const std::string url :
       {"https://api.example.com\\@evil.example/",
        "https://api.example.com\\.evil.example/",
        "https://api.example.com\\",
        "https:\\\\api.example.com/",
        "https:/api.example.com/",
        "https:api.example.com",
        "https:///api.example.com/",
        "https://\\api.example.com/",
        "https://evil.example@@api.example.com/",
        "https://a@evil.example@api.example.com/",
        "https://a%40evil.example@api.example.com/",
        "https://evil.example\\@api.example.com/",
        "https://evil.example;@api.example.com:80@x/",
        "https://api.example.com%2eevil.example/",
        "https://api%2Eexample.com/",
        "https://api.example.com%00.evil.example/",
        "https://api.example.com /",
        " https://api.example.com/",
        "\thttps://api.example.com/",
        "https ://api.example.com/",
        "ht\ntps://api.example.com/",
        "https://api.exam\nple.com/",
        "https://api.example.com\t@evil.example/",
        "https://api .example.com/",
        "https://api.example.com:443:80/",
        "https://api.example.com:\xd9\xa4\xd9\xa4\xd9\xa3/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[::1%25eth0]/",
        "https://::1/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://a..example/",
        "https://api.example.com../",
        "https://.example/",
        "https://api.example.com\xef\xbc\x8f.evil.example/",  // a fullwidth slash
        "https://api.example.com\xef\xbc\xa0"
        "evil.example/",  // a fullwidth "@"
        "https://api.example.com\xef\xbc\x9a"
        "80/",                                                // a fullwidth colon
        "https://evil.example\xe2\x84\x80.api.example.com/",  // maps to "a/c"
        "https://api.example.com\xff/"}) {
    EXPECT_EQ(parse_https_url(url), std::nullopt) << url;
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(parse_https_url("https://api.example.com\0.evil.example/"sv), std::nullopt);
  EXPECT_EQ(parse_https_url("https://api.example.com\0@evil.example/"sv), std::nullopt);
  EXPECT_EQ(parse_https_url("https://" + std::string(1 << 20, 'a')), std::nullopt);
}

}  // namespace
}  // namespace touchmark::attester
