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
#include "verifier/store/store.h"

namespace touchmark::verifier {

enum class ServiceError {
  kMalformedRequest,  // the request is not the protocol's shape: HTTP 400
  kUnknownPackage,    // an uploaded file is not a package, or its signature is refused: HTTP 422
  kNotFound,          // HTTP 404
  kBadSettings,       // settings that cannot work; the message names the setting
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
  std::vector<std::string> public_urls;         // as the SDK reaches the service, primary first
  std::vector<std::string> service_pins;        // base64 SHA-256 of the service's own SPKI, plus backup
  Sha256Digest tls_spki_sha256{};               // of the certificate this process serves
  bool tls_ended_by_proxy = false;              // explicit; turns the exporter comparison off
  Seconds token_lifetime{300};
  Seconds challenge_lifetime{120};
  std::string token_header = "Touchmark-Token";
  std::string token_prefix;
  bool allow_host_builds = false;               // accept the lab's Linux build of the SDK
  bool reveal_reasons = false;                  // put ARC and reasons into attest responses
  std::vector<std::string> extra_claims;        // of iss, aud, sub, iat, jti, arc, anno, ipk
  std::string issuer;
  std::string audience;
};

// The verdict on one evidence, for logs and tests. Never holds the token.
struct Verdict {
  bool passed = false;
  std::string did;
  std::string package_name;
  std::vector<std::string> findings;  // stable ids, see protocol/findings.md
  std::string arc;
};

struct AttestAnswer {
  std::string body;  // JSON, padded with spaces to a multiple of kAnswerQuantum
  Verdict verdict;
};
inline constexpr std::size_t kAnswerQuantum = 4096;

enum class TokenStatus { kValid, kInvalid, kExpired, kForged, kMalformed };
std::string_view to_string(TokenStatus status);
struct TokenReport {
  TokenStatus status;
  Json claims;  // null when malformed
};

// Thread-safe. The hot path (challenge, attest) reads immutable snapshots and writes no disk.
class Service {
 public:
  // Opens (first start: makes) the account, keys and secrets in `store`, sealed under `master_key`.
  static Result<std::unique_ptr<Service>> open(Store& store, ByteView master_key, const Clock& clock,
                                               Random& random, ServiceSettings settings);
  virtual ~Service() = default;

  // POST /v1/challenge and POST /v1/attest; bodies as protocol/README.md says.
  virtual Result<std::string> challenge(std::string_view body) = 0;
  virtual Result<AttestAnswer> attest(std::string_view body, const ConnectionFacts& connection) = 0;

  // Registers the package file at `path` (already on this machine's disk).
  virtual Result<Registration> register_package(const std::string& path,
                                                std::optional<Seconds> expire_after,
                                                const std::string& actor) = 0;
  virtual Result<std::vector<Registration>> registrations() = 0;
  virtual Result<void> remove_registration(const std::string& id, const std::string& actor) = 0;

  // Each change makes a new version of the signed configuration at once.
  virtual Result<void> put_api(const ApiDomain& api, const std::string& actor) = 0;
  virtual Result<std::vector<ApiDomain>> apis() = 0;
  virtual Result<void> remove_api(const std::string& domain, const std::string& actor) = 0;
  virtual std::string configuration() = 0;  // compact JWS of the version in force

  virtual Bytes token_secret() = 0;
  virtual Bytes decoy_secret() = 0;
  virtual TokenReport check_token(std::string_view token) = 0;
  virtual std::string example_token(bool valid, const std::string& ip) = 0;
  virtual Json policy() = 0;

  // Makes operator token `name`; returns the text shown once ("tmk_admin_..."). Only its hash stays.
  virtual Result<std::string> make_operator_token(const std::string& name, Role role) = 0;
  virtual std::optional<OperatorToken> authenticate(std::string_view bearer) = 0;
  virtual bool first_start() const = 0;
  virtual std::string account() const = 0;

  // Writes queued device records; called every few seconds and at stop.
  virtual void flush() = 0;
};

}  // namespace touchmark::verifier
