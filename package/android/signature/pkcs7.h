// The parts of a PKCS #7 SignedData (RFC 2315, RFC 5652) that a JAR signature block consists of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::signature {

// More certificates or signers than this in one block are refused.
inline constexpr std::size_t kMaxPkcs7Items = 256;

struct Pkcs7Signer {
  // Who signed: a certificate's issuer (encoded Name) and serial number (contents of an INTEGER).
  // Absent when the block names the signer in another way, which platforms do not follow.
  std::optional<ByteView> issuer;
  ByteView serial;
  std::string digest_algorithm;               // OID
  std::string signature_algorithm;            // OID
  std::optional<ByteView> signed_attributes;  // encoded, with its [0] tag
  ByteView signature;
};

// Views point into the parsed bytes.
struct Pkcs7SignedData {
  std::string content_type;            // OID of what was signed
  std::vector<ByteView> certificates;  // each encoded
  std::vector<Pkcs7Signer> signers;
};

// A ContentInfo that holds SignedData; kV1MalformedBlock otherwise. What a platform skips is
// skipped: CRLs, unsigned attributes, further fields.
Result<Pkcs7SignedData> parse_pkcs7(ByteView block);

struct Pkcs7Attribute {
  std::string type;              // OID
  std::vector<ByteView> values;  // each encoded
};
// The signed attributes of a signer; kV1MalformedAttributes when they are not that.
Result<std::vector<Pkcs7Attribute>> parse_attributes(ByteView encoded);

}  // namespace touchmark::package::signature
