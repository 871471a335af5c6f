// Apple's services for app developers: App Attest receipts (a risk metric of the device) and
// DeviceCheck (two bits that outlive the app's removal).
// https://developer.apple.com/documentation/devicecheck/assessing-fraud-risk
// https://developer.apple.com/documentation/devicecheck/accessing-and-modifying-per-device-data
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"
#include "verifier/adapters/platform_error.h"
#include "verifier/evidence/app_attest_receipt.h"

namespace touchmark::adapters {

// A key of the developer's account, with DeviceCheck enabled.
struct AppleDeveloperKey {
  std::string team_id;  // ten characters
  std::string key_id;   // likewise
  EcKey key;            // the account's .p8 file

  // Errors: platform.bad-key.
  static Result<AppleDeveloperKey> parse(std::string team_id, std::string key_id,
                                         std::string_view p8_pem);
};
// The JWT that authorizes requests, ES256, made for one request at `now`.
std::string apple_authorization(const AppleDeveloperKey& key, UnixTime now);

inline constexpr std::string_view kAppAttestUrl = "https://data.appattest.apple.com";
inline constexpr std::string_view kAppAttestDevelopmentUrl =
    "https://data-development.appattest.apple.com";
inline constexpr std::string_view kDeviceCheckUrl = "https://api.devicecheck.apple.com";
inline constexpr std::string_view kDeviceCheckDevelopmentUrl =
    "https://api.development.devicecheck.apple.com";

struct AppleSettings {
  AppleDeveloperKey key;
  std::string base_url;
  RetryRules retries{};
};

struct RefreshedReceipt {
  Bytes encoded;  // replaces the one that was sent
  evidence::AppAttestReceipt receipt;
};

// Thread-safe, as the client, clock and verifier are. All must outlive it.
class ReceiptRefresher {
 public:
  ReceiptRefresher(HttpClient& client, const Clock& clock,
                   const evidence::ReceiptVerifier& verifier, AppleSettings settings)
      : client_(client), clock_(clock), verifier_(verifier), settings_(std::move(settings)) {}

  // `receipt`: of the attestation, or of the last refresh. The answer's signature is verified, and
  // that it is a fresh receipt of this app and key. Errors: platform.*, http.*, and for an answer
  // that does not verify receipt.*, cms.*, chain.*.
  Result<RefreshedReceipt> refresh(ByteView receipt, const std::string& app_id,
                                   ByteView public_key_spki) const;

 private:
  HttpClient& client_;
  const Clock& clock_;
  const evidence::ReceiptVerifier& verifier_;
  AppleSettings settings_;
};

struct DeviceBits {
  bool bit0 = false;
  bool bit1 = false;
  std::string last_update;  // "2026-11"
};

// Thread-safe, as the client, clock and random source are. All must outlive it.
class DeviceCheck {
 public:
  DeviceCheck(HttpClient& client, const Clock& clock, Random& random, AppleSettings settings)
      : client_(client), clock_(clock), random_(random), settings_(std::move(settings)) {}

  // `device_token`: as DCDevice gave it to the app, in base64. nullopt: no bits were ever set.
  Result<std::optional<DeviceBits>> query(const std::string& device_token) const;
  Result<void> update(const std::string& device_token, bool bit0, bool bit1) const;
  // Whether Apple made the token for this developer's app on a genuine device; platform.rejected.
  Result<void> validate(const std::string& device_token) const;

 private:
  Result<HttpAnswer> call(const char* path, const std::string& device_token, Json members) const;

  HttpClient& client_;
  const Clock& clock_;
  Random& random_;
  AppleSettings settings_;
};

}  // namespace touchmark::adapters
