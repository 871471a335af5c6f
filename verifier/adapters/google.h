// Google's Play Integrity service, which decrypts standard tokens (and classic ones) for an app's
// developer: https://developer.android.com/google/play/integrity/standard#decrypt-and
// Authorized by a service account:
// https://developers.google.com/identity/protocols/oauth2/service-account
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "verifier/adapters/platform_error.h"
#include "verifier/evidence/play_integrity.h"

namespace touchmark::adapters {

// The key file of a service account, as the Cloud console gives it. Immutable; copies share a key.
class ServiceAccount {
 public:
  // Errors: platform.bad-key.
  static Result<ServiceAccount> parse(std::string_view json);

  // The JWT grant (RFC 7523) that is exchanged for an access token: RS256, good for an hour.
  std::string grant(UnixTime now) const;
  const std::string& token_url() const { return token_url_; }

 private:
  ServiceAccount() = default;
  std::string email_, key_id_, token_url_;
  std::shared_ptr<void> key_;  // EVP_PKEY
};

inline constexpr std::string_view kPlayIntegrityUrl = "https://playintegrity.googleapis.com";

struct PlayIntegritySettings {
  ServiceAccount account;
  std::string base_url{kPlayIntegrityUrl};
  RetryRules retries{};
};

// Thread-safe, as client and clock are. Both must outlive it.
class PlayIntegrityApi {
 public:
  PlayIntegrityApi(HttpClient& client, const Clock& clock, PlayIntegritySettings settings)
      : client_(client), clock_(clock), settings_(std::move(settings)) {}

  // Google decrypts and verifies the token; the verdict is then checked against `request`, whose
  // package_name must be set. Errors are of the call: platform.*, http.*; what is wrong with the
  // verdict is the result's refusal.
  Result<evidence::PlayIntegrity> decode(const std::string& token,
                                         const evidence::PlayIntegrityRequest& request);

 private:
  // `used`: the access token that was refused; empty to take the one that is there.
  Result<std::string> access_token(const std::string& used);
  Result<HttpAnswer> call(const std::string& package_name, const std::string& token);

  HttpClient& client_;
  const Clock& clock_;
  PlayIntegritySettings settings_;
  std::mutex mutex_;  // held while a new access token is fetched: the others need it, too
  std::string access_token_;
  UnixTime access_token_ends_{};
};

}  // namespace touchmark::adapters
