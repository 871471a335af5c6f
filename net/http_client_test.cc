#include "net/http_client.h"

#include <gtest/gtest.h>

#include "net/testing/https_double.h"

namespace touchmark::net {
namespace {

using testing::HttpsDouble;
using Answer = HttpsDouble::Answer;
using std::chrono::milliseconds;

std::string outcome(const Result<HttpAnswer>& answer) {
  return answer ? std::to_string(answer->status) : answer.error().id();
}

TEST(CurlHttpClient, SendsAndReadsAsAsked) {
  HttpsDouble server([](const HttpsDouble::Request&) {
    return Answer{.status = 201, .body = "hello", .headers = {"ETag: \"a\""}};
  });
  auto client = curl_http_client({.ca_file = server.ca_file()});
  auto answer = client->send({.method = "POST",
                              .url = server.url() + "/x",
                              .headers = {"Authorization: Bearer t"},
                              .body = "content"});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(answer->headers.at("etag"), "\"a\"");
  ASSERT_EQ(server.count(), 1U);
  const auto request = server.requests().front();
  EXPECT_EQ(request.line, "POST /x HTTP/1.1");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer t");
  EXPECT_EQ(request.body, "content");
}

TEST(CurlHttpClient, TrustsOnlyWhatItIsTold) {
  HttpsDouble server([](const HttpsDouble::Request&) { return Answer{}; });
  HttpsDouble other([](const HttpsDouble::Request&) { return Answer{}; });
  EXPECT_EQ(outcome(curl_http_client({.ca_file = other.ca_file()})->send({.url = server.url()})),
            "http.untrusted");
  EXPECT_EQ(outcome(curl_http_client()->send({.url = server.url()})), "http.untrusted");
  EXPECT_EQ(server.count(), 0U);
}

// Not through libcurl, which is C: it comes out of send(), and the client goes on.
TEST(CurlHttpClient, WhatACallbackThrowsReachesTheCaller) {
  HttpsDouble server([](const HttpsDouble::Request&) { return Answer{.body = "hello"}; });
  auto client = curl_http_client({.ca_file = server.ca_file()});
  HttpRequest request{.url = server.url()};
  request.progress = [](std::uint64_t, std::uint64_t) { throw std::runtime_error("progress"); };
  EXPECT_THROW(static_cast<void>(client->send(request)), std::runtime_error);
  EXPECT_EQ(outcome(client->send({.url = server.url()})), "200");
}

TEST(CurlHttpClient, BoundsWhatAServerCanDo) {
  HttpsDouble server([](const HttpsDouble::Request& request) {
    if (request.line.find("/slow") != std::string::npos) return Answer{.delay = milliseconds(600)};
    if (request.line.find("/broken") != std::string::npos) return Answer{.hang_up = true};
    if (request.line.find("/moved") != std::string::npos) {
      return Answer{.status = 302, .headers = {"Location: https://127.0.0.1:1/"}};
    }
    return Answer{.body = std::string(1000, 'x')};
  });
  auto client = curl_http_client({.total_timeout = milliseconds(300), .ca_file = server.ca_file()});
  EXPECT_EQ(outcome(client->send({.url = server.url(), .max_answer_bytes = 999})),
            "http.answer-too-large");
  EXPECT_EQ(outcome(client->send({.url = server.url(), .max_answer_bytes = 1000})), "200");
  EXPECT_EQ(outcome(client->send({.url = server.url() + "/broken"})), "http.unreachable");
  EXPECT_EQ(outcome(client->send({.url = server.url() + "/moved"})), "302");
  EXPECT_EQ(outcome(client->send({.url = server.url() + "/slow"})), "http.timeout");
  EXPECT_EQ(outcome(client->send({.url = "http://127.0.0.1:1/"})), "http.bad-url");
  EXPECT_EQ(outcome(client->send({.url = "https://127.0.0.1:1/"})), "http.unreachable");
}

// Answers in turn; the last one from then on.
class Script final : public HttpClient {
 public:
  explicit Script(std::vector<HttpAnswer> answers) : answers_(std::move(answers)) {}
  Result<HttpAnswer> send(const HttpRequest&) override {
    const HttpAnswer& answer = answers_[std::min(sent, answers_.size() - 1)];
    ++sent;
    if (answer.status == 0) return fail(HttpError::kTimeout, "no answer");
    return answer;
  }
  std::size_t sent = 0;

 private:
  std::vector<HttpAnswer> answers_;
};

struct Retried {
  std::string outcome;
  std::size_t sent;
  std::vector<milliseconds> waits;
  bool operator==(const Retried&) const = default;
};

Retried retry(std::vector<HttpAnswer> answers) {
  Script client(std::move(answers));
  std::vector<milliseconds> waits;
  RetryRules rules;
  rules.sleep = [&waits](milliseconds time) { waits.push_back(time); };
  auto answer = send_with_retries(client, {}, rules);
  return {outcome(answer), client.sent, waits};
}

TEST(Retries, AreForWhatMaySucceedLater) {
  EXPECT_EQ(retry({{.status = 200}}), (Retried{"200", 1, {}}));
  EXPECT_EQ(retry({{.status = 503}, {.status = 200}}), (Retried{"200", 2, {milliseconds(500)}}));
  EXPECT_EQ(retry({{.status = 0}}),
            (Retried{"http.timeout", 3, {milliseconds(500), milliseconds(1000)}}));
  for (int status : {301, 304, 400, 401, 403, 404}) {
    EXPECT_EQ(retry({{.status = status}}), (Retried{std::to_string(status), 1, {}}));
  }
}

TEST(Retries, WaitAsLongAsTheServerAsksWithinReason) {
  const auto busy = [](std::string wait) {
    return HttpAnswer{.status = 429, .headers = {{"retry-after", std::move(wait)}}, .body = {}};
  };
  EXPECT_EQ(retry({busy("2"), {.status = 200}}).waits, std::vector{milliseconds(2000)});
  EXPECT_EQ(retry({busy("86400"), {.status = 200}}).waits, std::vector{milliseconds(8000)});
  EXPECT_EQ(retry({busy("soon"), {.status = 200}}).waits, std::vector{milliseconds(500)});
}

}  // namespace
}  // namespace touchmark::net
