// Apple's services, played by a double that answers with receipts that Apple made for real iPhones.
#include "verifier/adapters/apple.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/jose.h"
#include "tests/support/https_double.h"
#include "tests/support/settable_clock.h"
#include "tests/support/vectors.h"

namespace touchmark::adapters {
namespace {

using testing::HttpsDouble;
using testing::SettableClock;
using Answer = HttpsDouble::Answer;

const std::string kAppId = "6MURL8TA57.de.vincent-haupert.apple-appattest-poc";

// The value after "name: " behind `start`.
std::string value_after(std::string_view text, std::string_view start, std::string_view name) {
  const std::size_t at = text.find(name, text.find(start));
  EXPECT_NE(at, text.npos) << name;
  text.remove_prefix(at + name.size());
  return std::string(text.substr(0, text.find('\n')));
}

class AppleTest : public ::testing::Test {
 protected:
  AppleTest() {
    const Bytes file = testing::read_vector("app-attest/veehaitch/ios-14.3.yaml");
    const std::string_view text = as_text(file);
    attest_ = value_after(text, "type: receipt", "receiptBase64: ");
    refreshed_ = value_after(text, "id: 75921421", "receiptBase64: ");
    spki_ = base64_decode(
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/qV1VMCB1xZaIsosUvdGkWFB3atm"
                "C+cFOiMeH9g9IAtJXrO4W8f9DlY17p6jscTSzHlqm76PPb45CbxEvcAHng==")
                .value();
  }

  AppleSettings settings() const {
    RetryRules retries;
    retries.sleep = [](std::chrono::milliseconds) {};
    return {AppleDeveloperKey::parse("6MURL8TA57", "ABC123DEFG", key_.private_pem()).value(),
            server_.url(), retries};
  }

  Result<RefreshedReceipt> refresh(const std::string& app_id = kAppId) {
    const ReceiptRefresher refresher(*client_, clock_, verifier_, settings());
    return refresher.refresh(base64_decode(attest_).value(), app_id, spki_);
  }
  std::string refresh_outcome(const std::string& app_id = kAppId) {
    auto result = refresh(app_id);
    return result ? "refreshed" : result.error().id();
  }
  DeviceCheck device_check() { return {*client_, clock_, random_, settings()}; }

