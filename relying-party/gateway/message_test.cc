#include "relying-party/gateway/message.h"

#include <gtest/gtest.h>

namespace touchmark::relying::gateway {
namespace {

TEST(GatewayChunks, AreReadInAnyPieces) {
  const std::string body =
      "5\r\nhello\r\n1;ext=\"x\"\r\n \r\n00b\r\nhello world\r\n0\r\nTrailer: x\r\n\r\nGET";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    ChunkReader reader;
    std::string out;
    std::string kept;
    for (std::size_t at = 0; at < body.size() && !reader.is_done(); at += piece) {
      kept += body.substr(at, piece);
      std::string_view bytes = kept;
      while (!bytes.empty() && !reader.is_done()) {
        const auto part = reader.next(bytes);
        ASSERT_TRUE(part) << piece;
        out += *part;
      }
      kept = std::string(bytes);
    }
    EXPECT_TRUE(reader.is_done()) << piece;
    EXPECT_EQ(out, "hello hello world") << piece;
    EXPECT_EQ(kept, std::string_view("GET").substr(0, kept.size()));
  }
}

TEST(GatewayChunks, WhatTwoReadersCouldReadInTwoWaysIsRefused) {
  const std::string bodies[] = {"\r\n",
                                "x\r\n",
                                "-1\r\n",
                                "+1\r\n",
                                "0x1\r\n",
                                " 1\r\n",
                                "1 \r\n",
                                "1\n",
                                "1;a\x01\r\n",
                                "1\r\nab\r\n",
                                "1\r\nax\r\n",
                                "ffffffffffffffff\r\n",
                                "0\r\nbad line\r\n",
                                "0\r\n folded: x\r\n",
                                std::string(5000, '1')};
  for (const std::string& body : bodies) {
    ChunkReader reader;
    std::string_view bytes = body;
    bool refused = false;
    while (!bytes.empty() && !refused && !reader.is_done()) refused = !reader.next(bytes);
    EXPECT_TRUE(refused) << body.substr(0, 40);
  }
}

TEST(GatewayChunks, AChunkIsWrittenAsItIsRead) {
  EXPECT_EQ(chunk_head(0), "0\r\n");
  EXPECT_EQ(chunk_head(500), "1f4\r\n");
}

std::optional<RequestHead> request(std::string_view fields) {
  static std::string text;
  text = "POST /v1?x HTTP/1.1\r\n" + std::string(fields) + "\r\n";
  return read_request_head(text);
}

TEST(GatewayRequest, SaysHowItsBodyEndsAndWhatItAsksFor) {
  const auto plain = request("Host: a\r\nX:  b \r\n");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->method, "POST");
  EXPECT_EQ(plain->target, "/v1?x");
  EXPECT_EQ(plain->find("x"), "b");
  EXPECT_EQ(plain->body.kind, Framing::Kind::kNone);
  EXPECT_TRUE(plain->keep_alive);
  EXPECT_FALSE(request("Connection: x, Close\r\n")->keep_alive);
  EXPECT_EQ(request("Content-Length: 12\r\n")->body.length, 12U);
  EXPECT_EQ(request("Transfer-Encoding: chunked\r\n")->body.kind, Framing::Kind::kChunked);
  EXPECT_EQ(request("Connection: upgrade\r\nUpgrade: websocket\r\n")->upgrade, "websocket");
  EXPECT_EQ(request("Upgrade: websocket\r\n")->upgrade, "");
  EXPECT_TRUE(request("Expect: 100-continue\r\n")->expects_continue);
  EXPECT_FALSE(request("Connection: content-length\r\n"));
  EXPECT_FALSE(request("Connection: close, Host\r\n"));
}

Result<AnswerHead> answer(std::string_view text, bool to_head = false) {
  static std::string kept;
  kept = std::string(text) + "\r\n";
  return read_answer_head(kept, to_head);
}

TEST(GatewayAnswer, SaysHowItsBodyEnds) {
  using Kind = Framing::Kind;
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n")->body.length, 3U);
  EXPECT_EQ(answer("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n")->body.kind, Kind::kChunked);
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\n")->body.kind, Kind::kUntilClose);
  EXPECT_EQ(answer("HTTP/1.1 204 No\r\n")->body.kind, Kind::kNone);
  EXPECT_EQ(answer("HTTP/1.1 304 No\r\nContent-Length: 3\r\n")->body.kind, Kind::kNone);
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", true)->body.kind, Kind::kNone);
  EXPECT_FALSE(answer("HTTP/1.1 200 OK\r\n")->keep_alive);
  EXPECT_TRUE(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")->keep_alive);
  EXPECT_FALSE(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n")->keep_alive);
}

TEST(GatewayAnswer, WhatTwoReadersCouldReadInTwoWaysIsRefused) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n", "HTTP/1.1 200 OK\r\n folded\r\n", "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 999 OK\r\n", "HTTP/2 200 OK\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n", "ICY 200 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n"}) {
    EXPECT_FALSE(answer(text)) << text;
  }
}

TEST(GatewayFields, AFactIsTheGatewaysInEverySpelling) {
  for (const char* name :
       {"X-Touchmark-Status", "x-touchmark-device", "X_Touchmark_Device", "x_TOUCHMARK-x"}) {
    EXPECT_TRUE(is_fact_name(name)) << name;
  }
  for (const char* name :
       {"Touchmark-Token", "X-Touchmark", "X-Touch-mark-x", "XX-Touchmark-Status"}) {
    EXPECT_FALSE(is_fact_name(name)) << name;
  }
  EXPECT_TRUE(is_hop_by_hop("keep-alive", ""));
  EXPECT_TRUE(is_hop_by_hop("X-Own", "close, x-own"));
  EXPECT_FALSE(is_hop_by_hop("X-Own", "close"));
}

}  // namespace
}  // namespace touchmark::relying::gateway
