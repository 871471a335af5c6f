#include "package/android/signature/block_signer.h"

#include <algorithm>

#include "base/encoding.h"
#include "package/android/signature/block_algorithm.h"

namespace touchmark::package::signature {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

struct BlockSignature {
  const BlockAlgorithm* algorithm;
  ByteView value;
};

std::string hex_id(std::uint32_t id) {
  Bytes big_endian;
  for (int shift = 24; shift >= 0; shift -= 8) big_endian.push_back(std::byte(id >> shift));
  return "0x" + hex_encode(big_endian);
}

// The signatures whose algorithm is known; the others are noted as warnings.
Result<std::vector<BlockSignature>> read_signatures(ByteView records, const SignerPlace& place,
                                                    const BlockErrors& errors, BlockSigner& signer,
                                                    std::vector<std::string>& warnings) {
  std::vector<BlockSignature> known;
  for (ByteReader reader(records); !reader.empty();) {
    const auto record = reader.prefixed();
    ByteReader fields(record.value_or(ByteView{}));
    const auto id = fields.u32();
    const auto value = fields.prefixed();
    if (!record || !id || !value) {
      return fail(errors.malformed_signature,
                  place.text() + ": signature " +
                      std::to_string(signer.signature_algorithms.size() + 1) + " is cut off");
    }
    signer.signature_algorithms.push_back(*id);
    if (const BlockAlgorithm* algorithm = find_block_algorithm(*id)) {
      known.push_back({algorithm, *value});
    } else {
      warnings.push_back("signature.unknown-algorithm: " + place.text() + ": " + hex_id(*id));
    }
  }
  if (signer.signature_algorithms.empty()) {
    return fail(errors.no_signatures, place.text() + " has no signature");
  }
  return known;
}

Result<void> verify_one(const BlockSignature& signature, const SignerRecord& record,
                        const SignerPlace& place, const BlockErrors& errors) {
  const auto key = pki::PublicKey::from_spki(record.public_key, pki::KeyPolicy::kPlatform);
  const std::string what = place.text() + ": " + std::string(signature.algorithm->name);
  if (!key || key->type() != signature.algorithm->scheme.key_type) {
    return fail(errors.malformed_public_key, what + ": the public key is not one for it");
  }
  switch (key->check(signature.algorithm->scheme, record.signed_data, signature.value)) {
    case pki::SignatureCheck::kGood:
      return {};
    case pki::SignatureCheck::kBad:
      return fail(errors.bad_signature, what + " does not verify");
    case pki::SignatureCheck::kUnusable:
      break;
  }
  return fail(errors.unusable_signature, what + ": " + std::to_string(signature.value.size()) +
                                             " bytes that the key cannot have made");
}

Result<void> read_certificates(ByteView records, const SignerPlace& place,
                               const BlockErrors& errors, BlockSigner& signer) {
  for (ByteReader reader(records); !reader.empty();) {
    const auto der = reader.prefixed();
    if (!der)
      return fail(errors.malformed_signed_data, place.text() + ": a certificate is cut off");
    auto certificate = read_signer_certificate(*der);
    if (!certificate) {
      return fail(errors.malformed_certificate, place.text() + ": certificate " +
                                                    std::to_string(signer.certificates.size() + 1) +
                                                    " is not X.509");
    }
    signer.certificates.push_back(std::move(*certificate));
  }
  if (signer.certificates.empty()) {
    return fail(errors.no_certificates, place.text() + " has no certificate");
  }
  return {};
}

Result<void> read_digests(ByteView records, const SignerPlace& place, const BlockErrors& errors,
                          BlockSigner& signer) {
  for (ByteReader reader(records); !reader.empty();) {
    const auto record = reader.prefixed();
    ByteReader fields(record.value_or(ByteView{}));
    const auto id = fields.u32();
    const auto value = fields.prefixed();
    if (!record || !id || !value) {
      return fail(
          errors.malformed_digest,
          place.text() + ": digest " + std::to_string(signer.digests.size() + 1) + " is cut off");
    }
    signer.digests.push_back({*id, to_bytes(*value)});
  }
  return {};
}

Result<void> read_attributes(ByteView records, const SignerPlace& place, const BlockErrors& errors,
                             BlockSigner& signer) {
  for (ByteReader reader(records); !reader.empty();) {
    const auto record = reader.prefixed();
    ByteReader fields(record.value_or(ByteView{}));
    const auto id = fields.u32();
    if (!record || !id) {
      return fail(errors.malformed_attribute, place.text() + ": attribute " +
                                                  std::to_string(signer.attributes.size() + 1) +
                                                  " is cut off");
    }
    signer.attributes.push_back({*id, to_bytes(fields.rest())});
  }
  return {};
}

// fs-verity needs the signing block to begin and end on page borders.
bool aligned(const ContentLayout& layout) {
  return layout.block_offset % kPageBytes == 0 &&
         (layout.central_directory_offset - layout.block_offset) % kPageBytes == 0;
}

}  // namespace

