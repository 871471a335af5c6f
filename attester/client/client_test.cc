// The client over a played service: what it asks, keeps, shares and reports.
#include "attester/client/client.h"

#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <future>

#include "attester/keys/platform_key.h"
#include "attester/testing/platform.h"
#include "attester/testing/testing.h"
#include "base/file.h"
#include "tests/support/held_disk.h"
#include "tests/support/short_memory.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::client {
namespace {

using testing::config_payload;
using testing::FakeBootClock;
using testing::FakeIntegrity;
using testing::sign_config;
using touchmark::testing::BrokenDisk;
using touchmark::testing::HeldDisk;
using touchmark::testing::ShortMemory;
using touchmark::testing::TemporaryFolder;

constexpr const char* kUrl = "https://api.example.com/v2/x";

// Plays the service. Each exchange takes the next prepared failure, if there is one.
struct PlayedService {
  std::mutex mutex;
  std::vector<std::string> urls;
  std::vector<Json> evidence;
  std::deque<Error> failures;
  std::deque<long> statuses;
  std::string update;
  bool next_challenge = true;
  std::atomic<int> tokens = 0;  // a renewal may give one at any time
  std::function<void()> before_answer = [] {};

  Json challenge() {
    const std::string fill(40, static_cast<char>('a' + tokens));
    return {{"nonce", base64url_encode(as_bytes(fill))},
            {"expires_in", 120},
            {"ranges", {{"classes.dex", 0, 16}}},
            {"time", 1790000000}};
  }

  Json attested(const std::string& body) {
    const Json request = *parse_json(body);
    evidence.push_back(crypto::verify_es256_with_header_key(request["evidence"].get<std::string>(),
                                                            "touchmark-evidence+jwt")
                           ->payload.root()
                           .to_json());
    ++tokens;
    Json answer = {{"token", "token-" + std::to_string(tokens)}, {"expires_in", 300}};
    if (next_challenge) answer["challenge"] = challenge();
    if (!update.empty()) answer["config"] = update;
    return answer;
  }
};

class PlayedTransport final : public net::Transport {
 public:
  explicit PlayedTransport(PlayedService& service) : service_(service) {}
  Result<net::HttpAnswer> post(const std::string& url, const PinSet& pins,
                               std::chrono::milliseconds, const net::BodyMaker& body) override {
    EXPECT_EQ(pins.size(), 2U);
    service_.before_answer();
    const std::lock_guard lock(service_.mutex);
    service_.urls.push_back(url);
    if (!service_.failures.empty()) {
      const Error failure = service_.failures.front();
      service_.failures.pop_front();
      return tl::unexpected<Error>(failure);
    }
    net::TlsFacts facts{.exporter = Bytes(32, std::byte{7}), .spki = {}};
    const Result<std::string> text = body(facts);
    if (!text) return pass(text);
    if (!service_.statuses.empty()) {
      const long status = service_.statuses.front();
      service_.statuses.pop_front();
      return net::HttpAnswer{status, "{}"};
    }
    const Json answer =
        url.ends_with("/v1/challenge") ? service_.challenge() : service_.attested(*text);
    return net::HttpAnswer{200, answer.dump() + "   "};
  }

 private:
  PlayedService& service_;
};

class SetClock final : public Clock {
 public:
  explicit SetClock(std::shared_ptr<std::atomic<std::int64_t>> seconds)
      : seconds_(std::move(seconds)) {}
  UnixTime now() const override { return from_unix(*seconds_); }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> seconds_;
};

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  // With the key store in `platform_`.
  void open_on_platform() {
    on_platform_ = true;
    open();
  }

  void open() {
    client_.reset();
    ClientParts parts{
        .initial = *parse_initial_config(sign_config(config_payload(key_), key_)),
        .storage = *keys::Storage::open(dir_.path()),
        .integrity = std::make_unique<FakeIntegrity>(),
        .sdk = {
            .sdk_platform = "Linux", .package_name = "org.example", .platform = Json::object()}};
    parts.boot_clock = std::make_unique<FakeBootClock>(time_);
    parts.make_transport = [this](const std::atomic<bool>&) {
      return std::make_unique<PlayedTransport>(service_);
    };
    parts.clock = std::make_unique<SetClock>(clock_);
    if (on_platform_) {
      parts.platform_keys = *keys::make_platform_keys(platform_.provider(), "acct");
    }
    client_ = Client::open(std::move(parts));
  }
  std::string token(const std::string& binding = "") {
    const Result<Token> token = client_->fetch(kUrl, binding);
    return token ? token->token : token.error().id();
  }
  void advance(std::chrono::seconds by) { time_->fetch_add(std::chrono::milliseconds(by).count()); }
  // Waits for the client's own thread to have done what is queued before.
  void settle() {
    std::promise<void> done;
    client_->fetch_async("not a url", "", [&done](const Result<Token>&) { done.set_value(); });
    done.get_future().wait();
  }

