#include "package/android/signature/source_stamp.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "package/android/signature/block_algorithm.h"
#include "package/android/signature/byte_reader.h"
#include "package/android/signature/error.h"
#include "package/android/signature/lineage.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {
namespace {

constexpr std::uint32_t kStampLineageAttribute = 0x9d6303f7;
constexpr std::uint32_t kTimeAttribute = 0xe43c5946;

// Numbers of the content digests in a stamp.
constexpr std::uint32_t kManifestDigestId = 4;
std::uint32_t stamp_id(ContentDigest digest) {
  switch (digest) {
    case ContentDigest::kChunkedSha256:
      return 1;
    case ContentDigest::kChunkedSha512:
      return 2;
    case ContentDigest::kVeritySha256:
      return 3;
  }
  return 0;
}

void append_u32(Bytes& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
}

void append_pair(Bytes& out, std::uint32_t id, ByteView value) {
  append_u32(out, 8 + value.size());
  append_u32(out, id);
  append_u32(out, value.size());
  append(out, value);
}

tl::unexpected<Error> malformed_stamp(const char* what) {
  return fail(SignatureError::kStampMalformed, std::string("source stamp: ") + what);
}

Result<void> verify_signatures_over(ByteView data, ByteView records,
                                    const SignerCertificate& certificate, SdkRange range) {
  std::vector<const BlockAlgorithm*> algorithms;
  std::vector<ByteView> values;
  for (ByteReader reader(records); !reader.empty();) {
    ByteReader fields(reader.prefixed().value_or(ByteView{}));
    const auto id = fields.u32();
    const auto value = fields.prefixed();
    if (!id || !value) return malformed_stamp("a signature is cut off");
    if (const BlockAlgorithm* algorithm = find_block_algorithm(*id)) {
      algorithms.push_back(algorithm);
      values.push_back(*value);
    }
  }
  if (algorithms.empty()) {
    return fail(SignatureError::kStampNoSignature, "source stamp: no signature of a known kind");
  }
  const auto picked = signatures_to_verify(algorithms, range, &BlockAlgorithm::key_min_sdk);
  if (picked.empty()) {
    return fail(SignatureError::kStampNoSupportedSignature,
                "source stamp: no signature that every API level knows");
  }
  for (const std::size_t index : picked) {
    const pki::SignatureAlgorithm& scheme = algorithms[index]->scheme;
    const auto& key = certificate.public_key;
    const auto check = key && key->type() == scheme.key_type
                           ? key->check(scheme, data, values[index])
                           : pki::SignatureCheck::kUnusable;
    if (check == pki::SignatureCheck::kUnusable) {
      return fail(SignatureError::kStampUnusableSignature,
                  "source stamp: a signature that its key cannot have made");
    }
    if (check == pki::SignatureCheck::kBad) {
      return fail(SignatureError::kStampBadSignature, "source stamp: a signature does not verify");
    }
  }
  return {};
}

Result<SignerCertificate> read_certificate(ByteReader& fields, ByteView expected_digest) {
  const auto der = fields.prefixed();
  if (!der) return malformed_stamp("the certificate is cut off");
  auto certificate = read_signer_certificate(*der);
  if (!certificate) {
    return fail(SignatureError::kStampMalformedCertificate,
                "source stamp: not an X.509 certificate");
  }
  const Sha256Digest digest = crypto::sha256(*der);
  if (!std::equal(digest.begin(), digest.end(), expected_digest.begin(), expected_digest.end())) {
    return fail(SignatureError::kStampCertificateMismatch,
                "source stamp: signed by " + hex_encode(digest) + ", the package names " +
                    hex_encode(expected_digest));
  }
  return *std::move(certificate);
}

// A stamp signs the digests of each scheme apart.
Result<void> verify_schemes(ByteView records, const StampedDigests& digests,
                            const SignerCertificate& certificate, SdkRange range) {
  std::map<std::uint32_t, ByteView> signatures;
  for (ByteReader reader(records); !reader.empty();) {
    ByteReader fields(reader.prefixed().value_or(ByteView{}));
    const auto scheme = fields.u32();
    const auto value = fields.prefixed();
    if (!scheme || !value) return malformed_stamp("a scheme's signatures are cut off");
    signatures[*scheme] = *value;
  }
  for (const auto& [scheme, data] : digests) {
    const auto found = signatures.find(scheme);
    if (found == signatures.end()) {
      return fail(SignatureError::kStampNoSignature,
                  "source stamp: not over scheme v" + std::to_string(scheme));
    }
    if (auto r = verify_signatures_over(data, found->second, certificate, range); !r) {
      return pass(r);
    }
  }
  return {};
}

Result<void> check_lineage(ByteView value, const SignerCertificate& certificate) {
  const auto lineage = read_lineage(value);
  if (!lineage) {
    return fail(lineage.error().is(SignatureError::kV3LineageBadSignature)
                    ? SignatureError::kStampLineageBadSignature
                    : SignatureError::kStampMalformedLineage,
                "source stamp: " + lineage.error().message());
  }
  if (lineage->empty() || lineage->back().certificate != certificate.der) {
    return fail(SignatureError::kStampLineageCertificateMismatch,
                "source stamp: its certificate is not the last of its lineage");
  }
  return {};
}

Result<void> read_attributes(ByteView attributes, const SignerCertificate& certificate,
                             SourceStamp& stamp) {
  for (ByteReader reader(attributes); !reader.empty();) {
    ByteReader fields(reader.prefixed().value_or(ByteView{}));
    const auto id = fields.u32();
    if (!id)
      return fail(SignatureError::kStampMalformedAttribute, "source stamp: attribute cut off");
    if (*id == kStampLineageAttribute) {
      if (auto r = check_lineage(fields.rest(), certificate); !r) return pass(r);
    } else if (*id == kTimeAttribute) {
      const auto seconds = fields.u64();
      if (!seconds) {
        return fail(SignatureError::kStampMalformedAttribute, "source stamp: time is cut off");
      }
      stamp.time = static_cast<std::int64_t>(*seconds);
      if (stamp.time <= 0) {
        return fail(SignatureError::kStampInvalidTimestamp,
                    "source stamp: made at " + std::to_string(stamp.time));
      }
    }
  }
  return {};
}

}  // namespace

