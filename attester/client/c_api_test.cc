// The C interface over a real TLS connection, with the real checks.
#include <future>

#include "attester/include/touchmark.h"
#include "attester/testing/certificate.h"
#include "attester/testing/platform.h"
#include "attester/testing/testing.h"
#include "attester/testing/tls_server.h"
#include "protocol/device_id.h"
#include "tests/support/held_disk.h"
#include "tests/support/short_memory.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::client {
namespace {

using testing::config_payload;
using testing::ServedRequest;
using testing::ServerReply;
using testing::sign_config;
using testing::TlsServer;
using touchmark::testing::BrokenDisk;
using touchmark::testing::HeldDisk;
using touchmark::testing::ShortMemory;
using touchmark::testing::TemporaryFolder;

class CApiTest : public ::testing::Test {
 protected:
  ~CApiTest() override { touchmark_close(client_); }

  ServerReply answer(const ServedRequest& request) {
    const Json challenge = {{"nonce", base64url_encode(Bytes(40, std::byte{1}))},
                            {"expires_in", 120},
                            {"ranges", Json::array()}};
    if (request.path == "/v1/challenge") return {.body = challenge.dump()};
    const auto jws = crypto::verify_es256_with_header_key(
        (*parse_json(request.body))["evidence"].get<std::string>(), "touchmark-evidence+jwt");
    evidence_ = jws->payload.root().to_json();
    signer_ = jws->key.public_der();
    exporter_ = request.exporter;
    return {.body = Json{{"token", "the.token.text"},
                         {"expires_in", 300},
                         {"arc", "AEAQ"},
                         {"challenge", challenge}}
                        .dump()};
  }

  std::string config(const PinSet& pins) {
    Json payload = config_payload(key_);
    payload["service"]["urls"] = {server_.url()};
    payload["service"]["pins"] = Json::array();
    for (const Sha256Digest& pin : pins) payload["service"]["pins"].push_back(base64_encode(pin));
    return sign_config(payload, key_);
  }

  touchmark_status open(const std::string& config_text) {
    touchmark_options options{};
    options.size = sizeof options;
    options.config = config_text.c_str();
    const std::string storage = dir_.path().string();
    options.storage_dir = storage.c_str();
    options.package_name = "org.example.app";
    options.platform_json =
        R"({"os":"linux","model":"lab","hardware":"x","build_tags":"release-keys","api_level":34})";
    options.key_provider = key_provider_;
    options.observer = observer_;
    return touchmark_open(&options, &client_, &message_);
  }

  crypto::EcKey key_ = crypto::EcKey::generate();
  TemporaryFolder dir_;
  const touchmark_key_provider* key_provider_ = nullptr;
  const touchmark_observer* observer_ = nullptr;
  Json evidence_;
  Bytes signer_;
  Bytes exporter_;
  TlsServer server_{[this](const ServedRequest& request) { return answer(request); }};
  touchmark_client* client_ = nullptr;
  const char* message_ = nullptr;
};

constexpr const char* kUrl = "https://api.example.com/v2";

TEST_F(CApiTest, FetchesATokenBoundToItsConnection) {
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  touchmark_result result{};
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, "Bearer x", &result), TOUCHMARK_OK)
      << result.message;
  EXPECT_STREQ(result.token, "the.token.text");
  EXPECT_STREQ(result.header, "Touchmark-Token");
  EXPECT_STREQ(result.prefix, "");
  EXPECT_STREQ(result.arc, "AEAQ");
  EXPECT_EQ(result.message, nullptr);
  EXPECT_GT(result.expires_in, 290);
  touchmark_result_free(&result);
  EXPECT_EQ(result.token, nullptr);

  EXPECT_EQ(evidence_["tls"]["exporter"], base64url_encode(exporter_));
  EXPECT_EQ(evidence_["tls"]["spki"], base64url_encode(server_.spki()));
  EXPECT_EQ(evidence_["app"]["package"], "org.example.app");
  EXPECT_EQ(evidence_["platform"]["model"], "lab");
  EXPECT_FALSE(evidence_["platform"].contains("build_tags"));
  EXPECT_FALSE(evidence_["platform"].contains("hardware"));
  EXPECT_EQ(evidence_["pay"], base64_encode(crypto::sha256(as_bytes("Bearer x"))));
  EXPECT_EQ(evidence_["checks"].size(), 5U);
  EXPECT_EQ(Bytes(base64_decode(touchmark_device_id(client_)).value()).size(), 16U);
  EXPECT_EQ(touchmark_config_version(client_), 1);
}

