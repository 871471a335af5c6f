// Reads and verifies CMS SignedData (RFC 5652) of one signer, in BER, as Apple's receipts are.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "pki/certificate.h"
#include "pki/issuer_chain.h"

namespace touchmark::pki {

enum class CmsError {
  kMalformed,             // not SignedData with content, certificates and one signer
  kUnsupportedAlgorithm,  // another digest than SHA-256, or a signature that is not known
  kNoSignerCertificate,   // no certificate has the signer's issuer and serial number
  kUnusedCertificate,     // a certificate that is no part of the signer's chain
  kDigestMismatch,        // the signed attributes are of other content
  kBadSignature,
};
std::string_view error_id(CmsError error);

struct SignedData {
  Bytes content;
  std::vector<Bytes> certificates;  // the signer's first, then up the chain
  Bytes signed_attributes;          // DER of the SET OF Attribute; empty when there is none
  ByteView signature_algorithm;     // AlgorithmIdentifier
  ByteView signature;
};

// Structure only. `encoded` must outlive the result.
Result<SignedData> parse_signed_data(ByteView encoded);

// The content's signature, and the signer's chain up to a root of `issuers`. Times are not checked.
Result<std::shared_ptr<const IssuerChain>> verify_signed_data(const SignedData& data,
                                                              const IssuerVerifier& issuers);

}  // namespace touchmark::pki
