// What the tests over real connections share.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>

#include "verifier/attest.h"
#include "verifier/testing/fixtures.h"
#include "verifier/testing/tls_client.h"

namespace touchmark::verifier::testing {

// A real package, relative to the top of the source tree.
inline const std::string kPackage = "tests/vectors/apksig/golden-aligned-out.apk";

inline std::string bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}

inline std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void expect_problem(const std::optional<RawResponse>& response, int status,
                           const std::string& id) {
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, status) << response->body;
  EXPECT_EQ(response->headers.at("content-type"), "application/problem+json");
  const Json body = Json::parse(response->body);
  EXPECT_EQ(body["type"], "urn:touchmark:error:" + id);
  EXPECT_EQ(body["status"], status);
  EXPECT_FALSE(body["title"].get<std::string>().empty());
  EXPECT_FALSE(body["detail"].get<std::string>().empty());
}

// One attestation over `client`; the answer's body.
inline Json attest(TlsClient& client, SoftAttester& attester) {
  attester.exporter = client.exporter();
  attester.spki = to_bytes(ByteView(client.peer_spki()));
  auto challenge = client.request("POST", "/v1/challenge", attester.challenge_request());
  EXPECT_EQ(challenge->status, 200);
  auto answer = client.request(
      "POST", "/v1/attest", attester.attest_request(attester.claims(Json::parse(challenge->body))));
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body.size() % protocol::kAnswerQuantum, 0U);
  return Json::parse(answer->body);
}

}  // namespace touchmark::verifier::testing
