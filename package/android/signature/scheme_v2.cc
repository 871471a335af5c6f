#include "package/android/signature/scheme_v2.h"

namespace touchmark::package::signature {
namespace {

constexpr std::uint32_t kStrippingProtectionAttribute = 0xbeeff00d;

constexpr BlockErrors kErrors{
    .malformed_signers = SignatureError::kV2MalformedSigners,
    .no_signers = SignatureError::kV2NoSigners,
    .malformed_signer = SignatureError::kV2MalformedSigner,
    .malformed_signature = SignatureError::kV2MalformedSignature,
    .no_signatures = SignatureError::kV2NoSignatures,
    .no_supported_signatures = SignatureError::kV2NoSupportedSignatures,
    .malformed_public_key = SignatureError::kV2MalformedPublicKey,
    .unusable_signature = SignatureError::kV2UnusableSignature,
    .bad_signature = SignatureError::kV2BadSignature,
    .malformed_signed_data = SignatureError::kV2MalformedSignedData,
    .malformed_certificate = SignatureError::kV2MalformedCertificate,
    .no_certificates = SignatureError::kV2NoCertificates,
    .public_key_mismatch = SignatureError::kV2PublicKeyMismatch,
    .malformed_digest = SignatureError::kV2MalformedDigest,
    .algorithm_mismatch = SignatureError::kV2AlgorithmMismatch,
    .malformed_attribute = SignatureError::kV2MalformedAttribute,
    .digest_mismatch = SignatureError::kV2DigestMismatch,
    .misaligned_block = SignatureError::kV2MisalignedBlock,
};

// A signer of several schemes lists the newer ones here, so that cutting their block out shows.
Result<void> check_attributes(const BlockSigner& signer, const SignerPlace& place, SdkRange range,
                              const std::set<SchemeId>& found, std::vector<std::string>& warnings) {
  for (const BlockAttribute& attribute : signer.attributes) {
    if (attribute.id != kStrippingProtectionAttribute) {
      warnings.push_back("signature.unknown-attribute: " + place.text() + ": attribute " +
                         std::to_string(attribute.id));
      continue;
    }
    const auto id = ByteReader(attribute.value).u32();
    if (!id) {
      return fail(SignatureError::kV2MalformedAttribute,
                  place.text() + ": stripping protection of " +
                      std::to_string(attribute.value.size()) + " bytes");
    }
    const auto named = static_cast<SchemeId>(*id);
    const bool known = named == SchemeId::kV2 || (named == SchemeId::kV3 && range.max >= kPie);
    if (!known) {
      warnings.push_back("signature.unknown-scheme: " + place.text() + ": scheme " +
                         std::to_string(*id));
    } else if (!found.contains(named)) {
      return fail(SignatureError::kV2SchemeStripped,
                  place.text() + " says that scheme " + std::to_string(*id) +
                      " signed too; the package does not have it");
    }
  }
  return {};
}

Result<BlockSigner> verify_signer(ByteView bytes, const SignerPlace& place, SdkRange range,
                                  std::set<ContentDigest>& vouched,
                                  std::vector<std::string>& warnings) {
  ByteReader fields(bytes);
  const auto signed_data = fields.prefixed();
  const auto signatures = fields.prefixed();
  const auto public_key = fields.prefixed();
  if (!signed_data || !signatures || !public_key) {
    return fail(SignatureError::kV2MalformedSigner, place.text() + " is cut off");
  }
  const SignerRecord record{*signed_data, range, *signatures, *public_key};
  BlockSigner signer;
  if (auto r = verify_signed_data(record, range, place, kErrors, signer, vouched, warnings); !r) {
    return pass(r);
  }
  ByteReader signed_fields(*signed_data);
  const auto digests = signed_fields.prefixed();
  const auto certificates = signed_fields.prefixed();
  const auto attributes = signed_fields.prefixed();
  if (!digests || !certificates || !attributes) {
    return fail(SignatureError::kV2MalformedSignedData, place.text() + ": signed data is cut off");
  }
  const SignedDataRecord data{*digests, *certificates, range, *attributes};
  if (auto r = read_signed_data(record, data, place, kErrors, signer); !r) return pass(r);
  return signer;
}

}  // namespace

Result<std::vector<BlockSigner>> verify_v2(ByteView block, SdkRange range,
                                           const std::set<SchemeId>& found,
                                           ContentDigester& content,
                                           std::vector<std::string>& warnings) {
  const auto records = split_signers(block, kErrors);
  if (!records) return pass(records);
  if (records->size() > kMaxSigners) {
    return fail(SignatureError::kV2TooManySigners, std::to_string(records->size()) +
                                                       " v2 signers; the platform takes " +
                                                       std::to_string(kMaxSigners));
  }
  std::set<ContentDigest> vouched;
  std::vector<BlockSigner> signers;
  for (std::size_t i = 0; i < records->size(); ++i) {
    const SignerPlace place{"v2", i + 1};
    auto signer = verify_signer((*records)[i], place, range, vouched, warnings);
    if (!signer) return pass(signer);
    if (auto r = check_attributes(*signer, place, range, found, warnings); !r) return pass(r);
    signers.push_back(std::move(*signer));
  }
  if (auto r = verify_content(signers, vouched, "v2", kErrors, content); !r) return pass(r);
  return signers;
}

}  // namespace touchmark::package::signature