TEST_F(CApiTest, SignsWithThePlatformsKeyAndSendsItsEvidence) {
  testing::FakePlatform platform;
  const touchmark_key_provider provider = platform.provider();
  key_provider_ = &provider;
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  EXPECT_STREQ(touchmark_device_id(client_), "");
  touchmark_result result{};
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  touchmark_result_free(&result);
  EXPECT_EQ(signer_, platform.key->public_der());
  EXPECT_EQ(platform.challenges, (std::vector<Bytes>{Bytes(40, std::byte{1})}));
  EXPECT_EQ(evidence_["sdk"]["key"], "fake-keystore");
  EXPECT_EQ(evidence_["submods"]["fake"]["nonce"], evidence_["eat_nonce"]);
  EXPECT_EQ(touchmark_device_id(client_), protocol::device_id(*platform.key));

  // The platform loses the key: the next attestation makes another, and answers with that.
  platform.key.reset();
  touchmark_discard_tokens(client_);
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  touchmark_result_free(&result);
  EXPECT_EQ(signer_, platform.key->public_der());
  EXPECT_EQ(platform.challenges.size(), 2U);
}

// What an observer of the platform does, which a test sets.
struct Observing {
  std::string json;
  int asked = 0;
  bool throws = false;

  touchmark_observer observer() {
    return {.size = sizeof(touchmark_observer),
            .context = this,
            .observe = [](void* context, touchmark_bytes* json) {
              auto& self = *static_cast<Observing*>(context);
              ++self.asked;
              if (self.throws) throw std::runtime_error("of the platform's own");
              touchmark_bytes_set(json, self.json.data(), self.json.size());
            }};
  }
};

TEST_F(CApiTest, AsksTheObserverAtEachAttestation) {
  Observing platform{.json = R"({"facts":{"debuggable":1,"vpn":1}})"};
  const touchmark_observer observer = platform.observer();
  observer_ = &observer;
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  const auto found = [this] {
    touchmark_discard_tokens(client_);
    touchmark_result result{};
    EXPECT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
    touchmark_result_free(&result);
    std::vector<std::string> ids;
    for (const Json& finding : evidence_["findings"]) {
      const std::string id = finding["id"];
      // What else is found is this test program's, which is no app.
      if (id.starts_with("surroundings.") || id == "debug.debuggable") ids.push_back(id);
    }
    return ids;
  };
  EXPECT_EQ(found(), (std::vector<std::string>{"debug.debuggable", "surroundings.vpn"}));
  EXPECT_EQ(platform.asked, 1);
  for (const char* nothing : {"", "{}", "[]", "{\"facts\":7}", "{\"facts\":{\"vpn\":\"x\"}}"}) {
    platform.json = nothing;
    EXPECT_TRUE(found().empty()) << nothing;
  }
  platform.json = std::string(1 << 20, ' ');
  EXPECT_TRUE(found().empty());
  platform.throws = true;
  EXPECT_TRUE(found().empty());
}

TEST_F(CApiTest, AnObserverWithoutItsFunctionIsNoObserver) {
  Observing platform;
  touchmark_observer observer = platform.observer();
  observer.observe = nullptr;
  observer_ = &observer;
  EXPECT_EQ(open(config({server_.spki()})), TOUCHMARK_INVALID_ARGUMENT);
  observer = platform.observer();
  observer.size = sizeof(size_t);
  EXPECT_EQ(open(config({server_.spki()})), TOUCHMARK_INVALID_ARGUMENT);
}

TEST(CertificatePin, IsTheDigestOfTheKey) {
  const openssl::Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
  std::string der = testing::der_of(testing::self_signed(key.get(), "localhost").get());
  Sha256Digest pin;
  auto* out = reinterpret_cast<uint8_t*>(pin.data());
  ASSERT_EQ(touchmark_certificate_pin(der.data(), der.size(), out), 1);
  EXPECT_EQ(pin, crypto::sha256(as_bytes(testing::spki_of(key.get()))));
  EXPECT_EQ(touchmark_certificate_pin(der.data(), der.size() - 1, out), 0);
  der.push_back('x');
  EXPECT_EQ(touchmark_certificate_pin(der.data(), der.size(), out), 0);
  EXPECT_EQ(touchmark_certificate_pin(nullptr, 0, out), 0);
}

