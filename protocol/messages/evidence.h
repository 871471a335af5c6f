// Evidence (protocol/README.md): a JWS that the installation key signs, with claims after EAT
// (RFC 9711).
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
#include "protocol/messages/challenge.h"

namespace touchmark::protocol {

inline constexpr std::string_view kEvidenceType = "touchmark-evidence+jwt";  // header `typ`

// What an SDK is built for, `sdk.build`. A host build is the lab's.
inline constexpr std::string_view kAndroidBuild = "android";
inline constexpr std::string_view kIosBuild = "ios";
inline constexpr std::string_view kHostBuild = "host";
constexpr bool is_mobile_build(std::string_view build) {
  return build == kAndroidBuild || build == kIosBuild;
}

// Members of `submods`.
inline constexpr std::string_view kAndroidKeySubmod = "android-key";
inline constexpr std::string_view kAppAttestSubmod = "app-attest";
inline constexpr std::string_view kPlayIntegritySubmod = "play-integrity";

enum class EvidenceError {
  kMalformed,  // a claim is missing, of another type, or out of its bounds
};
std::string_view error_id(EvidenceError error);

struct ReportedFinding {
  std::string id;      // of protocol/findings.md, or one that this version does not know
  std::string detail;  // optional
  bool operator==(const ReportedFinding&) const = default;
};

// What the attester says. Texts in UTF-8.
struct EvidenceClaims {
  // The challenge's. At most kMaxNonce bytes; a wrong length is a forged challenge, not a malformed
  // request.
  Bytes nonce;
  std::int64_t issued_at = 0;  // the client's clock, unix seconds: recorded, never trusted
  std::string account;
  std::int64_t config_version = 0;

  // Claim `platform`; all but `os` are empty when the app does not say.
  std::string os;
  std::string os_version;
  std::string manufacturer;
  std::string model;
  std::string installer;
  Json platform_rest = Json::object();  // its other members, unread

  std::string sdk_platform;  // "Android", "iOS" or "Linux"; may be empty
  std::string sdk_version;
  std::string sdk_build;  // kAndroidBuild, kIosBuild, kHostBuild
  std::string sdk_key;    // what the client says of the installation key; recorded, never trusted

  std::string package_name;
  std::string version_name;
  std::uint64_t version_code = 0;  // at most kMaxInteger
  Sha256Digest measurement{};
  // Empty on iOS, where a store signs an app again.
  std::set<Sha256Digest> signers;
  std::string team;  // on iOS, of the code signature as loaded; may be empty
  std::map<std::string, Sha256Digest> parts;  // code-bearing part -> SHA-256
  // As in the challenge request: what the ranges of the next challenge are drawn over. Empty: the
  // app does not say.
  std::vector<CodePart> code;
  // Split name ("" is the base) -> digest of its parts, as package::split_digests() makes it.
  std::map<std::string, Sha256Digest> splits;
  Sha256Digest range_proof{};

  std::vector<std::string> checks;  // groups that ran, of kCheckGroups
  // To be sent: all of them, whatever evidence has room for. Read from evidence that left some out:
  // the first of their kind says in its detail how many, and there is one of each such kind.
  std::vector<ReportedFinding> findings;
  // Of the connection that carries this (RFC 9266), and SHA-256 of its peer's DER SPKI.
  Bytes tls_exporter;
  Bytes tls_spki;
  std::optional<std::string> pay;  // padded base64 of a SHA-256
  // What the configuration calls the keys that the API's tokens are signed with; "": the default.
  std::string key_set;
  Json submods = Json::object();  // hardware evidence, unread: verifier/appraisal reads it

  bool operator==(const EvidenceClaims&) const = default;
};

// Evidence whose signature verified.
struct Evidence : EvidenceClaims {
  explicit Evidence(crypto::EcKey installation_key);

  crypto::EcKey key;  // the installation key, which signed this
  std::string did;    // its device_id()
};

// The JWS payload. At most kMaxSentFindings findings are in it, each detail cut to kMaxSentDetail
// bytes. Of more, each kind in turn gets a place, so that no flood of one kind hides another, and
// the claim `findings_omitted` says how many of each kind were left out.
Json encode_evidence(const EvidenceClaims& claims);
// A compact JWS, signed by `key`. For keys that this process holds; the SDK signs with the
// platform's.
std::string sign_evidence(const EvidenceClaims& claims, const crypto::EcKey& key);

// `payload`: of the JWS. Details are cut to kMaxDetail bytes. Fails with EvidenceError.
Result<EvidenceClaims> decode_evidence_claims(JsonView payload);
// `compact`: the JWS. Fails with JoseError or EvidenceError; what is in the evidence is not judged.
Result<Evidence> decode_evidence(std::string_view compact);

}  // namespace touchmark::protocol
