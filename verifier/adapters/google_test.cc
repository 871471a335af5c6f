// Google's services, played by one double: the token service and Play Integrity's.
#include "verifier/adapters/google.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/support/https_double.h"
#include "tests/support/settable_clock.h"
#include "tests/support/vectors.h"

namespace touchmark::adapters {
namespace {

using testing::HttpsDouble;
using testing::SettableClock;
using testing::TestKey;
using Answer = HttpsDouble::Answer;

std::string pem_of(const TestKey& key) {
  openssl::Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(length));
}

class GoogleTest : public ::testing::Test {
 protected:
  GoogleTest() {
    request_.as_of = clock_.now();
    request_.package_name = "com.example.app";
    request_.challenge = to_bytes("0123456789abcdef0123456789abcdef");
  }

  Json account() const {
    return {{"type", "service_account"},
            {"client_email", "verifier@example.iam.gserviceaccount.com"},
            {"private_key_id", "key-1"},
            {"private_key", pem_of(key_)},
            {"token_uri", server_.url() + "/token"}};
  }
  PlayIntegrityApi& api() {
    if (!api_) {
      RetryRules retries;
      retries.sleep = [](std::chrono::milliseconds) {};
      api_.emplace(*client_, clock_,
                   PlayIntegritySettings{ServiceAccount::parse(dump_json(account())).value(),
                                         server_.url(), retries});
    }
    return *api_;
  }
  std::string outcome() {
    auto result = api().decode("the.token", request_);
    if (!result) return result.error().id();
    return result->refusal ? result->refusal->id() : "verified";
  }
  Answer answer(const HttpsDouble::Request& request) {
    if (request.line.starts_with("POST /token ")) return grant_;
    const bool current = request.headers.at("authorization") == "Bearer " + accepted_;
    return current ? verdict_ : Answer{.status = 401};
  }
  std::size_t grants() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        server_.requests(), [](const auto& r) { return r.line.starts_with("POST /token "); }));
  }

  TestKey key_ = TestKey::rsa(2048);
  std::string accepted_ = "access-1";
  Answer grant_{.body = R"({"access_token":"access-1","expires_in":3600,"token_type":"Bearer"})"};
  Answer verdict_{.body = dump_json({{"tokenPayloadExternal",
                                      testing::read_json_vector("play-integrity/payload.json")}})};
  HttpsDouble server_{[this](const HttpsDouble::Request& request) { return answer(request); }};
  std::unique_ptr<HttpClient> client_ = curl_http_client({.ca_file = server_.ca_file()});
  SettableClock clock_{from_unix(1790000060)};
  evidence::PlayIntegrityRequest request_;
  std::optional<PlayIntegrityApi> api_;
};

TEST_F(GoogleTest, ATokenIsDecodedWithAnAccessTokenThatIsKept) {
  EXPECT_EQ(outcome(), "verified");
  EXPECT_EQ(outcome(), "verified");
  EXPECT_EQ(grants(), 1U);
  const auto call = server_.requests().back();
  EXPECT_EQ(call.line, "POST /v1/com.example.app:decodeIntegrityToken HTTP/1.1");
  EXPECT_EQ(Json::parse(call.body), Json({{"integrity_token", "the.token"}}));
  clock_.advance(Seconds(3600 - 60));
  request_.as_of = clock_.now();
  EXPECT_EQ(outcome(), "verified");
  EXPECT_EQ(grants(), 2U);
}

TEST_F(GoogleTest, TheGrantIsSignedByTheServiceAccount) {
  EXPECT_EQ(outcome(), "verified");
  const std::string body = server_.requests().front().body;
  const std::string_view start =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(body.starts_with(start));
  const std::string jwt = body.substr(start.size());
  const std::size_t first = jwt.find('.');
  const std::size_t second = jwt.rfind('.');
  const Json header = Json::parse(as_text(base64url_decode(jwt.substr(0, first)).value()));
  EXPECT_EQ(header, Json({{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}}));
  const Json claims =
      Json::parse(as_text(base64url_decode(jwt.substr(first + 1, second - first - 1)).value()));
  EXPECT_EQ(claims.at("aud"), server_.url() + "/token");
  EXPECT_EQ(claims.at("scope"), "https://www.googleapis.com/auth/playintegrity");
  EXPECT_EQ(claims.at("exp").get<std::int64_t>() - claims.at("iat").get<std::int64_t>(), 3600);
  const Bytes signature = base64url_decode(jwt.substr(second + 1)).value();
  openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
  EXPECT_EQ(EVP_DigestVerify(context.get(), uchars(ByteView(signature)), signature.size(),
                             uchars(as_bytes(jwt)), second),
            1);
}

TEST_F(GoogleTest, AWithdrawnAccessTokenIsRenewedOnce) {
  EXPECT_EQ(outcome(), "verified");
  accepted_ = "access-2";
  grant_.body = R"({"access_token":"access-2","expires_in":3600})";
  EXPECT_EQ(outcome(), "verified");
  EXPECT_EQ(grants(), 2U);
  accepted_ = "another";
  EXPECT_EQ(outcome(), "platform.unauthorized");
  EXPECT_EQ(grants(), 3U);
}

TEST_F(GoogleTest, TheVerdictIsCheckedAsAnyOther) {
  request_.challenge = to_bytes("other");
  EXPECT_EQ(outcome(), "play-integrity.nonce-mismatch");
  request_.package_name = "com.example.other";
  EXPECT_EQ(outcome(), "play-integrity.wrong-package");
}

TEST_F(GoogleTest, WhatGoesWrongHasItsError) {
  grant_.status = 400;
  EXPECT_EQ(outcome(), "platform.unauthorized");
  grant_ = {.body = "{}"};
  EXPECT_EQ(outcome(), "platform.bad-answer");
  grant_ = {.body = R"({"access_token":"a\r\nX: y","expires_in":3600})"};
  EXPECT_EQ(outcome(), "platform.bad-answer");
  grant_ = {.body = R"({"access_token":"access-1","expires_in":3600})"};
  for (const auto& [status, id] :
       {std::pair{400, "platform.rejected"}, std::pair{403, "platform.unauthorized"},
        std::pair{404, "platform.not-found"}, std::pair{429, "platform.too-many"},
        std::pair{503, "platform.unavailable"}}) {
    verdict_.status = status;
    EXPECT_EQ(outcome(), id);
  }
  verdict_ = {.body = R"({"tokenPayload":{}})"};
  EXPECT_EQ(outcome(), "platform.bad-answer");
  for (const char* name : {"", "com/../other", "com.a?b"}) {
    request_.package_name = name;
    EXPECT_EQ(outcome(), "platform.rejected") << name;
  }
}

TEST_F(GoogleTest, ServiceAccountsAreCheckedWhenTheyAreRead) {
  const auto read = [](const Json& json) {
    auto account = ServiceAccount::parse(dump_json(json));
    return account ? "good" : account.error().id();
  };
  EXPECT_EQ(read(account()), "good");
  for (const char* member : {"type", "client_email", "private_key", "token_uri"}) {
    Json without = account();
    without.erase(member);
    EXPECT_EQ(read(without), "platform.bad-key") << member;
  }
  Json changed = account();
  changed["token_uri"] = "http://example.com/token";
  EXPECT_EQ(read(changed), "platform.bad-key");
  changed = account();
  changed["private_key"] = pem_of(TestKey());  // not RSA
  EXPECT_EQ(read(changed), "platform.bad-key");
  EXPECT_EQ(ServiceAccount::parse("no json").error().id(), "platform.bad-key");
}

}  // namespace
}  // namespace touchmark::adapters
