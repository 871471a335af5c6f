// Evidence as protocol/README.md describes it, read from the JWS that the installation key signed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::appraisal {

inline constexpr std::size_t kMaxAttestBody = 256 * 1024;

struct ReportedFinding {
  std::string id;
  std::string detail;
};

struct Evidence {
  explicit Evidence(crypto::EcKey installation_key) : key(std::move(installation_key)) {}

  crypto::EcKey key;  // the installation key, which signed this
  std::string did;    // device id: base64 of the first 16 bytes of SHA-256 of the key's DER SPKI
  Bytes nonce;  // at most 64 bytes; a wrong length is a forged challenge, not a malformed request
  std::int64_t issued_at = 0;  // the client's clock: recorded, never trusted
  std::string account;
  std::int64_t config_version = 0;
  std::string os;
  std::string os_version;  // this and the next three: empty when the app does not say
  std::string manufacturer;
  std::string model;
  std::string installer;
  std::string sdk_version;
  std::string sdk_build;  // "android", "ios" or "host"

  std::string package_name;
  std::string version_name;
  std::uint64_t version_code = 0;
  Sha256Digest measurement{};
  std::set<Sha256Digest> signers;
  std::map<std::string, Sha256Digest> parts;  // code-bearing part -> SHA-256
  // Split name ("" is the base) -> digest of its parts, as package::split_digests() makes it.
  std::map<std::string, Sha256Digest> splits;
  Sha256Digest range_proof{};

  std::set<std::string> checks;  // finding groups that ran
  std::vector<ReportedFinding> findings;
  Bytes tls_exporter;
  Bytes tls_spki;
  std::optional<std::string> pay;  // padded base64 of a SHA-256
  Json submods = Json::object();   // hardware evidence, unread: HardwareAppraiser reads it
};

enum class EvidenceError {
  kMalformed,  // a claim is missing, of another type, or out of its bounds
};
std::string_view error_id(EvidenceError error);

// `compact`: the JWS. Fails with JoseError or EvidenceError; what is in the evidence is not judged.
Result<Evidence> parse_evidence(std::string_view compact);

std::string device_id(const crypto::EcKey& installation_key);

}  // namespace touchmark::verifier::appraisal