  crypto::EcKey key_ = crypto::EcKey::generate();
  TemporaryFolder dir_;
  std::shared_ptr<std::atomic<std::int64_t>> time_ =
      std::make_shared<std::atomic<std::int64_t>>(1'000'000);
  std::shared_ptr<std::atomic<std::int64_t>> clock_ =
      std::make_shared<std::atomic<std::int64_t>>(1790000000);
  PlayedService service_;
  testing::FakePlatform platform_;
  bool on_platform_ = false;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, AttestsOnceThenAnswersFromTheCache) {
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(token(), "token-1");
  EXPECT_THAT(service_.urls, ::testing::ElementsAre("https://one.example:8443/v1/challenge",
                                                    "https://one.example:8443/v1/attest"));
  const Json& evidence = service_.evidence.at(0);
  EXPECT_EQ(evidence["account"], "acct");
  EXPECT_EQ(evidence["config_version"], 1);
  EXPECT_EQ(evidence["sdk"]["build"], "host");
  EXPECT_EQ(evidence["sdk"]["key"], "software");
  EXPECT_EQ(evidence["checks"].size(), 5U);
  EXPECT_EQ(evidence["findings"][0]["id"], "app.unreadable");
  EXPECT_EQ(evidence["tls"]["exporter"], base64url_encode(Bytes(32, std::byte{7})));
  EXPECT_FALSE(evidence.contains("pay"));
  const Bytes nonce = *base64url_decode(evidence["eat_nonce"].get<std::string>());
  EXPECT_EQ(evidence["range_proof"],
            base64url_encode(crypto::sha256(as_bytes(to_string(nonce) + "classes.dex"))));
}

TEST_F(ClientTest, ARefreshTakesTheChallengeOfTheLastAnswer) {
  token();
  client_->discard_tokens();
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(service_.urls.size(), 3U);
  EXPECT_NE(service_.evidence[0]["eat_nonce"], service_.evidence[1]["eat_nonce"]);
  client_->discard_tokens();
  advance(std::chrono::seconds(115));  // that challenge is about to end
  EXPECT_EQ(token(), "token-3");
  EXPECT_EQ(service_.urls.size(), 5U);
}

TEST_F(ClientTest, BindsTokens) {
  EXPECT_EQ(token("Bearer abc"), "token-1");
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(token("Bearer abc"), "token-1");
  EXPECT_EQ(service_.evidence[0]["pay"], base64_encode(crypto::sha256(as_bytes("Bearer abc"))));
}

TEST_F(ClientTest, RenewsAnAgeingTokenInTheBackground) {
  EXPECT_EQ(token(), "token-1");
  advance(std::chrono::seconds(210));
  EXPECT_EQ(token(), "token-1");
  settle();
  EXPECT_EQ(token(), "token-2");
}

TEST_F(ClientTest, AnAgeingTokenServesWhileTheServiceIsAway) {
  token();
  advance(std::chrono::seconds(210));
  for (int i = 0; i < 8; ++i) service_.failures.emplace_back(TransportError::kUnreachable, "away");
  EXPECT_EQ(token(), "token-1");
  settle();
  EXPECT_EQ(token(), "token-1");
  settle();
  advance(std::chrono::seconds(90));
  EXPECT_EQ(token(), "token-2");
}

TEST_F(ClientTest, FailsOverAndRetries) {
  service_.failures.emplace_back(TransportError::kUnreachable, "one is away");
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(service_.urls[1], "https://two.example/v1/challenge");
  client_->discard_tokens();
  service_.urls.clear();
  service_.failures.emplace_back(TransportError::kBroken, "the answer was lost");
  service_.statuses = {503};
  EXPECT_EQ(token(), "token-2");
  // Each attempt that lost its challenge asks for another.
  EXPECT_THAT(service_.urls, ::testing::ElementsAre("https://one.example:8443/v1/attest",
                                                    "https://two.example/v1/challenge",
                                                    "https://one.example:8443/v1/challenge",
                                                    "https://one.example:8443/v1/attest"));
}

