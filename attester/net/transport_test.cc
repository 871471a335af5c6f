// The real transport against a real TLS server: trust, channel binding, bounds.
#include "attester/net/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <future>
#include <set>

#include "attester/testing/tls_server.h"
#include "protocol/limits.h"

namespace touchmark::attester::net {
namespace {

using namespace std::chrono_literals;
using testing::ServedRequest;
using testing::ServerReply;
using testing::TlsServer;

class TransportTest : public ::testing::Test {
 protected:
  Result<HttpAnswer> post(const TlsServer& server, const PinSet& pins,
                          std::chrono::milliseconds timeout = 100s) {
    return transport_->post(server.url() + "/v1/attest", pins, timeout,
                            [this](const TlsFacts& facts) -> Result<std::string> {
                              seen_.push_back(facts);
                              return body_;
                            });
  }
  static ServerReply echo(const ServedRequest& request) { return {.body = request.body}; }

  std::atomic<bool> cancelled_ = false;
  std::unique_ptr<Transport> transport_ = make_curl_transport(cancelled_);
  std::string body_ = R"({"a":1})";
  std::vector<TlsFacts> seen_;
};

TEST_F(TransportTest, TheBodyKnowsTheConnectionThatCarriesIt) {
  std::vector<ServedRequest> served;
  TlsServer server([&served](const ServedRequest& request) {
    served.push_back(request);
    return echo(request);
  });
  body_ = std::string(200'000, 'x');
  for (int i = 0; i < 2; ++i) {
    const Result<HttpAnswer> answer = post(server, {server.spki()});
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, body_);
    EXPECT_EQ(served.at(i).path, "/v1/attest");
    EXPECT_EQ(seen_.at(i).exporter, served.at(i).exporter);
    EXPECT_EQ(seen_.at(i).spki, server.spki());
  }
  EXPECT_EQ(server.connections(), 1);  // kept open
}

// A kept connection may be dead when it is used again. The body must then be made for the new one.
TEST_F(TransportTest, ANewConnectionGetsANewBody) {
  std::vector<ServedRequest> served;
  TlsServer server([&served](const ServedRequest& request) {
    served.push_back(request);
    ServerReply reply = echo(request);
    reply.keep_alive = request.connection > 1;
    return reply;
  });
  ASSERT_TRUE(post(server, {server.spki()}));
  const Result<HttpAnswer> again = post(server, {server.spki()});
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(served.back().connection, 2);
  EXPECT_EQ(seen_.back().exporter, served.back().exporter);
  EXPECT_NE(served.front().exporter, served.back().exporter);
}

// Each exchange on a connection of its own.
class ResumptionTest : public TransportTest {
 protected:
  ServerReply answer_once(const ServedRequest& request) {
    served_.push_back(request);
    ServerReply reply = echo(request);
    reply.keep_alive = false;
    return reply;
  }
  // Whether the connection of this exchange was resumed.
  bool resumes(const TlsServer& server, const PinSet& pins) {
    const Result<HttpAnswer> answer = post(server, pins);
    EXPECT_TRUE(answer) << answer.error().text();
    return served_.back().resumed;
  }
  std::vector<ServedRequest> served_;
};

TEST_F(ResumptionTest, GoesOnWithTheLastSessionAndBindsToEachConnection) {
  for (const int version : {0, TLS1_2_VERSION}) {
    TlsServer server([this](const ServedRequest& request) { return answer_once(request); },
                     {.max_tls_version = version});
    served_.clear();
    seen_.clear();
    EXPECT_FALSE(resumes(server, {server.spki()}));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(resumes(server, {server.spki()})) << version;
    // A body may have been made for a connection that was closed meanwhile, too.
    std::set<Bytes> seen;
    for (const TlsFacts& facts : seen_) {
      EXPECT_EQ(facts.spki, server.spki());
      seen.insert(facts.exporter);
    }
    std::set<Bytes> exporters;
    for (const ServedRequest& request : served_) {
      EXPECT_TRUE(seen.contains(request.exporter));
      exporters.insert(request.exporter);
    }
    EXPECT_EQ(exporters.size(), 4U) << "a resumed connection is one of its own";
  }
}

TEST_F(ResumptionTest, ForgetsTheSessionWhenThePinsChange) {
  TlsServer server([this](const ServedRequest& request) { return answer_once(request); });
  Sha256Digest other = server.spki();
  other[0] ^= std::byte{1};
  EXPECT_FALSE(resumes(server, {server.spki()}));
  EXPECT_FALSE(resumes(server, {server.spki(), other}));
  EXPECT_TRUE(resumes(server, {server.spki(), other}));
  for (const PinSet& pins : {PinSet{other}, PinSet{}}) {
    const Result<HttpAnswer> answer = post(server, pins);
    ASSERT_FALSE(answer) << "the key was good before, and is not now";
    EXPECT_TRUE(answer.error().is(TransportError::kUntrusted)) << answer.error().text();
  }
  EXPECT_EQ(served_.size(), 3U);
  EXPECT_FALSE(resumes(server, {server.spki()}));
}

TEST_F(ResumptionTest, KeepsTheSessionOfAConnectionThatBroke) {
  TlsServer server([this](const ServedRequest& request) {
    ServerReply reply = answer_once(request);
    reply.hang_up = request.connection == 1 && served_.size() == 2;
    reply.keep_alive = true;
    return reply;
  });
  EXPECT_FALSE(resumes(server, {server.spki()}));
  EXPECT_TRUE(resumes(server, {server.spki()})) << "on the connection that took its place";
  EXPECT_EQ(served_.size(), 3U);
}

TEST_F(TransportTest, RefusesAKeyThatIsNotPinned) {
  bool reached = false;
  TlsServer server([&reached](const ServedRequest& request) {
    reached = true;
    return echo(request);
  });
  Sha256Digest other = server.spki();
  other[0] ^= std::byte{1};
  const Result<HttpAnswer> answer = post(server, {other});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(TransportError::kUntrusted)) << answer.error().text();
  EXPECT_FALSE(reached);
  EXPECT_TRUE(seen_.empty());
  ASSERT_TRUE(post(server, {other, server.spki()}));
  // The connection that other pins allowed is not used under these.
  EXPECT_FALSE(post(server, {other}));
}

TEST_F(TransportTest, WithoutPinsTheTrustRootsDecide) {
  TlsServer server(echo);
  const Result<HttpAnswer> answer = post(server, {});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(TransportError::kUntrusted)) << answer.error().text();
}

