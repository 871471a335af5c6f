// App Attest receipts: what an app's server sends to Apple for a risk metric, and gets back.
// https://developer.apple.com/documentation/devicecheck/assessing-fraud-risk
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "pki/cms.h"

namespace touchmark::verifier::evidence {

// Beside these a refusal can be one of cms.*, chain.*, certificate.*.
enum class ReceiptError {
  kMalformed,        // the payload is not a set of receipt attributes
  kMissingField,     // one that every receipt has
  kWrongAppId,       // for another app
  kWrongKey,         // for another attested key
  kWrongClientHash,  // for other client data
  kNotYetValid,      // made later than now, beyond what clocks differ
  kTooOld,           // older than the caller accepts
  kExpired,
};
std::string_view error_id(ReceiptError error);

// What clocks, Apple's and the caller's, may differ.
inline constexpr Seconds kReceiptClockSkew{300};

struct ReceiptRequest {
  UnixTime as_of{};
  std::optional<std::string> app_id{};     // "<team id>.<bundle id>"
  std::optional<Bytes> public_key_spki{};  // of the attested key
  std::optional<Bytes> client_hash{};  // of the attestation; only its own receipt holds it intact
  std::optional<Seconds> max_age{};    // Apple advises five minutes for a fresh one
};

struct AppAttestReceipt {
  AppAttestReceipt() = default;
  AppAttestReceipt(AppAttestReceipt&&) = default;
  AppAttestReceipt& operator=(AppAttestReceipt&&) = default;

  std::optional<Error> refusal;
  bool verified() const { return !refusal.has_value(); }

  // By the numbers of Apple's article.
  std::string app_id;                        // 2
  Bytes certificate;                         // 3: the attested key's, DER
  Bytes client_hash;                         // 4
  std::string token;                         // 5
  std::string type;                          // 6: "ATTEST" or "RECEIPT"
  std::string environment;                   // 7: "sandbox" or "production"
  std::optional<UnixTime> creation_time;     // 12
  std::optional<std::uint64_t> risk_metric;  // 17: number of attested keys of the device in 30 days
  std::optional<UnixTime> not_before;        // 19: no new receipt is given before
  std::optional<UnixTime> expiration_time;   // 21
  std::vector<std::pair<std::uint64_t, Bytes>> other;  // fields without a documented meaning
};

Json to_json(const AppAttestReceipt& receipt);

// Thread-safe.
class ReceiptVerifier {
 public:
  explicit ReceiptVerifier(pki::TrustRoots roots = pki::TrustRoots::apple_receipts())
      : issuers_(std::move(roots), 16) {}

  AppAttestReceipt verify(ByteView receipt, const ReceiptRequest& request) const;

 private:
  Result<void> check(ByteView encoded, AppAttestReceipt& receipt,
                     const ReceiptRequest& request) const;

  pki::IssuerVerifier issuers_;
};

}  // namespace touchmark::verifier::evidence