  EcKey key_ = EcKey::generate();
  Answer answer_;
  HttpsDouble server_{[this](const HttpsDouble::Request&) { return answer_; }};
  std::unique_ptr<HttpClient> client_ = curl_http_client({.ca_file = server_.ca_file()});
  SettableClock clock_{parse_time("2020-12-19T12:31:30Z").value()};
  SystemRandom random_;
  evidence::ReceiptVerifier verifier_;
  std::string attest_, refreshed_;
  Bytes spki_;
};

TEST_F(AppleTest, AReceiptIsRefreshedAndVerified) {
  answer_.body = refreshed_;
  auto result = refresh();
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->receipt.risk_metric, 3U);
  EXPECT_EQ(base64_encode(result->encoded), refreshed_);
  const auto request = server_.requests().front();
  EXPECT_EQ(request.line, "POST /v1/attestationData HTTP/1.1");
  EXPECT_EQ(request.body, attest_);
  auto jwt = verify_es256(request.headers.at("authorization"), key_);
  ASSERT_TRUE(jwt) << jwt.error().text();
  EXPECT_EQ(jwt->header.at("kid"), "ABC123DEFG");
  EXPECT_EQ(jwt->payload, Json({{"iss", "6MURL8TA57"}, {"iat", to_unix(clock_.now())}}));
}

TEST_F(AppleTest, AnAnswerThatIsNotApplesReceiptOfThisKeyIsRefused) {
  answer_.body = refreshed_;
  EXPECT_EQ(refresh_outcome("6MURL8TA57.other"), "receipt.wrong-app-id");
  answer_.body = "<html>";
  EXPECT_EQ(refresh_outcome(), "platform.bad-answer");
  Bytes changed = base64_decode(refreshed_).value();
  changed[changed.size() - 30] ^= std::byte{1};
  answer_.body = base64_encode(changed);
  EXPECT_EQ(refresh_outcome(), "cms.bad-signature");
  // The receipt that was sent, played back: genuine, but not a refreshed one.
  answer_.body = attest_;
  EXPECT_EQ(refresh_outcome(), "receipt.too-old");
  clock_.set(parse_time("2020-12-19T12:11:30Z").value());
  EXPECT_EQ(refresh_outcome(), "platform.bad-answer");
  answer_.body = refreshed_;
  spki_ = EcKey::generate().public_der();
  clock_.set(parse_time("2020-12-19T12:31:30Z").value());
  EXPECT_EQ(refresh_outcome(), "receipt.wrong-key");
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(refresh_outcome(), "receipt.wrong-key");
}

TEST_F(AppleTest, EachStatusHasItsError) {
  const std::pair<int, const char*> kStatuses[] = {
      {304, "platform.too-early"},   {400, "platform.rejected"},   {401, "platform.unauthorized"},
      {404, "platform.not-found"},   {429, "platform.too-many"},   {500, "platform.unavailable"},
      {503, "platform.unavailable"}, {302, "platform.bad-answer"},
  };
  for (const auto& [status, id] : kStatuses) {
    answer_.status = status;
    EXPECT_EQ(refresh_outcome(), id) << status;
  }
}

TEST_F(AppleTest, DeviceCheckAsksForTheBits) {
  answer_.body = R"({"bit0":true,"bit1":false,"last_update_time":"2026-11"})";
  auto bits = device_check().query("dG9rZW4=");
  ASSERT_TRUE(bits && *bits) << bits.error().text();
  EXPECT_TRUE((*bits)->bit0);
  EXPECT_FALSE((*bits)->bit1);
  EXPECT_EQ((*bits)->last_update, "2026-11");
  const auto request = server_.requests().front();
  EXPECT_EQ(request.line, "POST /v1/query_two_bits HTTP/1.1");
  EXPECT_TRUE(verify_es256(request.headers.at("authorization").substr(7), key_));
  const Json body = Json::parse(request.body);
  EXPECT_EQ(body.at("device_token"), "dG9rZW4=");
  EXPECT_EQ(body.at("timestamp"), to_unix(clock_.now()) * 1000);
  EXPECT_EQ(body.at("transaction_id").get<std::string>().size(), 32U);

  answer_.body = "Failed to find bit state";
  bits = device_check().query("dG9rZW4=");
  ASSERT_TRUE(bits);
  EXPECT_FALSE(*bits);
  for (const char* bad : {"", "{}", "[]", R"({"bit0":1,"bit1":0})"}) {
    answer_.body = bad;
    EXPECT_EQ(device_check().query("dG9rZW4=").error().id(), "platform.bad-answer") << bad;
  }
}

TEST_F(AppleTest, DeviceCheckSetsBitsAndValidatesTokens) {
  EXPECT_TRUE(device_check().update("dG9rZW4=", false, true));
  const Json body = Json::parse(server_.requests().front().body);
  EXPECT_EQ(body.at("bit0"), false);
  EXPECT_EQ(body.at("bit1"), true);
  EXPECT_TRUE(device_check().validate("dG9rZW4="));
  EXPECT_EQ(server_.requests().back().line, "POST /v1/validate_device_token HTTP/1.1");
  answer_.status = 400;
  EXPECT_EQ(device_check().validate("dG9rZW4=").error().id(), "platform.rejected");
  const std::size_t sent = server_.count();
  EXPECT_EQ(device_check().validate("").error().id(), "platform.rejected");
  EXPECT_EQ(server_.count(), sent);
}

TEST(AppleDeveloperKeys, AreCheckedWhenTheyAreRead) {
  const std::string pem = EcKey::generate().private_pem();
  EXPECT_TRUE(AppleDeveloperKey::parse("ABCDE12345", "ABCDE12345", pem));
  for (const auto& [team, key, p8] :
       {std::tuple{"abc", "ABCDE12345", pem}, std::tuple{"ABCDE12345", "", pem},
        std::tuple{"ABCDE12345", "ABCDE12345", std::string("no key")}}) {
    EXPECT_EQ(AppleDeveloperKey::parse(team, key, p8).error().id(), "platform.bad-key");
  }
}

}  // namespace
}  // namespace touchmark::adapters