TEST_F(CApiTest, TakesOptionsOfAnOlderHeader) {
  touchmark_options options{};
  options.size = offsetof(touchmark_options, key_provider);
  const std::string text = config({server_.spki()});
  const std::string storage = dir_.path().string();
  options.config = text.c_str();
  options.storage_dir = storage.c_str();
  options.key_provider = reinterpret_cast<const touchmark_key_provider*>(1);  // not to be read
  EXPECT_EQ(touchmark_open(&options, &client_, &message_), TOUCHMARK_OK);
}

TEST_F(CApiTest, CallsBackFromItsOwnThread) {
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  struct Seen {
    std::promise<std::string> token;
    std::thread::id thread;
  } seen;
  const auto done = [](void* context, touchmark_result* result) {
    auto* out = static_cast<Seen*>(context);
    out->thread = std::this_thread::get_id();
    out->token.set_value(result->token == nullptr ? "" : result->token);
  };
  ASSERT_EQ(touchmark_fetch_token_async(client_, kUrl, nullptr, done, &seen), TOUCHMARK_OK);
  EXPECT_EQ(seen.token.get_future().get(), "the.token.text");
  EXPECT_NE(seen.thread, std::this_thread::get_id());
}

TEST_F(CApiTest, ReportsAStrangersKey) {
  ASSERT_EQ(open(config({Sha256Digest{}})), TOUCHMARK_OK);
  touchmark_result result{};
  EXPECT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_MITM_DETECTED);
  EXPECT_EQ(result.token, nullptr);
  EXPECT_THAT(result.message, ::testing::HasSubstr("not a pinned one"));
  touchmark_result_free(&result);
  EXPECT_TRUE(evidence_.is_null());
}

