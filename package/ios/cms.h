// CMS signatures (RFC 5652) as iOS packages hold them: over a code directory, and around a
// provisioning profile.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::ios {

enum class CmsError {
  kMalformed,      // not CMS SignedData
  kSignerCount,    // not exactly one signer
  kNoCertificate,  // the signer's certificate is not in it
  kBadSignature,   // over the content, or the content is another one
  kUntrusted,      // no chain to a trusted root
  kNotForCode,     // the certificate is not for signing code
};
std::string_view error_id(CmsError error);

struct CmsSigner {
  Bytes certificate;                // DER
  std::string organizational_unit;  // of its subject: Apple writes the team id there
};

// The root under which Apple issues code-signing certificates: "Apple Root CA", DER.
ByteView apple_root();

// Verifies a detached signature over `content`. The signer's certificate must be for code signing
// and chain to one of `roots` (DER); time does not matter, since apps outlive their certificates.
Result<CmsSigner> verify_code_cms(ByteView cms, ByteView content, const std::vector<Bytes>& roots);
// Verifies a signature around its content and returns the content.
Result<Bytes> open_cms(ByteView cms, const std::vector<Bytes>& roots, std::size_t max_bytes);

}  // namespace touchmark::package::ios
