#include "protocol/idn/local_host.h"

#include <gtest/gtest.h>

namespace touchmark::protocol {
namespace {

bool is_local(const char* text) {
  const auto host = parse_host_port(text);
  EXPECT_TRUE(host) << text;
  return host && why_local(*host).has_value();
}

TEST(LocalHost, IsWhatNoPhoneReaches) {
  for (const char* host : {"localhost",
                           "localhost:8443",
                           "LOCALHOST.",
                           "a.localhost",
                           "127.0.0.1",
                           "127.9.9.9:1",
                           "[::1]:8443",
                           "[::]",
                           "0.0.0.0",
                           "10.0.0.1",
                           "10.255.255.255",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.2",
                           "169.254.7.7",
                           "100.64.0.1",
                           "100.127.255.255",
                           "224.0.0.1",
                           "255.255.255.255",
                           "[fe80::1]",
                           "[febf::1]",
                           "[fc00::1]",
                           "[fd12:3456::1]:443",
                           "[fec0::1]",
                           "[ff02::1]",
                           "[::ffff:10.0.0.1]",
                           "[::ffff:127.0.0.1]",
                           "printer.local",
                           "a.b.local:8443",
                           "local",
                           "box.lan",
                           "box.home.arpa",
                           "a.internal",
                           "db.corp",
                           "touchmark",
                           "build-machine:8443"}) {
    EXPECT_TRUE(is_local(host)) << host;
  }
}

TEST(LocalHost, IsNoPublicNameOrAddress) {
  for (const char* host : {"attest.example.com",
                           "example.com:8443",
                           "localhost.example.com",
                           "local.example.com",
                           "mylocal.com",
                           "notlocalhost.io",
                           "9.255.255.255",
                           "11.0.0.1",
                           "172.15.0.1",
                           "172.32.0.1",
                           "192.167.1.1",
                           "192.169.0.1",
                           "100.63.0.1",
                           "100.128.0.1",
                           "126.0.0.1",
                           "128.0.0.1",
                           "169.253.0.1",
                           "223.255.255.255",
                           "203.0.113.7",
                           "[2001:db8::1]:443",
                           "[fe00::1]",
                           "[::ffff:8.8.8.8]",
                           "xn--bcher-kva.example",
                           "arpa.example"}) {
    EXPECT_FALSE(is_local(host)) << host;
  }
}

}  // namespace
}  // namespace touchmark::protocol
