#include "package/android/signature/signer_certificate.h"

#include "pki/platform_certificate.h"

namespace touchmark::package::signature {

std::optional<SignerCertificate> read_signer_certificate(ByteView der) {
  const auto read = pki::parse_certificate(der, "certificate", pki::Reading::kPlatform);
  if (!read) return std::nullopt;
  SignerCertificate certificate;
  certificate.der = to_bytes(der);
  certificate.public_key_der = pki::platform_spki(read->spki);
  auto key = pki::PublicKey::from_spki(certificate.public_key_der, pki::KeyPolicy::kPlatform);
  if (key) certificate.public_key = *std::move(key);
  certificate.issuer = to_bytes(read->issuer);
  certificate.serial = to_bytes(read->serial);
  certificate.unknown_critical_extension = pki::has_unknown_critical_extension(*read);
  certificate.usage_allows_signing = pki::usage_allows_signing(*read);
  return certificate;
}

}  // namespace touchmark::package::signature