Bytes stamped_digests(const std::vector<BlockSigner>& signers) {
  std::map<std::uint32_t, ByteView> by_id;
  for (const BlockSigner& signer : signers) {
    for (const auto& record : signer.digests) {
      if (const BlockAlgorithm* algorithm = find_block_algorithm(record.algorithm)) {
        by_id[stamp_id(algorithm->content_digest)] = record.value;
      }
    }
  }
  Bytes out;
  for (const auto& [id, value] : by_id) append_pair(out, id, value);
  return out;
}

Bytes stamped_manifest_digest(ByteView jar_manifest) {
  Bytes out;
  append_pair(out, kManifestDigestId, crypto::sha256(jar_manifest));
  return out;
}

Result<SourceStamp> verify_source_stamp(ByteView block, ByteView certificate_digest,
                                        const StampedDigests& digests, SdkRange range) {
  ByteReader outer(block);
  const auto data = outer.prefixed();
  if (!data) return malformed_stamp("it is cut off");
  ByteReader fields(*data);
  const auto certificate = read_certificate(fields, certificate_digest);
  if (!certificate) return pass(certificate);
  const auto schemes = fields.prefixed();
  if (!schemes) return malformed_stamp("its signatures are cut off");
  if (auto r = verify_schemes(*schemes, digests, *certificate, range); !r) return pass(r);
  SourceStamp stamp;
  stamp.certificate = certificate->der;
  stamp.certificate_sha256 = crypto::sha256(certificate->der);
  if (fields.empty()) return stamp;
  const auto signed_attributes = fields.prefixed();
  const auto signatures = fields.prefixed();
  if (!signed_attributes || !signatures) return malformed_stamp("its attributes are cut off");
  if (auto r = verify_signatures_over(*signed_attributes, *signatures, *certificate, range); !r) {
    return pass(r);
  }
  const auto attributes = ByteReader(*signed_attributes).prefixed();
  if (!attributes) return malformed_stamp("its attributes are cut off");
  if (auto r = read_attributes(*attributes, *certificate, stamp); !r) return pass(r);
  return stamp;
}

}  // namespace touchmark::package::signature
