// Reads and verifies CMS SignedData (RFC 5652) of one signer, in BER, in the two places where Apple
// uses it: the receipts of App Attest, and signed apps with their profiles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "pki/certificate.h"
#include "pki/issuer_chain.h"
#include "pki/public_key.h"

namespace touchmark::pki {

enum class CmsError {
  kMalformed,             // not SignedData
  kSignerCount,           // not exactly one signer
  kUnsupportedAlgorithm,  // a digest or a signature that is not one of the use's
  kNoCertificate,         // the signer's certificate is not in it
  kUnusedCertificate,     // a certificate that is no part of the signer's chain
  kDigestMismatch,        // the signed attributes are of other content
  kBadSignature,
  kUntrusted,   // no chain to a trusted root
  kNotForCode,  // the certificate is not for signing code
};
std::string_view error_id(CmsError error);

enum class CmsUse {
  // As Apple makes them today: with their content, SHA-256, no unsigned attributes, and no
  // certificate that is not in the signer's chain, for bytes that nothing vouches for have no place
  // in evidence.
  kReceipt,
  // As fifteen years of Apple's tools made them: content inside or apart, SHA-1 included, with
  // unsigned attributes such as the time stamp's, other certificates, and bytes after the end.
  kCode,
};

struct SignedData {
  std::optional<Bytes> content;     // nullopt: it is elsewhere
  std::vector<Bytes> certificates;  // the signer's first; of a receipt, then up the chain
  crypto::DigestAlgorithm digest = crypto::DigestAlgorithm::kSha256;
  Bytes signed_attributes;       // DER of the SET OF Attribute; empty when there is none
  ByteView signature_algorithm;  // AlgorithmIdentifier
  ByteView signature;
};

// Structure only. `encoded` must outlive the result.
Result<SignedData> parse_signed_data(ByteView encoded, CmsUse use);

// Whether `key` signed `content`, by way of the signed attributes where there are any (RFC 5652
// section 5.4). kDigestMismatch, kBadSignature.
Result<void> check_signature(const SignedData& data, ByteView content, const PublicKey& key,
                             SignatureAlgorithm algorithm);

// Of a receipt: its signature, and the signer's chain up to a root of `issuers`. Times are not
// checked.
Result<std::shared_ptr<const IssuerChain>> verify_receipt(const SignedData& data,
                                                          const IssuerVerifier& issuers);

struct CodeSigner {
  Bytes certificate;                // DER
  std::string organizational_unit;  // of its subject: Apple writes the team id there
};
// Verifies a detached signature over `content`. The signer's certificate must be for code signing
// and chain to one of `roots` (DER); time does not matter, since apps outlive their certificates.
Result<CodeSigner> verify_code_signature(ByteView cms, ByteView content,
                                         const std::vector<Bytes>& roots);
// Verifies a signature around its content, by a signer who chains to one of `roots`, and returns
// the content.
Result<Bytes> open_signed_content(ByteView cms, const std::vector<Bytes>& roots,
                                  std::size_t max_bytes);

}  // namespace touchmark::pki
