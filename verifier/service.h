// The service without its network: what each request means. verifier/api puts HTTPS before it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "protocol/findings.h"
#include "protocol/limits.h"
#include "verifier/appraisal/device_evidence_settings.h"
#include "verifier/state/policy_admin.h"
#include "verifier/store/store.h"

namespace touchmark::verifier {

using protocol::kMaxChallengeBody;

enum class ServiceError {
  kMalformedRequest,      // the request is not the protocol's shape: HTTP 400
  kBadSettings,           // settings that cannot work; the message names the setting
  kBadCertificate,        // not X.509
  kNoSigningCertificate,  // an app bundle without the certificate that its store signs with
};
std::string_view error_id(ServiceError error);

// What the transport knows of the connection that carried a request.
struct ConnectionFacts {
  std::string remote_ip;
  // RFC 9266 tls-exporter value of the connection; absent only where policy says another party ends
  // TLS ("channel_binding": "proxy").
  std::optional<Bytes> exporter;
};

struct ServiceSettings {
  std::vector<std::string> public_urls;  // as the SDK reaches the service, primary first
  // Base64 SHA-256 of the SPKI that clients may see: the service's own (or its proxy's) and
  // backups.
  std::vector<std::string> service_pins;
  Sha256Digest tls_spki_sha256{};   // of the certificate this process serves
  bool tls_ended_by_proxy = false;  // explicit; turns the exporter comparison off
  Seconds token_lifetime{300};
  Seconds challenge_lifetime{120};
  std::string token_header = "Touchmark-Token";
  std::string token_prefix;
  bool allow_host_builds = false;  // accept the lab's Linux build of the SDK
  bool reveal_reasons = false;     // put ARC and reasons into attest responses
  appraisal::HardwareSettings hardware;
  // Of iss, aud, sub, iat, jti, arc, anno, ipk, lvl, ear; arc, anno and ear tell the app its
  // verdict, so they need reveal_reasons.
  std::vector<std::string> extra_claims;
  std::string issuer;
  std::string audience;
};

// The verdict on one evidence, for logs and tests. Never holds the token.
struct Verdict {
  bool passed = false;
  std::string did;
  std::string package_name;
  std::string assurance;                    // of the installation key: "software", "tee", ...
  std::vector<protocol::Finding> findings;  // those that the policy does not ignore, by number
  std::string arc;
};

struct AttestAnswer {
  std::string body;  // JSON, padded with spaces to a multiple of kAnswerQuantum
  Verdict verdict;
};
using protocol::kAnswerQuantum;

enum class TokenStatus { kValid, kInvalid, kExpired, kForged, kMalformed };
std::string_view to_string(TokenStatus status);
struct TokenReport {
  TokenStatus status;
  Json claims;  // null when malformed
};

struct TokenSecrets {
  Bytes secret;
  Bytes decoy_secret;
};

// Thread-safe. The hot path (challenge, attest) reads immutable snapshots and writes no disk.
// Whatever else fails, fails with the error of the part that failed (StoreError, a reader of
// package, ApiError, ...) and has then changed nothing.
class Service {
 public:
  // Opens (first start: makes) the account, keys and secrets in `store`, sealed under `master_key`
  // (32 bytes). What is passed by reference must outlive the service.
  static Result<std::unique_ptr<Service>> open(store::Store& store, ByteView master_key,
                                               const Clock& clock, Random& random,
                                               ServiceSettings settings);
  virtual ~Service() = default;

  // POST /v1/challenge and POST /v1/attest; bodies as protocol/README.md says.
  virtual Result<std::string> challenge(std::string_view body) = 0;
  virtual Result<AttestAnswer> attest(std::string_view body, const ConnectionFacts& connection) = 0;

  // Registers the package file at `path` (already on this machine's disk): an APK, an archive of
  // split APKs, an app bundle or an IPA. `bundle_signers`: SHA-256 of the certificates that the
  // store will sign a bundle's packages with; a bundle needs them (kNoSigningCertificate), other
  // forms name their own.
  virtual Result<store::Registration> register_package(
      const std::string& path, std::optional<Seconds> expire_after,
      const std::vector<Sha256Digest>& bundle_signers, const std::string& actor) = 0;
  virtual Result<std::vector<store::Registration>> registrations() = 0;
  virtual Result<store::Registration> registration(const std::string& id) = 0;
  // From now on; without a time the registration lasts for ever.
  virtual Result<store::Registration> set_registration_expiry(const std::string& id,
                                                              std::optional<Seconds> expire_after,
                                                              const std::string& actor) = 0;
  virtual Result<void> remove_registration(const std::string& id, const std::string& actor) = 0;

  // Certificates that apps are signed with; verifier/appraisal/app_check.h says what they do.
  // `der`: X.509 (kBadCertificate), `package`: the one app it counts for, or empty. The same
  // certificate and package again replace the mark and the expiry.
  virtual Result<store::SigningCertificate> register_certificate(
      ByteView der, const std::string& package, bool development,
      std::optional<Seconds> expire_after, const std::string& actor) = 0;
  virtual std::vector<store::SigningCertificate> certificates() = 0;
  virtual Result<store::SigningCertificate> set_certificate_expiry(
      const std::string& id, std::optional<Seconds> expire_after, const std::string& actor) = 0;
  virtual Result<void> remove_certificate(const std::string& id, const std::string& actor) = 0;

  // Each change makes a new version of the signed configuration at once.
  // The API as stored, its domain in lower case.
  virtual Result<store::ApiDomain> put_api(const store::ApiDomain& api,
                                           const std::string& actor) = 0;
  virtual Result<std::vector<store::ApiDomain>> apis() = 0;
  virtual Result<void> remove_api(const std::string& domain, const std::string& actor) = 0;
  virtual std::string configuration() = 0;  // compact JWS of the version in force

  // Noted in the audit log before it is given out.
  virtual Result<TokenSecrets> token_secrets(const std::string& actor) = 0;
  virtual TokenReport check_token(std::string_view token) = 0;
  // For trying out an API server; noted in the audit log, since a valid one opens doors.
  virtual Result<std::string> example_token(bool valid, const std::string& ip,
                                            const std::string& actor) = 0;
  // The settings that go beside the policy document: channel binding, tokens, reasons.
  virtual Json policy_settings() = 0;
  virtual state::PolicyAdmin& policies() = 0;
  // {"version","account","first_start","time","config_version","registrations"}
  virtual Json status() = 0;
  // {"entries":[{"time","actor","action","detail","hash"}],"intact":bool}, the newest first.
  virtual Result<Json> audit_log(std::size_t limit) = 0;
  // For /readyz: whether the store answers.
  virtual Result<void> ready() = 0;

  // Makes operator token `name`; returns the text shown once ("tmk_admin_..."). Only its hash
  // stays.
  virtual Result<std::string> make_operator_token(const std::string& name, store::Role role) = 0;
  virtual std::optional<store::OperatorToken> authenticate(std::string_view bearer) = 0;
  // True when no operator token existed as the service was opened: make and show them.
  virtual bool first_start() const = 0;
  virtual std::string account() const = 0;

  // Writes queued device records; called every few seconds and at stop. Those that cannot be
  // written are dropped, which is harmless: a device is recorded again at its next attestation.
  virtual Result<void> flush() = 0;
};

}  // namespace touchmark::verifier