TEST_F(TransportTest, APinnedKeyNeedsNoName) {
  TlsServer server(echo, {.host = "touchmark.example"});
  EXPECT_TRUE(post(server, {server.spki()}));
}

TEST_F(TransportTest, BindsToTls12WithExtendedMasterSecretOnly) {
  std::vector<ServedRequest> served;
  const auto keep = [&served](const ServedRequest& request) {
    served.push_back(request);
    return echo(request);
  };
  TlsServer bound(keep, {.max_tls_version = TLS1_2_VERSION});
  ASSERT_TRUE(post(bound, {bound.spki()}));
  EXPECT_EQ(seen_.back().exporter, served.back().exporter);
  TlsServer unbound(keep, {.max_tls_version = TLS1_2_VERSION, .extended_master_secret = false});
  const Result<HttpAnswer> answer = post(unbound, {unbound.spki()});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(TransportError::kWeakTls)) << answer.error().text();
  EXPECT_EQ(served.size(), 1U);
}

TEST_F(TransportTest, RefusesOldTls) {
  TlsServer server(echo, {.max_tls_version = TLS1_1_VERSION});
  EXPECT_FALSE(post(server, {server.spki()}));
}

TEST_F(TransportTest, BoundsTheAnswer) {
  TlsServer server([](const ServedRequest&) {
    return ServerReply{.body = std::string(protocol::kMaxAnswerBytes + 1, 'x')};
  });
  const Result<HttpAnswer> answer = post(server, {server.spki()});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(TransportError::kTooLarge)) << answer.error().text();
}

// A server that takes a request and keeps silent until the test lets it go.
class SilentServer {
 public:
  explicit SilentServer(std::function<void()> on_request = [] {})
      : on_request_(std::move(on_request)) {}
  ~SilentServer() { release_.set_value(); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  const TlsServer& server() const { return server_; }

 private:
  std::function<void()> on_request_;
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
  TlsServer server_{[this](const ServedRequest&) {
    on_request_();
    released_.wait();
    return ServerReply{.body = {}, .hang_up = true};
  }};
};

// However slow this machine is: with more time, silence takes the place of absence.
TEST_F(TransportTest, SilenceIsATimeout) {
  const SilentServer silent;
  bool timed_out = false;
  for (auto timeout = 500ms; !timed_out && timeout < 60s; timeout *= 4) {
    const Result<HttpAnswer> late = post(silent.server(), {silent.server().spki()}, timeout);
    ASSERT_FALSE(late);
    timed_out = late.error().is(TransportError::kTimeout);
    ASSERT_TRUE(timed_out || late.error().is(TransportError::kUnreachable)) << late.error().text();
  }
  EXPECT_TRUE(timed_out);
}

TEST_F(TransportTest, TellsAbsenceFromABrokenAnswer) {
  TlsServer rude([](const ServedRequest&) { return ServerReply{.body = {}, .hang_up = true}; });
  const Result<HttpAnswer> broken = post(rude, {rude.spki()});
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().is(TransportError::kBroken)) << broken.error().text();

  const Result<HttpAnswer> absent =
      transport_->post("https://127.0.0.1:1/v1/attest", {}, 60s,
                       [](const TlsFacts&) -> Result<std::string> { return ""; });
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().is(TransportError::kUnreachable)) << absent.error().text();
}

TEST_F(TransportTest, PassesTheStatusAndTheMakersError) {
  TlsServer server([](const ServedRequest&) { return ServerReply{.status = 503, .body = "x"}; });
  EXPECT_EQ(post(server, {server.spki()})->status, 503);
  const Result<HttpAnswer> answer = transport_->post(
      server.url(), {server.spki()}, 60s, [](const TlsFacts&) -> Result<std::string> {
        return fail(TransportError::kWeakTls, "the maker's own");
      });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message(), "the maker's own");
}

TEST_F(TransportTest, CanBeCancelled) {
  const SilentServer silent([this] { cancelled_ = true; });
  const Result<HttpAnswer> answer = post(silent.server(), {silent.server().spki()}, 100s);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(TransportError::kCancelled)) << answer.error().text();
}

}  // namespace
}  // namespace touchmark::attester::net
