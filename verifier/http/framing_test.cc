// Where a request ends: each row is sent over a real connection, with an inner request behind it
// that must be read as a body, or not at all.
#include "verifier/http/framing.h"

#include <gtest/gtest.h>

#include <vector>

#include "verifier/http/problem.h"
#include "verifier/testing/http_checks.h"
#include "verifier/testing/running_service.h"

namespace touchmark::verifier::http {
namespace {

using testing::expect_problem;
using testing::RawResponse;
using testing::RunningService;
using testing::TlsClient;

using std::string_literals::operator""s;

// What the smuggled request would be answered with, if it were read as one.
const std::string kInner = "GET /healthz HTTP/1.1\r\nHost: inner\r\n\r\n";

std::string post(const std::string& fields, const std::string& version = "1.1") {
  return "POST /v1/challenge HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
}

std::string get(const std::string& fields) {
  return "GET /healthz HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

struct Refused {
  std::string text;  // up to the end of its header
  int status = 400;
};

const std::vector<Refused>& refused() {
  static const std::vector<Refused> kRows{
      // Transfer-Encoding that is not exactly chunked.
      {post("Transfer-Encoding: xchunked\r\n")},
      {post("Transfer-Encoding: identity\r\n")},
      {post("Transfer-Encoding: gzip\r\n")},
      {post("Transfer-Encoding: chunked, identity\r\n")},
      {post("Transfer-Encoding: chunked, gzip\r\n")},
      {post("Transfer-Encoding: chunked, chunked\r\n")},
      {post("Transfer-Encoding: \"chunked\"\r\n")},
      {post("Transfer-Encoding: 'chunked'\r\n"), 400},
      {post("Transfer-Encoding: chunked;q=1\r\n")},
      {post("Transfer-Encoding: chunked;\r\n")},
      {post("Transfer-Encoding: , chunked\r\n")},
      {post("Transfer-Encoding: chunked,\r\n")},
      {post("Transfer-Encoding:\r\n")},
      {post("Transfer-Encoding: \x0b"s + "chunked\r\n")},
      {post("Transfer-Encoding: chunked\x0b\r\n")},
      {post("Transfer-Encoding: chunked\0\r\n"s)},
      {post("Transfer-Encoding: \xa0"s + "chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
      {post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), 501},
      {post("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {post("Transfer-Encoding: identity, chunked\r\n"), 501},
      {post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501},
      {post("Transfer-Encoding: chunked\r\n", "1.0")},
      {post("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "1.0")},
      {post("Transfer-Encoding: identity\r\n", "1.0")},
      // A line that only some read as Transfer-Encoding.
      {post("Transfer-Encoding : chunked\r\n")},
      {post("Transfer-Encoding\t: chunked\r\n")},
      {post(" Transfer-Encoding: chunked\r\n")},
      {post("X: a\r\n Transfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding:\r\n chunked\r\n")},
      {post("Transfer-Encoding: chunk\r\n ed\r\n")},
      {post("Content-Length: 5\r\nTransfer-Encoding\r\n: chunked\r\n")},
      {post("X: a\nTransfer-Encoding: chunked\r\n")},
      {post("X: a\rTransfer-Encoding: chunked\r\n")},
      {post("X: a\r\rTransfer-Encoding: chunked\r\n")},
      {post("X\0: a\r\n"s)},
      {post("Transfer\x80"s + "Encoding: chunked\r\n")},
      // With a length beside it.
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
      {post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")},
      // Lengths.
      {post("Content-Length: 5\r\nContent-Length: 6\r\n")},
      {post("Content-Length: 5\r\nContent-Length: 5\r\n")},
      {post("Content-Length: 5, 5\r\n")},
      {post("Content-Length: 5, 6\r\n")},
      {post("Content-Length: +5\r\n")},
      {post("Content-Length: -5\r\n")},
      {post("Content-Length: 0x5\r\n")},
      {post("Content-Length: 5 5\r\n")},
      {post("Content-Length: 5;\r\n")},
      {post("Content-Length: 5.0\r\n")},
      {post("Content-Length: 1e3\r\n")},
      {post("Content-Length:\r\n")},
      {post("Content-Length: 18446744073709551621\r\n")},
      {post("Content-Length: 99999999999999999999999999\r\n")},
      {post("Content-Length: \"5\"\r\n")},
      {post("Content-Length : 5\r\n")},
      // Lines.
      {get("X: a\0b\r\n"s)},
      {get("X: a\x7f\r\n")},
      {get("X: a\x01\r\n")},
      {get("X\r\n")},
      {get(": a\r\n")},
      {get("X Y: a\r\n")},
      {get("X: a\r\n b\r\n")},
      {get("X: a\r\n\tb\r\n")},
      {get("X@: a\r\n")},
      {"GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"\r\n" + get("")},
      {"\n" + get("")},
      {" " + get("")},
      {"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"GET /healthz HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz\r\nHost: a\r\n\r\n"},
      {"GET /healthz http/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz HTTP/1.01\r\nHost: a\r\n\r\n"},
      {"GET /healthz HTTP/11\r\nHost: a\r\n\r\n"},
      {"GET /hea\x80lthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G@T /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz HTTP/1.1\nHost: a\n\n"},
      {"GET /healthz HTTP/1.1\rHost: a\r\r"},
      {"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      // Hosts.
      {"GET /healthz HTTP/1.1\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"},
      {get("Host: b\r\n")},
      {get("host: a\r\n")},
      {"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n"},
      {"GET /healthz HTTP/1.1\r\nHost: http://a\r\n\r\n"},
      // Who may.
      {get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n")},
      // Targets.
      {"GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET https://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz#x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /healthz%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /admin%2fv1%2Fstatus HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"},
  };
  return kRows;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return out;
}

TEST(Framing, RefusesWhatTwoReadersCouldReadInTwoWaysAndCloses) {
  RunningService running;
  for (const Refused& row : refused()) {
    SCOPED_TRACE(printable(row.text));
    TlsClient client(running.port());
    client.send(row.text + kInner);
    const auto response = client.receive();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, row.status) << response->body;
    EXPECT_EQ(response->headers.at("connection"), "close");
    EXPECT_FALSE(client.receive()) << "the inner request was answered";
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(TlsClient(running.port()).request("GET", "/healthz")->status, 200) << "it lives on";
}

TEST(Framing, RefusesWithoutWaitingForAnEndThatCannotCome) {
  RunningService running;
  for (const std::string& text : {"GET / HTTP/1.1\nHost: a\n"s, "GET / HT\0"s, "\x16\x03\x01"s,
                                  "GET / HTTP/1.1\r\nX: a\rb"s, "\r"s}) {
    SCOPED_TRACE(printable(text));
    TlsClient client(running.port());
    client.send(text);
    expect_problem(client.receive(), 400, "http.malformed");
  }
}

// As one byte after the other, nothing is read otherwise.
TEST(Framing, DoesNotDependOnHowTheBytesCome) {
  RunningService running;
  TlsClient client(running.port());
  const std::string good = get("X-Y: a\tb \xc3\xa9\r\n");
  for (const char c : good) ASSERT_TRUE(client.send(std::string(1, c)));
  EXPECT_EQ(client.receive()->status, 200);
  for (const char c : "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n"s) {
    if (!client.send(std::string(1, c))) break;
  }
  expect_problem(client.receive(), 400, "http.malformed");
}

struct Chunked {
  std::string body;
  bool good = false;
};

TEST(Framing, TakesEachFormOfAHost) {
  const auto taken = [](const std::string& host) {
    return check_head("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n").has_value();
  };
  for (const char* host : {"a", "localhost:8443", "10.0.0.1", "10.0.0.1:65535", "[::1]",
                           "[::1]:8443", "a-b.example.com.", "a_b", "A.B:0", "%61"}) {
    EXPECT_TRUE(taken(host)) << host;
  }
  for (const char* host : {"", ":1", "a:b", "a b", "u@a", "a/b", "[::1", "::1", "a:1 2", "a:-1"}) {
    EXPECT_FALSE(taken(host)) << host;
  }
}

TEST(Framing, ReadsChunksStrictly) {
  RunningService running;
  const std::string extension(3000, 'x');
  const Chunked rows[] = {
      {"2\r\n{}\r\n0\r\n\r\n", true},
      {"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", true},
      {"02\r\n{}\r\n00\r\n\r\n", true},
      {"2;a=b;c=\"d\"\r\n{}\r\n0;e\r\n\r\n", true},
      {"2\r\n{}\r\n0\r\nX-Trailer: a\r\n\r\n", true},
      {"2\r\n{}\r\n0\r\nHost: evil\r\nAuthorization: Bearer x\r\n\r\n", true},
      {"0x2\r\n{}\r\n0\r\n\r\n"},
      {"+2\r\n{}\r\n0\r\n\r\n"},
      {"-2\r\n{}\r\n0\r\n\r\n"},
      {" 2\r\n{}\r\n0\r\n\r\n"},
      {"2 \r\n{}\r\n0\r\n\r\n"},
      {"2\t\r\n{}\r\n0\r\n\r\n"},
      {"\r\n2\r\n{}\r\n0\r\n\r\n"},
      {"g\r\n{}\r\n0\r\n\r\n"},
      {"10000000000000002\r\n{}\r\n0\r\n\r\n"},
      {"2\n{}\n0\n\n\r\n\r\n"},
      {"2\r{}\r0\r\r\r\n\r\n"},
      {"2\r\n{}0\r\n\r\n"},
      {"2\r\n{}\n0\r\n\r\n"},
      {"2\r\n{}xx0\r\n\r\n"},
      {"1\r\n{}\r\n0\r\n\r\n"},
      {"2;a=\"\n\"\r\n{}\r\n0\r\n\r\n"},
      {"2;a\nb\r\n{}\r\n0\r\n\r\n"},
      {"2;a=\"\0\"\r\n{}\r\n0\r\n\r\n"s},
      {"2;" + extension + "\r\n{}\r\n0;" + extension + "\r\n\r\n"},
      {"2\r\n{}\r\n0\r\nX: a\nY: b\r\n\r\n"},
      {"2\r\n{}\r\n0\r\nX : a\r\n\r\n"},
      {"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"},
      {"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"2\r\n{}\r\n0\n\r\n\r\n"},
  };
  for (const Chunked& row : rows) {
    SCOPED_TRACE(printable(row.body.substr(0, 80)));
    TlsClient client(running.port());
    client.send(post("Transfer-Encoding: Chunked\r\n") + row.body + kInner);
    // {} is no challenge request: it was read as the body when that is what is said of it.
    expect_problem(client.receive(), 400,
                   row.good ? "service.malformed-request" : "http.malformed");
    const auto next = client.receive();
    EXPECT_EQ(next.has_value(), row.good);
    EXPECT_TRUE(!next || next->status == 200);
  }
}

TEST(Framing, IgnoresWhatItDoesNotOffer) {
  RunningService running;
  for (const char* fields :
       {"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n",
        "Expect: something\r\n", "TE: trailers\r\n", "Trailer: X\r\n",
        "Proxy-Connection: keep-alive\r\n", "Transfer_Encoding: chunked\r\n"}) {
    SCOPED_TRACE(fields);
    TlsClient client(running.port());
    client.send(get(fields) + kInner);
    EXPECT_EQ(client.receive()->status, 200);
    EXPECT_EQ(client.receive()->status, 200) << "the connection goes on with HTTP/1.1";
  }
}

TEST(Framing, TakesTransferEncodingWithoutRegardToCaseAndSpaces) {
  RunningService running;
  for (const char* field : {"Transfer-Encoding: chunked", "transfer-encoding:CHUNKED",
                            "TRANSFER-ENCODING: \t Chunked \t "}) {
    TlsClient client(running.port());
    client.send(post(std::string(field) + "\r\n") + "2\r\n{}\r\n0\r\n\r\n" + kInner);
    expect_problem(client.receive(), 400, "service.malformed-request");
    EXPECT_EQ(client.receive()->status, 200);
  }
}

TEST(Framing, KeepsAConnectionOfHttp10OnlyWhenAsked) {
  RunningService running;
  TlsClient plain(running.port());
  plain.send("GET /healthz HTTP/1.0\r\n\r\n" + kInner);
  EXPECT_EQ(plain.receive()->status, 200);
  EXPECT_FALSE(plain.receive());
  TlsClient kept(running.port());
  kept.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kInner);
  EXPECT_EQ(kept.receive()->headers.at("connection"), "keep-alive");
  EXPECT_EQ(kept.receive()->status, 200);
  // RFC 9110 section 10.1.1: HTTP/1.0 knows no 100.
  TlsClient expecting(running.port());
  expecting.send(
      "POST /v1/challenge HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(expecting.receive()->status, 400);
}

TEST(Framing, BoundsTheHeader) {
  RunningService running;
  TlsClient client(running.port());
  expect_problem(
      client.request("GET", "/healthz", "", "X-Filler: " + std::string(20'000, 'x') + "\r\n"), 431,
      "http.header-too-large");
  EXPECT_TRUE(client.closed());
  TlsClient endless(running.port());
  endless.send("GET /" + std::string(20'000, 'x'));
  expect_problem(endless.receive(), 431, "http.header-too-large");
}

}  // namespace
}  // namespace touchmark::verifier::http
