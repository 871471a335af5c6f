// Play Integrity: decrypts and verifies a token with the keys of the app's Play Console page, and
// decodes its verdict. Verification says that Google made the verdict for this request; what the
// verdict must be is for the policy. https://developer.android.com/google/play/integrity/classic
// (local verification) https://developer.android.com/google/play/integrity/verdicts (fields)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::evidence {

// Beside these a refusal can be one of jwe.*, jose.*.
enum class PlayIntegrityError {
  kBadDecryptionKey,    // not base64 of 32 bytes
  kBadVerificationKey,  // not base64 of a P-256 SubjectPublicKeyInfo
  kMalformedVerdict,    // a member that every verdict has is missing or of another type
  kWrongPackage,        // requested by, or recognized as, another package
  kNonceMismatch,       // its nonce is not the challenge
  kFromTheFuture,       // its time is later than now, beyond what clocks differ
  kTooOld,
};
std::string_view error_id(PlayIntegrityError error);

struct PlayIntegrityKeys {
  Bytes decryption_key;            // 32 bytes
  crypto::EcKey verification_key;  // P-256

  // Both as the Play Console shows them: base64, of the raw AES key and of the DER public key.
  static Result<PlayIntegrityKeys> parse(std::string_view decryption_base64,
                                         std::string_view verification_base64);
};

struct PlayIntegrityRequest {
  UnixTime as_of{};
  std::optional<std::string> package_name{};
  // The bytes that the app passed as nonce, or that nonce's text in any spelling of base64.
  std::optional<Bytes> challenge{};
  std::optional<Seconds> max_age{};
};

// All members are those of the verdict's JSON; what is not there is empty.
struct PlayIntegrityVerdict {
  std::string request_package_name;
  std::string nonce;
  std::int64_t timestamp_ms = 0;

  std::string app_recognition_verdict;  // "PLAY_RECOGNIZED"
  std::string package_name;
  std::vector<std::string> certificate_sha256_digests;  // base64url
  std::optional<std::int64_t> version_code;

  std::vector<std::string> device_recognition_verdict;  // "MEETS_DEVICE_INTEGRITY"
  std::optional<std::int64_t> device_sdk_version;
  std::string device_activity_level;  // "LEVEL_1"
  Json device_recall = Json::object();

  std::string app_licensing_verdict;       // "LICENSED"
  std::vector<std::string> apps_detected;  // appAccessRiskVerdict: "KNOWN_CAPTURING"
  std::string play_protect_verdict;        // "NO_ISSUES"
  bool is_test_response = false;           // testingDetails.isTestingResponse
};

struct PlayIntegrity {
  std::optional<Error> refusal;
  std::vector<std::string> warnings;  // "id: text"
  bool verified() const { return !refusal.has_value(); }
  std::optional<PlayIntegrityVerdict> verdict;  // only of a token whose signature is good
  Json payload;                                 // the verdict's JSON, whole
};
Json to_json(const PlayIntegrity& result);

// The token of a classic request as the app got it: compact JWE around a compact JWS. The
// algorithms are A256KW, A256GCM and ES256, whatever the headers say.
PlayIntegrity verify_play_integrity(std::string_view token, const PlayIntegrityKeys& keys,
                                    const PlayIntegrityRequest& request);

// What verify_play_integrity() does once the token is open: decodes the verdict and checks that it
// is for the request. Says nothing about who made it.
PlayIntegrity check_play_integrity_payload(Json payload, const PlayIntegrityRequest& request);

}  // namespace touchmark::verifier::evidence
