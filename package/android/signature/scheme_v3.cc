#include "package/android/signature/scheme_v3.h"

#include <algorithm>
#include <map>

namespace touchmark::package::signature {
namespace {

constexpr std::uint32_t kLineageAttribute = 0x3ba06f8c;
constexpr std::uint32_t kRotationMinSdkAttribute = 0x559f8b02;
constexpr std::uint32_t kDevelopmentReleaseAttribute = 0xc2a6b3ba;

constexpr BlockErrors kV3Errors{
    .malformed_signers = SignatureError::kV3MalformedSigners,
    .no_signers = SignatureError::kV3NoSigners,
    .malformed_signer = SignatureError::kV3MalformedSigner,
    .malformed_signature = SignatureError::kV3MalformedSignature,
    .no_signatures = SignatureError::kV3NoSignatures,
    .no_supported_signatures = SignatureError::kV3NoSupportedSignatures,
    .malformed_public_key = SignatureError::kV3MalformedPublicKey,
    .unusable_signature = SignatureError::kV3UnusableSignature,
    .bad_signature = SignatureError::kV3BadSignature,
    .malformed_signed_data = SignatureError::kV3MalformedSignedData,
    .malformed_certificate = SignatureError::kV3MalformedCertificate,
    .no_certificates = SignatureError::kV3NoCertificates,
    .public_key_mismatch = SignatureError::kV3PublicKeyMismatch,
    .malformed_digest = SignatureError::kV3MalformedDigest,
    .algorithm_mismatch = SignatureError::kV3AlgorithmMismatch,
    .malformed_attribute = SignatureError::kV3MalformedAttribute,
    .digest_mismatch = SignatureError::kV3DigestMismatch,
    .misaligned_block = SignatureError::kV3MisalignedBlock,
};

// API levels are signed 32-bit numbers.
std::optional<SdkRange> read_sdk_range(ByteReader& reader) {
  const auto min = reader.u32();
  const auto max = reader.u32();
  if (!min || !max) return std::nullopt;
  return SdkRange{static_cast<std::int32_t>(*min), static_cast<std::int32_t>(*max)};
}

std::string levels(SdkRange sdk) {
  return "API levels " + std::to_string(sdk.min) + " to " + std::to_string(sdk.max);
}

Result<SignerRecord> split_signer(ByteView bytes, const SignerPlace& place) {
  ByteReader fields(bytes);
  const auto signed_data = fields.prefixed();
  const auto sdk = read_sdk_range(fields);
  if (sdk && (sdk->min < 0 || sdk->min > sdk->max)) {
    return fail(SignatureError::kV3InvalidSdkVersions, place.text() + " is for " + levels(*sdk));
  }
  const auto signatures = fields.prefixed();
  const auto public_key = fields.prefixed();
  if (!signed_data || !sdk || !signatures || !public_key) {
    return fail(SignatureError::kV3MalformedSigner, place.text() + " is cut off");
  }
  return SignerRecord{*signed_data, *sdk, *signatures, *public_key};
}

Result<SignedDataRecord> split_signed_data(const SignerRecord& record, const SignerPlace& place) {
  ByteReader fields(record.signed_data);
  const auto digests = fields.prefixed();
  const auto certificates = fields.prefixed();
  const auto sdk = read_sdk_range(fields);
  const auto attributes = fields.prefixed();
  if (!digests || !certificates || !sdk || !attributes) {
    return fail(SignatureError::kV3MalformedSignedData, place.text() + ": signed data is cut off");
  }
  if (sdk->min != record.sdk.min) {
    return fail(
        SignatureError::kV3MinSdkMismatch,
        place.text() + " was signed for " + levels(*sdk) + ", and says " + levels(record.sdk));
  }
  if (sdk->max != record.sdk.max) {
    return fail(
        SignatureError::kV3MaxSdkMismatch,
        place.text() + " was signed for " + levels(*sdk) + ", and says " + levels(record.sdk));
  }
  return SignedDataRecord{*digests, *certificates, *sdk, *attributes};
}

Result<BlockSigner> verify_signer(ByteView bytes, const SignerPlace& place,
                                  std::set<ContentDigest>& vouched,
                                  std::vector<std::string>& warnings) {
  const auto record = split_signer(bytes, place);
  if (!record) return pass(record);
  BlockSigner signer;
  signer.sdk = record->sdk;
  if (auto r =
          verify_signed_data(*record, record->sdk, place, kV3Errors, signer, vouched, warnings);
      !r) {
    return pass(r);
  }
  const auto data = split_signed_data(*record, place);
  if (!data) return pass(data);
  if (auto r = read_signed_data(*record, *data, place, kV3Errors, signer); !r) return pass(r);
  return signer;
}

// A v3 signer of a package with a v3.1 block says from which API level on the other block counts,
// so that cutting the other block out shows. Platforms before v3.1 do not know the attribute.
Result<void> check_rotation(const BlockAttribute& attribute, const SignerPlace& place,
                            const V3Request& request) {
  if (request.range.max < kTiramisu) return {};
  const auto value = ByteReader(attribute.value).u32();
  if (!value) {
    return fail(
        SignatureError::kV3MalformedAttribute,
        place.text() + ": rotation level of " + std::to_string(attribute.value.size()) + " bytes");
  }
  const std::int64_t level = static_cast<std::int32_t>(*value);
  if (!request.rotation_min_sdk) {
    return fail(SignatureError::kV31BlockMissing,
                place.text() + " says that another key signs from API level " +
                    std::to_string(level) + " on; the package has no v3.1 block");
  }
  if (level != *request.rotation_min_sdk) {
    return fail(SignatureError::kV31RotationSdkMismatch,
                place.text() + " says that another key signs from API level " +
                    std::to_string(level) + " on; the v3.1 block is from " +
                    std::to_string(*request.rotation_min_sdk) + " on");
  }
  return {};
}

Result<std::vector<LineageCertificate>> signer_lineage(const BlockAttribute& attribute,
                                                       const BlockSigner& signer,
                                                       const SignerPlace& place) {
  auto lineage = read_lineage(attribute.value);
  if (!lineage) return pass(lineage);
  if (lineage->empty() || lineage->back().certificate != signer.certificates.front().der) {
    return fail(SignatureError::kV3LineageCertificateMismatch,
                place.text() + " is not the last certificate of its lineage");
  }
  return lineage;
}

// Checks the attributes and returns the signer's lineage, empty when it has none.
Result<std::vector<LineageCertificate>> check_attributes(const BlockSigner& signer,
                                                         const SignerPlace& place,
                                                         const V3Request& request,
                                                         std::vector<std::string>& warnings) {
  std::vector<LineageCertificate> lineage;
  bool names_rotation = false;
  for (const BlockAttribute& attribute : signer.attributes) {
    if (attribute.id == kLineageAttribute) {
      auto read = signer_lineage(attribute, signer, place);
      if (!read) return pass(read);
      lineage = std::move(*read);
    } else if (attribute.id == kRotationMinSdkAttribute) {
      names_rotation = true;
      if (auto r = check_rotation(attribute, place, request); !r) return pass(r);
    } else if (attribute.id == kDevelopmentReleaseAttribute) {
      if (!request.is_v31) {
        warnings.push_back("signature.v3.development-release: " + place.text() +
                           " targets a development release, which only v3.1 signers can");
      }
    } else {
      warnings.push_back("signature.unknown-attribute: " + place.text() + ": attribute " +
                         std::to_string(attribute.id));
    }
  }
  if (request.rotation_min_sdk && !names_rotation) {
    warnings.push_back("signature.v3.rotation-unprotected: " + place.text() +
                       " does not name the v3.1 block, which could be cut out unseen");
  }
  return lineage;
}

bool targets_development_release(const BlockSigner& signer) {
  return std::any_of(signer.attributes.begin(), signer.attributes.end(),
                     [](const auto& a) { return a.id == kDevelopmentReleaseAttribute; });
}

// The signers' API levels follow each other without gap or overlap (a signer for a development
// release starts at the level of the release before it), newer ones have the longer lineages, and
// together they cover the levels asked for.
Result<void> check_coverage(const std::vector<BlockSigner>& signers,
                            const std::vector<std::vector<LineageCertificate>>& lineages,
                            const V3Request& request) {
  std::map<std::int64_t, std::size_t> by_max;
  for (std::size_t i = 0; i < signers.size(); ++i) by_max[signers[i].sdk.max] = i;
  std::int64_t first =
      0;  // 0: none yet. A signer "from 0 on" opens the range again, as on Android.
  std::int64_t last = 0;
  std::size_t longest = 0;
  for (const auto& [max, index] : by_max) {
    const std::int64_t min = signers[index].sdk.min;
    if (first == 0) {
      first = min;
    } else if (min != last + 1 && !(min == last && targets_development_release(signers[index]))) {
      return fail(SignatureError::kV3InconsistentSdkVersions,
                  "a v3 signer up to API level " + std::to_string(last) +
                      " is followed by one for " + levels(signers[index].sdk));
    }
    last = max;
    if (lineages[index].empty()) continue;
    if (lineages[index].size() < longest) {
      return fail(SignatureError::kV3InconsistentLineages,
                  "the signer for " + levels(signers[index].sdk) +
                      " has a shorter lineage than one for older levels");
    }
    longest = lineages[index].size();
  }
  const std::int64_t needed =
      request.rotation_min_sdk ? *request.rotation_min_sdk - 1 : request.range.max;
  if (first > request.range.min || last < needed) {
    return fail(SignatureError::kV3MissingSdkVersions, "the signers are for " +
                                                           levels({first, last}) + ", needed are " +
                                                           levels({request.range.min, needed}));
  }
  return {};
}

}  // namespace

Result<V3Result> verify_v3(ByteView block, const V3Request& request, ContentDigester& content,
                           std::vector<std::string>& warnings) {
  const std::string_view scheme = request.is_v31 ? "v3.1" : "v3";
  const auto records = split_signers(block, kV3Errors);
  if (!records) return pass(records);
  V3Result result;
  std::set<ContentDigest> vouched;
  std::vector<std::vector<LineageCertificate>> lineages;
  for (std::size_t i = 0; i < records->size(); ++i) {
    const SignerPlace place{scheme, i + 1};
    auto signer = verify_signer((*records)[i], place, vouched, warnings);
    if (!signer) return pass(signer);
    auto lineage = check_attributes(*signer, place, request, warnings);
    if (!lineage) return pass(lineage);
    result.signers.push_back(std::move(*signer));
    lineages.push_back(std::move(*lineage));
  }
  if (auto r = verify_content(result.signers, vouched, scheme, kV3Errors, content); !r) {
    return pass(r);
  }
  if (auto r = check_coverage(result.signers, lineages, request); !r) return pass(r);
  std::erase_if(lineages, [](const auto& lineage) { return lineage.empty(); });
  auto merged = merge_lineages(lineages);
  if (!merged) return pass(merged);
  result.lineage = std::move(*merged);
  return result;
}

}  // namespace touchmark::package::signature
