#include "verifier/evidence/play_integrity.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "crypto/jwe.h"

namespace touchmark::verifier::evidence {
namespace {

constexpr Seconds kClockSkew{300};

tl::unexpected<Error> malformed(std::string message) {
  return fail(PlayIntegrityError::kMalformedVerdict, std::move(message));
}

// Google writes 64-bit numbers as text; numbers are taken, too. None of them is negative, or so
// large that a time in milliseconds could not be shown.
std::optional<std::int64_t> find_number(const Json& object, const char* name) {
  constexpr std::int64_t kMax = 253402300799999;  // 9999-12-31
  if (auto number = get_int(object, name, 0, kMax)) return *number;
  auto text = find_string(object, name);
  bool digits = text && !text->empty() && text->size() <= 18 &&
                std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::int64_t number = std::stoll(*text);
  return number <= kMax ? std::optional(number) : std::nullopt;
}

std::vector<std::string> find_strings(const Json& object, const char* name) {
  std::vector<std::string> strings;
  if (const Json* array = find_array(object, name)) {
    for (const Json& item : *array) {
      if (item.is_string()) strings.push_back(item.get<std::string>());
    }
  }
  return strings;
}

std::string find_text(const Json& object, const char* name) {
  return find_string(object, name).value_or("");
}

const Json& member_object(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const Json* found = find_object(object, name);
  return found != nullptr ? *found : kEmpty;
}

Result<PlayIntegrityVerdict> decode_verdict(const Json& payload) {
  if (!payload.is_object()) return malformed("the payload is not an object");
  for (const char* name : {"requestDetails", "appIntegrity", "deviceIntegrity", "accountDetails"}) {
    if (find_object(payload, name) == nullptr) return malformed(std::string(name) + " is missing");
  }
  PlayIntegrityVerdict verdict;
  const Json& request = member_object(payload, "requestDetails");
  verdict.request_package_name = find_text(request, "requestPackageName");
  verdict.nonce = find_text(request, "nonce");
  auto timestamp = find_number(request, "timestampMillis");
  if (verdict.request_package_name.empty() || !timestamp) {
    return malformed("requestDetails lacks requestPackageName or timestampMillis");
  }
  verdict.timestamp_ms = *timestamp;

  const Json& app = member_object(payload, "appIntegrity");
  verdict.app_recognition_verdict = find_text(app, "appRecognitionVerdict");
  verdict.package_name = find_text(app, "packageName");
  verdict.certificate_sha256_digests = find_strings(app, "certificateSha256Digest");
  verdict.version_code = find_number(app, "versionCode");

  const Json& device = member_object(payload, "deviceIntegrity");
  verdict.device_recognition_verdict = find_strings(device, "deviceRecognitionVerdict");
  verdict.device_sdk_version = find_number(member_object(device, "deviceAttributes"), "sdkVersion");
  verdict.device_activity_level =
      find_text(member_object(device, "recentDeviceActivity"), "deviceActivityLevel");
  verdict.device_recall = member_object(device, "deviceRecall");

  verdict.app_licensing_verdict =
      find_text(member_object(payload, "accountDetails"), "appLicensingVerdict");
  const Json& environment = member_object(payload, "environmentDetails");
  verdict.apps_detected =
      find_strings(member_object(environment, "appAccessRiskVerdict"), "appsDetected");
  verdict.play_protect_verdict = find_text(environment, "playProtectVerdict");
  const Json& testing = member_object(payload, "testingDetails");
  verdict.is_test_response = testing.value("isTestingResponse", Json(false)) == Json(true);
  return verdict;
}

// Whether the nonce is `challenge`: the bytes that it stands for, in whatever alphabet and padding
// the app chose, or its own text. A challenge that is such a text may be spelled otherwise.
bool is_for_challenge(const PlayIntegrityVerdict& verdict, const Bytes& challenge) {
  if (verdict.nonce.empty()) return false;
  if (crypto::constant_time_equal(as_bytes(verdict.nonce), challenge)) return true;
  const auto nonce = base64_any_decode(verdict.nonce);
  if (!nonce) return false;
  if (crypto::constant_time_equal(*nonce, challenge)) return true;
  const auto spelled = base64_any_decode(as_text(challenge));
  return spelled && crypto::constant_time_equal(*nonce, *spelled);
}

Result<void> check_verdict(const PlayIntegrityVerdict& verdict,
                           const PlayIntegrityRequest& request) {
  if (request.package_name) {
    // packageName is absent where the app could not be evaluated.
    bool other = verdict.request_package_name != *request.package_name ||
                 (!verdict.package_name.empty() && verdict.package_name != *request.package_name &&
                  verdict.app_recognition_verdict == "PLAY_RECOGNIZED");
    if (other) {
      return fail(PlayIntegrityError::kWrongPackage,
                  "the verdict is for " + verdict.request_package_name);
    }
  }
  if (request.challenge && !is_for_challenge(verdict, *request.challenge)) {
    return fail(PlayIntegrityError::kNonceMismatch, "the verdict is for another request");
  }
  UnixTime made = from_unix(verdict.timestamp_ms / 1000);
  if (made > request.as_of + kClockSkew) {
    return fail(PlayIntegrityError::kFromTheFuture, "made at " + format_time(made));
  }
  if (request.max_age && made + *request.max_age < request.as_of) {
    return fail(PlayIntegrityError::kTooOld, "made at " + format_time(made));
  }
  return {};
}

Result<Json> open_token(std::string_view token, const PlayIntegrityKeys& keys) {
  auto plain = crypto::decrypt_jwe(token, keys.decryption_key);
  if (!plain) return pass(plain);
  auto jws = crypto::verify_es256(as_text(*plain), keys.verification_key);
  if (!jws) return pass(jws);
  return std::move(jws->payload);
}

}  // namespace

std::string_view error_id(PlayIntegrityError error) {
  using enum PlayIntegrityError;
  static constexpr auto kIds = error_table<PlayIntegrityError>({
      {kBadDecryptionKey, "play-integrity.bad-decryption-key"},
      {kBadVerificationKey, "play-integrity.bad-verification-key"},
      {kMalformedVerdict, "play-integrity.malformed-verdict"},
      {kWrongPackage, "play-integrity.wrong-package"},
      {kNonceMismatch, "play-integrity.nonce-mismatch"},
      {kFromTheFuture, "play-integrity.from-the-future"},
      {kTooOld, "play-integrity.too-old"},
  });
  return kIds[error];
}

Result<PlayIntegrityKeys> PlayIntegrityKeys::parse(std::string_view decryption_base64,
                                                   std::string_view verification_base64) {
  auto decryption = base64_decode(decryption_base64);
  if (!decryption || decryption->size() != 32) {
    return fail(PlayIntegrityError::kBadDecryptionKey,
                "the decryption key is not base64 of 32 bytes");
  }
  auto spki = base64_decode(verification_base64);
  if (!spki) {
    return fail(PlayIntegrityError::kBadVerificationKey, "the verification key is not base64");
  }
  auto key = crypto::EcKey::from_public_der(*spki);
  if (!key) {
    return fail(PlayIntegrityError::kBadVerificationKey,
                "the verification key: " + key.error().message());
  }
  return PlayIntegrityKeys{std::move(*decryption), std::move(*key)};
}

PlayIntegrity verify_play_integrity(std::string_view token, const PlayIntegrityKeys& keys,
                                    const PlayIntegrityRequest& request) {
  auto payload = open_token(token, keys);
  if (payload) return check_play_integrity_payload(std::move(*payload), request);
  PlayIntegrity result;
  result.refusal = std::move(payload.error());
  return result;
}

PlayIntegrity check_play_integrity_payload(Json payload, const PlayIntegrityRequest& request) {
  PlayIntegrity result;
  result.payload = std::move(payload);
  auto verdict = decode_verdict(result.payload);
  if (!verdict) {
    result.refusal = std::move(verdict.error());
    return result;
  }
  result.verdict = std::move(*verdict);
  if (result.verdict->is_test_response) {
    result.warnings.push_back(
        "play-integrity.test-response: the verdict was set for a tester in the Play Console");
  }
  if (!request.challenge) {
    result.warnings.push_back("play-integrity.challenge-unchecked: no challenge was given");
  }
  if (auto ok = check_verdict(*result.verdict, request); !ok) {
    result.refusal = std::move(ok.error());
  }
  return result;
}

Json to_json(const PlayIntegrity& result) {
  Json json = {{"verified", result.verified()},
               {"reason", nullptr},
               {"detail", nullptr},
               {"warnings", result.warnings}};
  if (result.refusal) {
    json["reason"] = result.refusal->id();
    json["detail"] = result.refusal->message();
  }
  if (!result.payload.is_null()) json["tokenPayload"] = result.payload;
  return json;
}

}  // namespace touchmark::verifier::evidence