TEST_F(CApiTest, ExplainsWhyItDoesNotOpen) {
  EXPECT_EQ(open("not.a.config"), TOUCHMARK_BAD_CONFIG);
  EXPECT_THAT(message_, ::testing::HasSubstr("config.malformed"));
  EXPECT_EQ(client_, nullptr);
  touchmark_options options{};
  EXPECT_EQ(touchmark_open(&options, &client_, &message_), TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(touchmark_open(nullptr, &client_, nullptr), TOUCHMARK_INVALID_ARGUMENT);
  const std::string text = config({});
  options.size = sizeof options;
  options.config = text.c_str();
  options.storage_dir = "/dev/null/x";
  EXPECT_EQ(touchmark_open(&options, &client_, &message_), TOUCHMARK_STORAGE);
  options.storage_dir = dir_.path().c_str();
  options.platform_json = "[1]";
  EXPECT_EQ(touchmark_open(&options, &client_, &message_), TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(client_, nullptr);
}

TEST_F(CApiTest, OpensWithoutTheDiskAndTellsOfItWhenAsked) {
  {
    const HeldDisk disk;
    ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
    EXPECT_EQ(touchmark_is_protected(client_, "api.example.com"), 1);
    EXPECT_EQ(disk.calls(), 0);
  }
  touchmark_result result{};
  {
    const BrokenDisk disk;
    EXPECT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_STORAGE);
    EXPECT_THAT(result.message, ::testing::HasSubstr("client.storage"));
    touchmark_result_free(&result);
    EXPECT_STREQ(touchmark_device_id(client_), "");
    EXPECT_TRUE(evidence_.is_null());
  }
  EXPECT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  touchmark_result_free(&result);
  EXPECT_EQ(std::string(touchmark_device_id(client_)).size(), 24U);
}

TEST_F(CApiTest, MissingArgumentsAreNoCrash) {
  touchmark_set_package_path(nullptr, "/data/app/org.x-1/base.apk");
  touchmark_result result{};
  EXPECT_EQ(touchmark_fetch_token(nullptr, kUrl, nullptr, &result), TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(touchmark_pin_allows(nullptr, "a", nullptr, 0), 0);
  EXPECT_EQ(touchmark_is_protected(nullptr, "a"), 0);
  EXPECT_EQ(touchmark_device_id(nullptr), nullptr);
  touchmark_discard_tokens(nullptr);
  touchmark_result_free(nullptr);
  touchmark_close(nullptr);
  ASSERT_EQ(open(config({})), TOUCHMARK_OK);
  EXPECT_EQ(touchmark_fetch_token(client_, nullptr, nullptr, &result), TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, nullptr), TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(touchmark_fetch_token_async(client_, kUrl, nullptr, nullptr, nullptr),
            TOUCHMARK_INVALID_ARGUMENT);
  EXPECT_EQ(touchmark_fetch_token(client_, "nonsense", nullptr, &result),
            TOUCHMARK_INVALID_ARGUMENT);
  touchmark_result_free(&result);
  EXPECT_EQ(touchmark_fetch_token(client_, "https://other.example", nullptr, &result),
            TOUCHMARK_UNKNOWN_URL);
  touchmark_result_free(&result);
}

TEST_F(CApiTest, JudgesPins) {
  ASSERT_EQ(open(config({})), TOUCHMARK_OK);
  std::uint8_t chain[2][32] = {};
  EXPECT_EQ(touchmark_pin_allows(client_, "api.example.com:443", chain, 2), 0);
  std::ranges::fill(chain[1], std::uint8_t{3});
  EXPECT_EQ(touchmark_pin_allows(client_, "api.example.com:443", chain, 2), 1);
  EXPECT_EQ(touchmark_pin_allows(client_, "api.example.com", chain, 1), 0);
  EXPECT_EQ(touchmark_pin_allows(client_, "unknown.example", chain, 1), 1);
  EXPECT_EQ(touchmark_is_protected(client_, "api.example.com"), 1);
}

TEST_F(CApiTest, ReadsUrlsByTheirHost) {
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  const auto status = [&](const char* url) {
    touchmark_result result{};
    const touchmark_status out = touchmark_fetch_token(client_, url, nullptr, &result);
    touchmark_result_free(&result);
    return out;
  };
  for (const char* url :
       {"https://api.example.com/a b?c={d}|[e]&f=%zz#g h", "HTTPS://API.EXAMPLE.COM.:0443",
        "https://u:p@api.example.com/", "https://api.example.com?x"}) {
    EXPECT_EQ(status(url), TOUCHMARK_OK) << url;
  }
  EXPECT_EQ(status("https://api.example.com@evil.example/"), TOUCHMARK_UNKNOWN_URL);
  for (const char* url :
       {"https://api.example.com\\@evil.example/", "https:/api.example.com/",
        "https://api%2eexample.com/", "http://api.example.com/", "https://api.example.com /"}) {
    EXPECT_EQ(status(url), TOUCHMARK_INVALID_ARGUMENT) << url;
  }
  EXPECT_EQ(touchmark_same_host("https://a.example/x y", "HTTPS://u@A.example.:443?z"), 1);
  EXPECT_EQ(touchmark_same_host("https://a.example/", "https://a.example:444/"), 0);
  EXPECT_EQ(touchmark_same_host("https://a.example\\", "https://a.example\\"), 0);
  EXPECT_EQ(touchmark_same_host(nullptr, "https://a.example"), 0);
}

TEST_F(CApiTest, TellsWhoVouchesForAPeer) {
  const openssl::Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
  const std::string der = testing::der_of(testing::self_signed(key.get(), "localhost").get());
  const std::string other = testing::der_of(testing::self_signed(key.get(), "other").get());
  const void* certificates[] = {der.data(), other.data()};
  const size_t sizes[] = {der.size(), other.size()};
  std::uint8_t pins[2][32] = {};
  ASSERT_EQ(touchmark_chain_pins(certificates, sizes, 2, pins), 1U);
  EXPECT_EQ(as_text(std::as_bytes(std::span(pins[0]))),
            as_text(crypto::sha256(as_bytes(testing::spki_of(key.get())))));
  EXPECT_EQ(touchmark_chain_pins(certificates, sizes, 0, pins), 0U);
  EXPECT_EQ(touchmark_chain_pins(nullptr, sizes, 1, pins), 0U);
  const void* none[] = {nullptr};
  EXPECT_EQ(touchmark_chain_pins(none, sizes, 1, pins), 0U);
}

// --- Exceptions ----------------------------------------------------------------------------------

touchmark_key_status thrown() { throw std::runtime_error("of the app's own"); }

TEST_F(CApiTest, AProviderThatThrowsHasFailed) {
  testing::FakePlatform platform;
  touchmark_key_provider good = platform.provider();
  touchmark_key_provider provider = good;
  key_provider_ = &provider;
  provider.evidence = [](void*, const touchmark_evidence_request*, touchmark_bytes*) {
    return thrown();
  };
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  touchmark_result result{};
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  touchmark_result_free(&result);
  EXPECT_FALSE(evidence_.contains("submods"));
  touchmark_close(client_);
  provider.sign = [](void*, const uint8_t*, size_t, touchmark_bytes*) { return thrown(); };
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  EXPECT_THAT(result.message, ::testing::HasSubstr("client.key-failed"));
  EXPECT_EQ(evidence_["sdk"]["key"], "software");
  touchmark_result_free(&result);
  touchmark_close(client_);
  provider = good;
  provider.load = [](void*, const char*, touchmark_bytes*) { return thrown(); };
  provider.make = [](void*, const char*, const uint8_t*, size_t, touchmark_bytes*) {
    return thrown();
  };
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  ASSERT_EQ(touchmark_fetch_token(client_, kUrl, nullptr, &result), TOUCHMARK_OK);
  EXPECT_EQ(evidence_["sdk"]["key"], "software");
  touchmark_result_free(&result);
}

TEST_F(CApiTest, ACallbackThatThrowsEndsNoThread) {
  ASSERT_EQ(open(config({server_.spki()})), TOUCHMARK_OK);
  struct Seen {
    std::promise<std::thread::id> thread;
  } first, second;
  const auto done = [](void* context, touchmark_result*) {
    static_cast<Seen*>(context)->thread.set_value(std::this_thread::get_id());
    throw std::runtime_error("of the app's own");
  };
  ASSERT_EQ(touchmark_fetch_token_async(client_, kUrl, nullptr, done, &first), TOUCHMARK_OK);
  ASSERT_EQ(touchmark_fetch_token_async(client_, kUrl, nullptr, done, &second), TOUCHMARK_OK);
  EXPECT_EQ(first.thread.get_future().get(), second.thread.get_future().get());
}

// Through libcurl's and OpenSSL's callbacks, too. In steps: a fetch allocates hundreds of times.
TEST_F(CApiTest, NothingIsThrownWhereverMemoryEnds) {
  const std::string text = config({server_.spki()});
  bool struck = true;
  for (long after = 0; struck; ++after) {
    touchmark_client* client = nullptr;
    touchmark_options options{};
    options.size = sizeof options;
    options.config = text.c_str();
    const std::string storage = dir_.path().string();
    options.storage_dir = storage.c_str();
    options.platform_json = R"({"os":"linux"})";
    const ShortMemory memory(after, ShortMemory::kPastJson);
    const touchmark_status status = touchmark_open(&options, &client, &message_);
    struck = memory.has_struck();
    ASSERT_EQ(status == TOUCHMARK_OK, client != nullptr);
    touchmark_close(client);
  }
  ASSERT_EQ(open(text), TOUCHMARK_OK);
  struck = true;
  int failed = 0;
  for (long after = 0; struck; after += std::max(1L, after / 4)) {
    touchmark_discard_tokens(client_);
    touchmark_result result{};
    {
      const ShortMemory memory(after, ShortMemory::kPastJson);
      touchmark_fetch_token(client_, kUrl, "binding", &result);
      struck = memory.has_struck();
    }
    EXPECT_EQ(result.status == TOUCHMARK_OK, result.token != nullptr);
    failed += result.status == TOUCHMARK_OK ? 0 : 1;
    touchmark_result_free(&result);
    ASSERT_EQ(touchmark_fetch_token(client_, kUrl, "binding", &result), TOUCHMARK_OK)
        << after << " " << result.message;
    touchmark_result_free(&result);
  }
  EXPECT_GT(failed, 10);
  ASSERT_TRUE(std::filesystem::remove(dir_.path() / "installation.key"));
  touchmark_close(client_);
  ASSERT_EQ(open(text), TOUCHMARK_OK);
  struck = true;
  for (long after = 0; struck; ++after) {
    const ShortMemory memory(after, ShortMemory::kPastJson);
    const std::string_view id = touchmark_device_id(client_);
    struck = memory.has_struck();
    ASSERT_EQ(id.size(), struck ? 0U : 24U) << after;
  }
  for (long after = 0; after < 30; ++after) {
    std::uint8_t pin[1][32] = {};
    const ShortMemory memory(after);
    EXPECT_EQ(touchmark_pin_allows(client_, "api.example.com", pin, 1), 0);
    static_cast<void>(touchmark_is_protected(client_, "api.example.com"));
  }
}

TEST(StatusTextTest, EveryStatusHasOne) {
  for (int status = TOUCHMARK_OK; status <= TOUCHMARK_INTERNAL; ++status) {
    EXPECT_STRNE(touchmark_status_text(static_cast<touchmark_status>(status)), "unknown status");
  }
  EXPECT_STREQ(touchmark_version(), TOUCHMARK_VERSION);
}

}  // namespace
}  // namespace touchmark::attester::client
