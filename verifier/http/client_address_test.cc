#include "verifier/http/client_address.h"

#include <gtest/gtest.h>

#include "verifier/testing/http_checks.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::http {
namespace {

using testing::MemoryApp;
using testing::RunningService;
using testing::RunningServiceOptions;
using testing::SoftAttester;
using testing::TlsClient;

TrustedProxies proxies(const std::vector<std::string>& networks) {
  return TrustedProxies::parse(networks).value();
}

std::string client(const TrustedProxies& trusted, const std::string& peer,
                   std::vector<std::string_view> x_forwarded_for,
                   std::vector<std::string_view> forwarded = {},
                   ForwardedHeader header = ForwardedHeader::kEither) {
  return client_address(boost::asio::ip::make_address(peer), trusted, header,
                        {std::move(x_forwarded_for), std::move(forwarded)})
      .to_string();
}

TEST(ClientAddress, IsThePeersUnlessThePeerIsAProxyOfOurs) {
  EXPECT_EQ(client({}, "192.0.2.1", {"203.0.113.9"}, {"for=203.0.113.9"}), "192.0.2.1");
  EXPECT_EQ(client(proxies({"10.0.0.0/8"}), "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
  EXPECT_EQ(client(proxies({"10.0.0.0/8"}), "10.1.2.3", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client(proxies({"10.0.0.0/8"}), "::ffff:10.1.2.3", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client(proxies({"10.0.0.0/8"}), "10.1.2.3", {}), "10.1.2.3");
}

TEST(ClientAddress, IsTheLastOneThatIsNotAProxyOverAllLines) {
  const TrustedProxies trusted = proxies({"10.0.0.0/8", "2001:db8:1::/48"});
  const auto from = [&](std::vector<std::string_view> lines) {
    return client(trusted, "10.0.0.1", std::move(lines));
  };
  EXPECT_EQ(from({"6.6.6.6", "203.0.113.9"}), "203.0.113.9") << "a client's own line comes first";
  EXPECT_EQ(from({"6.6.6.6, 203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(from({"6.6.6.6, 203.0.113.9, 10.0.0.7"}), "203.0.113.9");
  EXPECT_EQ(from({"6.6.6.6", "203.0.113.9", "10.0.0.7,10.0.0.8"}), "203.0.113.9");
  EXPECT_EQ(from({"6.6.6.6, 203.0.113.9", "2001:db8:1::5"}), "203.0.113.9");
  EXPECT_EQ(from({"203.0.113.9, 10.0.0.7, 6.6.6.6"}), "6.6.6.6");
  EXPECT_EQ(from({"10.0.0.5, 10.0.0.6"}), "10.0.0.5") << "nothing but proxies: the farthest";
  EXPECT_EQ(from({"203.0.113.9, ,", ""}), "203.0.113.9") << "empty entries do not count";
  EXPECT_EQ(from({"203.0.113.9, nonsense"}), "10.0.0.1") << "no word from before is believed";
  EXPECT_EQ(from({"203.0.113.9, unknown, 10.0.0.7"}), "10.0.0.7");
}

TEST(ClientAddress, OfWhoeverConnectsTakesTheLastEntryAlone) {
  const TrustedProxies any = TrustedProxies::whoever_connects();
  EXPECT_EQ(client(any, "192.0.2.1", {"6.6.6.6", "203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client(any, "192.0.2.1", {"203.0.113.9, 10.0.0.7"}), "10.0.0.7");
  EXPECT_EQ(client(any, "192.0.2.1", {}), "192.0.2.1");
}

TEST(ClientAddress, StandsWithPortsAndBrackets) {
  const TrustedProxies any = TrustedProxies::whoever_connects();
  const std::pair<std::string_view, const char*> rows[] = {
      {"203.0.113.9", "203.0.113.9"},
      {"203.0.113.9:4711", "203.0.113.9"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:4711", "2001:db8::1"},
      {"::ffff:203.0.113.9", "203.0.113.9"},
      {"[::ffff:203.0.113.9]:1", "203.0.113.9"},
      // These are none.
      {"203.0.113.9:", "192.0.2.1"},
      {"203.0.113.9:65536", "192.0.2.1"},
      {"203.0.113.9:a", "192.0.2.1"},
      {"203.0.113.9.", "192.0.2.1"},
      {"203.0.113", "192.0.2.1"},
      {"0xcb.0.113.9", "192.0.2.1"},
      {"[203.0.113.9]", "192.0.2.1"},
      {"[2001:db8::1", "192.0.2.1"},
      {"2001:db8::1]", "192.0.2.1"},
      {"[2001:db8::1]4711", "192.0.2.1"},
      {"[2001:db8::1]:", "192.0.2.1"},
      {"fe80::1%eth0", "192.0.2.1"},
      {"example.com", "192.0.2.1"},
      {"203.0.113.9 203.0.113.8", "192.0.2.1"},
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(client(any, "192.0.2.1", {text}), expected) << text;
  }
}

TEST(ClientAddress, ComesFromForwardedToo) {
  const TrustedProxies trusted = proxies({"10.0.0.0/8"});
  const auto from = [&](std::vector<std::string_view> lines) {
    return client(trusted, "10.0.0.1", {}, std::move(lines));
  };
  EXPECT_EQ(from({"for=203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(from({"For=203.0.113.9;proto=https;by=10.0.0.1"}), "203.0.113.9");
  EXPECT_EQ(from({"proto=https; for=\"203.0.113.9:4711\""}), "203.0.113.9");
  EXPECT_EQ(from({R"(for="[2001:db8:cafe::17]:4711")"}), "2001:db8:cafe::17");
  EXPECT_EQ(from({R"(for="[2001:db8:cafe::17]:_port")"}), "2001:db8:cafe::17");
  EXPECT_EQ(from({"for=6.6.6.6", "for=203.0.113.9, for=10.0.0.9"}), "203.0.113.9");
  EXPECT_EQ(from({"for=6.6.6.6, for=unknown"}), "10.0.0.1");
  EXPECT_EQ(from({"for=6.6.6.6, for=_hidden"}), "10.0.0.1");
  EXPECT_EQ(from({"for=6.6.6.6, proto=https"}), "10.0.0.1");
  EXPECT_EQ(from({"for=6.6.6.6;for=6.6.6.7"}), "10.0.0.1");
  // What a client opens with a quotation mark does not swallow what the proxy adds.
  EXPECT_EQ(from({"for=\"6.6.6.6", "for=203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(from({"for=\"6.6.6.6, for=203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(from({R"(for=203.0.113.9;host="a,for=6.6.6.6")"}), "10.0.0.1");
  EXPECT_EQ(from({R"(for=203.0.113.9;host="a,for=6.6.6.6;b=\"c\"")"}), "10.0.0.1");
}

TEST(ClientAddress, ComesFromTheHeaderThatTheProxyWrites) {
  const TrustedProxies any = TrustedProxies::whoever_connects();
  const auto from = [&](ForwardedHeader header) {
    return client(any, "192.0.2.1", {"203.0.113.1"}, {"for=203.0.113.2"}, header);
  };
  EXPECT_EQ(from(ForwardedHeader::kEither), "203.0.113.1");
  EXPECT_EQ(from(ForwardedHeader::kXForwardedFor), "203.0.113.1");
  EXPECT_EQ(from(ForwardedHeader::kForwarded), "203.0.113.2");
  EXPECT_EQ(client(any, "192.0.2.1", {}, {"for=203.0.113.2"}, ForwardedHeader::kXForwardedFor),
            "192.0.2.1");
}

TEST(TrustedProxies, AreNetworks) {
  const TrustedProxies some =
      proxies({"10.1.2.3/8", "192.0.2.7", "2001:db8::/33", "::1", "::ffff:198.51.100.0/120"});
  const auto has = [&](const char* text) {
    return some.contains(boost::asio::ip::make_address(text));
  };
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:7fff::1", "::1",
                         "198.51.100.9", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(has(in)) << in;
  }
  for (const char* out : {"11.0.0.0", "192.0.2.8", "2001:db8:8000::1", "::2", "198.51.101.9"}) {
    EXPECT_FALSE(has(out)) << out;
  }
  EXPECT_TRUE(proxies({"0.0.0.0/0"}).contains(boost::asio::ip::make_address("8.8.8.8")));
  EXPECT_FALSE(proxies({"0.0.0.0/0"}).contains(boost::asio::ip::make_address("::1")));
  for (const char* bad : {"", "a", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "::/129",
                          "10.0.0.0/8/8", "fe80::1%lo/64", "/8"}) {
    const auto made = TrustedProxies::parse({bad});
    ASSERT_FALSE(made) << bad;
    EXPECT_TRUE(made.error().is(ProxyError::kBadNetwork));
  }
}

// In the log and in the token's claim alike.
TEST(ClientAddress, IsReadFromTheRequest) {
  const auto seen = [](const TrustedProxies& trusted, const std::string& header) {
    RunningServiceOptions options;
    options.proxies = trusted;
    RunningService running(options);
    SoftAttester attester(MemoryApp::make(), running.verifier().account());
    TlsClient connection(running.port());
    connection.request("POST", "/v1/challenge", attester.challenge_request(), header);
    return running.log().events("challenge").back()["remote_ip"].get<std::string>();
  };
  const std::string header = "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 203.0.113.9\r\n";
  EXPECT_EQ(seen({}, header), "127.0.0.1");
  EXPECT_EQ(seen(proxies({"10.0.0.0/8"}), header), "127.0.0.1");
  EXPECT_EQ(seen(proxies({"127.0.0.0/8"}), header), "203.0.113.9");
  EXPECT_EQ(seen(TrustedProxies::whoever_connects(), header), "203.0.113.9");
  EXPECT_EQ(seen(proxies({"127.0.0.1"}), "Forwarded: for=\"[2001:db8::1]:1\"\r\n"), "2001:db8::1");
  EXPECT_EQ(seen(proxies({"127.0.0.1"}), ""), "127.0.0.1");
}

}  // namespace
}  // namespace touchmark::verifier::http