TEST_F(ClientTest, ReportsTheFailureThatTellsMost) {
  const auto all_fail = [this](TransportError first, TransportError rest) {
    service_.failures.clear();
    service_.failures.emplace_back(first, "");
    for (int i = 0; i < 3; ++i) service_.failures.emplace_back(rest, "");
    return token();
  };
  EXPECT_EQ(all_fail(TransportError::kUntrusted, TransportError::kUnreachable),
            "transport.untrusted");
  EXPECT_EQ(all_fail(TransportError::kUnreachable, TransportError::kUnreachable),
            "transport.unreachable");
  EXPECT_EQ(all_fail(TransportError::kTimeout, TransportError::kUnreachable), "transport.timeout");
  EXPECT_EQ(service_.failures.size(), 0U);  // 2 rounds over 2 URLs each time
}

TEST_F(ClientTest, DoesNotRepeatWhatTheServiceRefuses) {
  service_.statuses = {400};
  EXPECT_EQ(token(), "client.bad-answer");
  EXPECT_EQ(service_.urls.size(), 1U);
}

TEST_F(ClientTest, NoTokenForAnUnknownHost) {
  EXPECT_TRUE(client_->fetch("https://other.example/", "").error().is(ClientError::kUnknownUrl));
  EXPECT_TRUE(client_->fetch("http://api.example.com/", "").error().is(ClientError::kBadArgument));
  EXPECT_TRUE(service_.urls.empty());
}

TEST_F(ClientTest, TakesAnUpdateAndKeepsIt) {
  Json payload = config_payload(key_, 5);
  payload["token"]["header"] = "X-New";
  payload["api"][0]["pins"] = {testing::pin_text(9)};
  service_.update = sign_config(payload, key_);
  const Result<Token> fetched = client_->fetch(kUrl, "");
  ASSERT_TRUE(fetched);
  EXPECT_TRUE(fetched->config_changed);
  EXPECT_EQ(fetched->header, "X-New");
  Sha256Digest pin;
  pin.fill(std::byte{9});
  EXPECT_TRUE(client_->pin_allows("api.example.com", std::span(&pin, 1)));
  service_.update.clear();
  open();  // the next start of the app
  EXPECT_EQ(client_->config()->version, 5);
  EXPECT_EQ(client_->fetch(kUrl, "")->config_changed, false);
  EXPECT_EQ(service_.evidence.back()["config_version"], 5);
}

TEST_F(ClientTest, AsksForTheKeysOfEachApi) {
  Json payload = config_payload(key_, 5);
  payload["api"][0]["keyset"] = "partners";
  service_.update = sign_config(payload, key_);
  EXPECT_EQ(token(), "token-1") << "the configuration before named no keyset";
  EXPECT_FALSE(service_.evidence.back().contains("keyset"));
  service_.update.clear();
  EXPECT_EQ(token(), "token-2") << "that of the default keys is no good here any longer";
  EXPECT_EQ(service_.evidence.back()["keyset"], "partners");
  EXPECT_EQ(token(), "token-2");
  const Result<Token> other = client_->fetch("https://open.example.com:444/", "");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->token, "token-1") << "still of the default keys";
}

TEST_F(ClientTest, RefusesAForeignUpdateButTakesTheToken) {
  service_.update = sign_config(config_payload(key_, 5), crypto::EcKey::generate());
  const Result<Token> fetched = client_->fetch(kUrl, "");
  ASSERT_TRUE(fetched);
  EXPECT_FALSE(fetched->config_changed);
  EXPECT_THAT(fetched->note, ::testing::HasSubstr("config.bad-signature"));
  EXPECT_EQ(client_->config()->version, 1);
}

