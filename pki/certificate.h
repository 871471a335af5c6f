// Reads X.509 certificates (RFC 5280): the signed bytes as they stand, names, times and extensions.
// Extensions and the subject's key stay undecoded: an attested key may be of any algorithm, and
// genuine phones write some extensions wrongly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/der.h"

namespace touchmark::pki {

enum class CertificateError {
  kMalformed,           // not the DER of a certificate
  kAlgorithmMismatch,   // the two signature algorithm fields differ
  kDuplicateExtension,  // one extension stands twice
  kTooLarge,            // over kMaxCertificateBytes, or kMaxPlatformCertificateBytes
};
std::string_view error_id(CertificateError error);

// ML-DSA-87 keys and signatures make the largest: about 8 KiB.
inline constexpr std::size_t kMaxCertificateBytes = 32 * 1024;
// Of those who sign apps.
inline constexpr std::size_t kMaxPlatformCertificateBytes = 256 * 1024;

struct Extension {
  ByteView oid;  // content of the OBJECT IDENTIFIER
  bool critical = false;
  ByteView value;  // content of the OCTET STRING
};

// All views point into what was parsed, which must outlive this.
struct Certificate {
  ByteView encoded;
  ByteView signed_bytes;         // the TBSCertificate, as it stands
  ByteView signature_algorithm;  // DER AlgorithmIdentifier
  ByteView signature;
  ByteView serial;   // content of the INTEGER
  ByteView issuer;   // DER Name
  ByteView subject;  // DER Name
  UnixTime not_before{};
  UnixTime not_after{};
  ByteView spki;  // DER SubjectPublicKeyInfo
  std::vector<Extension> extensions;

  const Extension* find(const der::Oid& oid) const;
};

inline constexpr der::Oid kKeyUsage("2.5.29.15");

enum class Reading {
  // DER of version 3, for the certificates of attestation chains.
  kStrict,
  // What the platforms take of who signs an app: BER, any version, an extension twice, bytes after
  // the
  // certificate. Times that DER cannot say stay 0: nothing is asked of them.
  kPlatform,
};

// `which` names the certificate in errors.
Result<Certificate> parse_certificate(ByteView encoded, std::string_view which = "certificate",
                                      Reading reading = Reading::kStrict);

// The serial number as revocation lists name it: lowercase hex without leading zeros; "-" before a
// negative one.
std::string serial_hex(ByteView serial);

// Which certificates one may issue (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
struct Issuing {
  bool is_ca = false;          // basicConstraints
  bool may_sign_certs = true;  // keyCertSign, where there is a keyUsage
  // How many certificates that are not self-issued may stand between it and the last of a path.
  std::optional<std::uint64_t> path_length;
};
// nullopt when an extension is not understood.
std::optional<Issuing> read_issuing(const Certificate& certificate);

// What a certificate says, for people; {"error"} of one that cannot be read.
Json certificate_to_json(ByteView encoded);

// Every certificate in the text, in order. Text between the blocks is skipped. At most `max_count`.
enum class PemError { kNoCertificate, kMalformed, kTooMany };
std::string_view error_id(PemError error);
Result<std::vector<Bytes>> parse_pem_certificates(std::string_view text,
                                                  std::size_t max_count = 64);

}  // namespace touchmark::pki