Result<std::vector<ByteView>> split_signers(ByteView block, const BlockErrors& errors) {
  ByteReader outer(block);
  const auto all = outer.prefixed();
  if (!all) return fail(errors.malformed_signers, "the list of signers is cut off");
  if (all->empty()) return fail(errors.no_signers, "the list of signers is empty");
  std::vector<ByteView> signers;
  for (ByteReader reader(*all); !reader.empty();) {
    const auto signer = reader.prefixed();
    if (!signer) {
      return fail(errors.malformed_signer,
                  "signer " + std::to_string(signers.size() + 1) + " is cut off");
    }
    signers.push_back(*signer);
  }
  return signers;
}

Result<void> verify_signed_data(const SignerRecord& record, SdkRange sdk, const SignerPlace& place,
                                const BlockErrors& errors, BlockSigner& signer,
                                std::set<ContentDigest>& vouched,
                                std::vector<std::string>& warnings) {
  const auto known = read_signatures(record.signatures, place, errors, signer, warnings);
  if (!known) return pass(known);
  std::vector<const BlockAlgorithm*> algorithms;
  for (const BlockSignature& signature : *known) algorithms.push_back(signature.algorithm);
  const auto picked = signatures_to_verify(algorithms, sdk);
  if (picked.empty()) {
    return fail(errors.no_supported_signatures, place.text() +
                                                    ": no algorithm that every API level from " +
                                                    std::to_string(sdk.min) + " knows");
  }
  for (const std::size_t index : picked) {
    if (auto r = verify_one((*known)[index], record, place, errors); !r) return pass(r);
    vouched.insert((*known)[index].algorithm->content_digest);
  }
  return {};
}

Result<void> read_signed_data(const SignerRecord& record, const SignedDataRecord& data,
                              const SignerPlace& place, const BlockErrors& errors,
                              BlockSigner& signer) {
  if (auto r = read_certificates(data.certificates, place, errors, signer); !r) return pass(r);
  const Bytes& certified = signer.certificates.front().public_key_der;
  if (!std::equal(certified.begin(), certified.end(), record.public_key.begin(),
                  record.public_key.end())) {
    return fail(errors.public_key_mismatch,
                place.text() + ": its certificate is for another key than the one that signed");
  }
  if (auto r = read_digests(data.digests, place, errors, signer); !r) return pass(r);
  const bool same =
      std::equal(signer.digests.begin(), signer.digests.end(), signer.signature_algorithms.begin(),
                 signer.signature_algorithms.end(),
                 [](const auto& digest, std::uint32_t id) { return digest.algorithm == id; });
  if (!same) {
    return fail(
        errors.algorithm_mismatch,
        place.text() + ": the signatures and the signed digests are of different algorithms");
  }
  return read_attributes(data.attributes, place, errors, signer);
}

Result<void> verify_content(const std::vector<BlockSigner>& signers,
                            const std::set<ContentDigest>& vouched, std::string_view scheme,
                            const BlockErrors& errors, ContentDigester& content) {
  if (vouched.contains(ContentDigest::kVeritySha256) && !aligned(content.layout())) {
    return fail(errors.misaligned_block,
                std::string(scheme) + ": a verity digest, and a signing block at " +
                    std::to_string(content.layout().block_offset) + " that is not whole pages");
  }
  if (auto r = content.compute(vouched); !r) return pass(r);
  for (std::size_t i = 0; i < signers.size(); ++i) {
    for (const auto& record : signers[i].digests) {
      const BlockAlgorithm* algorithm = find_block_algorithm(record.algorithm);
      if (algorithm == nullptr || !vouched.contains(algorithm->content_digest)) continue;
      const Bytes& actual = content.get(algorithm->content_digest);
      if (actual == record.value) continue;
      return fail(errors.digest_mismatch,
                  SignerPlace{scheme, i + 1}.text() + ": the content was signed with digest " +
                      hex_encode(record.value) + " and has " + hex_encode(actual));
    }
  }
  return {};
}

}  // namespace touchmark::package::signature