TEST_F(ClientTest, ManyCallersShareOneAttestation) {
  std::promise<void> go;
  service_.before_answer = [wait = go.get_future().share()] { wait.wait(); };
  std::vector<std::future<std::string>> callers;
  for (int i = 0; i < 16; ++i)
    callers.push_back(std::async(std::launch::async, [this] { return token(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  go.set_value();
  for (auto& caller : callers) EXPECT_EQ(caller.get(), "token-1");
  EXPECT_EQ(service_.evidence.size(), 1U);
}

TEST_F(ClientTest, ATokenAskedForBeforeADiscardIsNotKept) {
  service_.before_answer = [this] { client_->discard_tokens(); };
  EXPECT_EQ(token(), "token-1");
  service_.before_answer = [] {};
  EXPECT_EQ(token(), "token-2");
}

TEST_F(ClientTest, AsynchronousFetchCallsBackOnce) {
  std::promise<std::string> done;
  EXPECT_TRUE(client_->fetch_async(
      kUrl, "", [&done](const Result<Token>& token) { done.set_value(token->token); }));
  EXPECT_EQ(done.get_future().get(), "token-1");
}

TEST_F(ClientTest, ClosingCutsRetriesShortAndCallsEveryCallback) {
  Json slow = config_payload(key_, 2);
  slow["retry"] = {
      {"attempts", 10}, {"initial_ms", 60000}, {"max_ms", 60000}, {"timeout_ms", 1000}};
  service_.update = sign_config(slow, key_);
  token();
  client_->discard_tokens();
  for (int i = 0; i < 20; ++i) service_.failures.emplace_back(TransportError::kUnreachable, "away");
  std::atomic<int> called = 0;
  for (int i = 0; i < 3; ++i) {
    client_->fetch_async(kUrl, std::to_string(i), [&called](const Result<Token>& token) {
      EXPECT_FALSE(token);
      ++called;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto start = std::chrono::steady_clock::now();
  client_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(called, 3);
}

// --- Exceptions ----------------------------------------------------------------------------------

const std::vector<std::function<void()>>& throwers() {
  static const std::vector<std::function<void()>> all = {
      [] { throw std::bad_alloc(); }, [] { throw std::runtime_error("in the transport"); },
      [] { throw 7; }};
  return all;
}

TEST_F(ClientTest, AnExceptionIsAnOutcomeAndTheNextFetchGoesOn) {
  int expected = 0;
  for (const auto& thrower : throwers()) {
    client_->discard_tokens();
    service_.before_answer = thrower;
    EXPECT_EQ(token(), "client.internal");
    EXPECT_EQ(token("bound"), "client.internal");
    service_.before_answer = [] {};
    EXPECT_EQ(token(), "token-" + std::to_string(++expected));
  }
  service_.before_answer = throwers()[1];
  client_->discard_tokens();
  EXPECT_THAT(client_->fetch(kUrl, "").error().message(), ::testing::HasSubstr("in the transport"));
}

TEST_F(ClientTest, WhoeverSharesAnAttestationSharesItsException) {
  for (const auto& thrower : throwers()) {
    std::promise<void> go;
    service_.before_answer = [wait = go.get_future().share(), thrower] {
      wait.wait();
      thrower();
    };
    std::vector<std::future<std::string>> callers;
    for (int i = 0; i < 8; ++i) {
      callers.push_back(std::async(std::launch::async, [this] { return token(); }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    go.set_value();
    for (auto& caller : callers) {
      ASSERT_EQ(caller.wait_for(std::chrono::seconds(60)), std::future_status::ready);
      EXPECT_EQ(caller.get(), "client.internal");
    }
  }
  // And the client can be closed.
  auto closed = std::async(std::launch::async, [this] { client_.reset(); });
  ASSERT_EQ(closed.wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST_F(ClientTest, ACallbackIsCalledWhateverIsThrownAndMayThrowItself) {
  std::vector<std::string> seen;
  for (const auto& thrower : throwers()) {
    service_.before_answer = thrower;
    EXPECT_TRUE(client_->fetch_async(kUrl, "", [&](const Result<Token>& token) {
      seen.push_back(token ? token->token : token.error().id());
      thrower();
    }));
    settle();
  }
  service_.before_answer = [] {};
  EXPECT_TRUE(client_->fetch_async(
      kUrl, "", [&](const Result<Token>& token) { seen.push_back(token->token); }));
  settle();
  EXPECT_THAT(seen, ::testing::ElementsAre("client.internal", "client.internal", "client.internal",
                                           "token-1"));
}

TEST_F(ClientTest, ARenewalThatThrowsIsTriedAgain) {
  token();
  advance(std::chrono::seconds(210));
  for (const auto& thrower : throwers()) {
    service_.before_answer = thrower;
    EXPECT_EQ(token(), "token-1");
    settle();
  }
  service_.before_answer = [] {};
  EXPECT_EQ(token(), "token-1");
  settle();
  EXPECT_EQ(token(), "token-2");
}

// Whichever allocation fails: no hang, no lost callback, and the next fetch is as any other.
TEST_F(ClientTest, MemoryMayEndAnywhere) {
  token();
  bool struck = true;
  for (long after = 0; struck; ++after) {
    client_->discard_tokens();
    std::string outcome;
    {
      const ShortMemory memory(after, ShortMemory::kPastJson);
      try {
        const Result<Token> token = client_->fetch(kUrl, "binding");
        outcome = token ? "a token" : "an error";
      } catch (const std::bad_alloc&) {
        outcome = "thrown";
      }
      struck = memory.has_struck();
    }
    ASSERT_EQ(token("binding").substr(0, 6), "token-") << after << " " << outcome;
    if (!struck) {
      EXPECT_EQ(outcome, "a token");
    }
    ASSERT_LT(after, 100'000);
  }
  struck = true;
  for (long after = 0; struck; ++after) {
    std::atomic<int> called = 0;
    bool queued = false;
    {
      const ShortMemory memory(after);
      try {
        queued = client_->fetch_async(kUrl, "", [&called](const Result<Token>&) { ++called; });
      } catch (const std::bad_alloc&) {
      }
      struck = memory.has_struck();
    }
    settle();
    EXPECT_EQ(called, queued ? 1 : 0) << after;
    ASSERT_LT(after, 1000);
  }
  struck = true;
  for (long after = 0; struck; ++after) {
    client_->discard_tokens();
    token();
    advance(std::chrono::seconds(210));
    {
      const ShortMemory memory(after);  // while a renewal is queued
      try {
        static_cast<void>(client_->fetch(kUrl, ""));
      } catch (const std::bad_alloc&) {
      }
      struck = memory.has_struck();
    }
    const int before = service_.tokens;
    token();
    settle();
    EXPECT_GT(service_.tokens + (struck ? 0 : 1), before) << after;
    ASSERT_LT(after, 1000);
  }
}

// A phone whose battery was empty says 1970, another is a decade ahead, and users set clocks.
TEST_F(ClientTest, ADeviceWhoseTimeIsWrongGetsAndKeepsTokens) {
  for (const std::int64_t wrong :
       {std::int64_t{0}, std::int64_t{978307200}, std::int64_t{4102444800}}) {
    *clock_ = wrong;
    open();
    const std::string first = token();
    EXPECT_TRUE(first.starts_with("token-")) << first;
    // A day to and fro makes the token neither older nor younger.
    *clock_ += 86'400;
    EXPECT_EQ(token(), first);
    *clock_ -= 2 * 86'400;
    EXPECT_EQ(token(), first);
    advance(std::chrono::seconds(400));
    EXPECT_NE(token(), first);
  }
}

TEST_F(ClientTest, OpensWithoutAskingThePlatform) {
  platform_.cannot_load = true;
  open_on_platform();
  EXPECT_EQ(platform_.loads, 0);
}

// The same for the disk: what a slow one holds up is the first fetch, which waits for the network
// as well, and no key is told before it is kept.
TEST_F(ClientTest, OpensWithoutWaitingForTheDisk) {
  HeldDisk disk;
  open();
  EXPECT_TRUE(client_->is_protected("api.example.com"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
  EXPECT_EQ(disk.calls(), 0);
  auto fetched = std::async(std::launch::async, [this] { return token(); });
  auto id = std::async(std::launch::async, [this] { return client_->device_id(); });
  ASSERT_TRUE(disk.await_call());
  using std::chrono::milliseconds;
  EXPECT_EQ(fetched.wait_for(milliseconds(100)), std::future_status::timeout);
  EXPECT_EQ(id.wait_for(milliseconds(0)), std::future_status::timeout);
  EXPECT_TRUE(service_.evidence.empty());
  // Neither is who asks about hosts, nor who opens another client.
  EXPECT_TRUE(client_->is_protected("api.example.com"));
  EXPECT_TRUE(keys::Storage::open(dir_.path()));
  disk.release();
  EXPECT_EQ(fetched.get(), "token-1");
  EXPECT_EQ(id.get().size(), 24U);
  EXPECT_EQ(service_.evidence.size(), 1U);
  const std::string kept = client_->device_id();
  open();
  EXPECT_EQ(client_->device_id(), kept);
}

TEST_F(ClientTest, AClientWhoseKeyIsKeptNeedsNoDisk) {
  const std::string kept = client_->device_id();
  const HeldDisk disk;
  open();
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(client_->device_id(), kept);
  EXPECT_EQ(disk.calls(), 0);
}

TEST_F(ClientTest, ADiskThatFailsIsTheFetchsErrorUntilItWorks) {
  {
    const BrokenDisk disk;
    open();
    EXPECT_EQ(token(), "client.storage");
    EXPECT_EQ(client_->device_id(), "");
    // Each fetch tries again, and nobody was told of a key.
    EXPECT_EQ(token(), "client.storage");
    EXPECT_TRUE(service_.evidence.empty());
  }
  EXPECT_EQ(token(), "token-1");
  const std::string kept = client_->device_id();
  EXPECT_EQ(kept.size(), 24U);
  open();
  EXPECT_EQ(client_->device_id(), kept);
}

// Of a platform's key nothing is written, so it needs no disk either.
TEST_F(ClientTest, ADiskThatFailsIsNothingToAPlatformsKey) {
  const BrokenDisk disk;
  open_on_platform();
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "fake-keystore");
}

TEST_F(ClientTest, ProcessesThatOpenTogetherAreOneInstallation) {
  client_.reset();
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      open();
      const auto name = dir_.path() / ("id-of-" + std::to_string(i));
      ::_exit(write_file_atomic(name, as_bytes(client_->device_id())) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  open();
  const std::string id = client_->device_id();
  EXPECT_EQ(id.size(), 24U);
  for (int i = 0; i < 6; ++i) {
    const Bytes other = *read_file(dir_.path() / ("id-of-" + std::to_string(i)), 64);
    EXPECT_EQ(as_text(other), id);
  }
}

TEST_F(ClientTest, AKeyThatCannotSignNowIsNoFailureOfTheFetch) {
  open_on_platform();
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "fake-keystore");
  platform_.cannot_sign = true;
  client_->discard_tokens();
  const Result<Token> marked = client_->fetch(kUrl, "");
  ASSERT_TRUE(marked) << marked.error().text();
  EXPECT_NE(marked->note.find("sign: out of order"), std::string::npos) << marked->note;
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "software");
  platform_.cannot_sign = false;
  advance(keys::KeyRing::kFirstWait);
  client_->discard_tokens();
  const Result<Token> again = client_->fetch(kUrl, "");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->note, "");
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "fake-keystore");
  EXPECT_EQ(platform_.challenges.size(), 1U);
}

TEST_F(ClientTest, AKeyThatWasInvalidatedIsReplacedOnce) {
  open_on_platform();
  EXPECT_EQ(token(), "token-1");
  platform_.key.reset();
  client_->discard_tokens();
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "fake-keystore");
  EXPECT_EQ(platform_.challenges.size(), 2U);
  // A key store that loses whatever it makes is asked for one key and then left alone.
  platform_.loses_keys = true;
  client_->discard_tokens();
  EXPECT_EQ(token(), "token-3");
  EXPECT_EQ(service_.evidence.back()["sdk"]["key"], "software");
  for (int i = 0; i < 20; ++i) {
    client_->discard_tokens();
    EXPECT_TRUE(token().starts_with("token-"));
  }
  EXPECT_EQ(platform_.challenges.size(), 3U);
}

TEST_F(ClientTest, PinsHoldForConfiguredHostsOnly) {
  Sha256Digest good;
  good.fill(std::byte{3});
  const Sha256Digest bad{};
  EXPECT_TRUE(client_->pin_allows("api.example.com", std::span(&good, 1)));
  EXPECT_FALSE(client_->pin_allows("api.example.com:8443", std::span(&bad, 1)));
  EXPECT_TRUE(client_->pin_allows("open.example.com:444", std::span(&bad, 1)));
  EXPECT_TRUE(client_->pin_allows("other.example", std::span(&bad, 1)));
  EXPECT_FALSE(client_->pin_allows("not a host", std::span(&good, 1)));
  EXPECT_TRUE(client_->is_protected("API.example.com"));
  EXPECT_FALSE(client_->is_protected("other.example"));
}

}  // namespace
}  // namespace touchmark::attester::client
