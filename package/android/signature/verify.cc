// Which schemes are verified for which API levels.
#include <algorithm>
#include <optional>

#include "package/android/signature/content_digest.h"
#include "package/android/signature/error.h"
#include "package/android/signature/scheme_results.h"
#include "package/android/signature/scheme_v1.h"
#include "package/android/signature/signature.h"
#include "package/android/signature/signing_block.h"
#include "package/android/signature/source_stamp.h"

namespace touchmark::package::signature {
namespace {

class Verification {
 public:
  Verification(const zip::ZipArchive& archive, const ManifestFacts& manifest, SdkRange range,
               const Source* v4_signature)
      : archive_(archive), manifest_(manifest), range_(range), v4_signature_(v4_signature) {}

  Result<SignatureReport> run();

 private:
  Result<void> verify_block_schemes();
  Result<void> verify_v31_scheme(const SigningBlock& block, ContentDigester& content);
  Result<void> verify_v3_scheme(const SigningBlock& block, ContentDigester& content);
  Result<void> verify_v2_scheme(const SigningBlock& block, ContentDigester& content);
  Result<void> verify_v1_scheme();
  Result<void> check_manifest_sandbox() const;
  Result<void> check_manifest_target() const;
  Result<SourceStamp> verify_stamp(ByteView certificate_digest) const;
  Result<std::optional<SourceStamp>> find_stamp();

  const zip::ZipArchive& archive_;
  const ManifestFacts& manifest_;
  SdkRange range_;
  const Source* v4_signature_;
  SchemeResults results_;
  std::optional<SigningBlock> block_;
  bool looked_at_v1_ = false;
  std::vector<std::string> warnings_;
};

Result<void> Verification::verify_v31_scheme(const SigningBlock& block, ContentDigester& content) {
  if (range_.max < kTiramisu) return {};
  const auto value = block.read(archive_.source(), kV31BlockId);
  if (!value) return pass(value);
  if (!*value) return {};
  // Levels below the first v3.1 signer are v3's.
  const V3Request request{
      .is_v31 = true, .range = {range_.max, range_.max}, .rotation_min_sdk = {}};
  auto result = verify_v3(**value, request, content, warnings_);
  if (!result) return pass(result);
  results_.v31 = *std::move(result);
  return {};
}

Result<void> Verification::verify_v3_scheme(const SigningBlock& block, ContentDigester& content) {
  if (range_.max < kPie) return {};
  const auto value = block.read(archive_.source(), kV3BlockId);
  if (!value) return pass(value);
  const auto& v31 = results_.v31.signers;
  if (!*value) {
    if (v31.empty()) return {};
    return fail(SignatureError::kV31WithoutV3, "a v3.1 block and no v3 block");
  }
  V3Request request{
      .is_v31 = false, .range = {std::max(range_.min, kPie), range_.max}, .rotation_min_sdk = {}};
  if (!v31.empty()) {
    const std::int64_t lowest =
        std::ranges::min(v31, {}, [](const BlockSigner& s) { return s.sdk.min; }).sdk.min;
    if (lowest > 0) request.rotation_min_sdk = lowest;
  }
  auto result = verify_v3(**value, request, content, warnings_);
  if (!result) return pass(result);
  results_.v3 = *std::move(result);
  return {};
}

// Platforms before v3 always look at v2, later ones when there is nothing newer.
Result<void> Verification::verify_v2_scheme(const SigningBlock& block, ContentDigester& content) {
  const auto found = results_.found();
  if (range_.min >= kPie && !found.empty()) return {};
  const auto value = block.read(archive_.source(), kV2BlockId);
  if (!value) return pass(value);
  if (!*value) return {};
  const SdkRange range{std::max(range_.min, kNougat), range_.max};
  auto signers = verify_v2(**value, range, found, content, warnings_);
  if (!signers) return pass(signers);
  results_.v2 = *std::move(signers);
  return {};
}

Result<void> Verification::verify_block_schemes() {
  if (range_.max < kNougat) return {};
  auto block = SigningBlock::find(archive_);
  if (!block) return pass(block);
  block_ = *std::move(block);
  if (block_) {
    if (block_->truncated()) {
      warnings_.push_back("signature.block.truncated: an entry of the signing block overruns it");
    }
    const zip::ZipSections& sections = archive_.sections();
    ContentDigester content(archive_.source(), {block_->offset(), sections.central_directory_offset,
                                                sections.end_record_offset, sections.end_record});
    if (auto r = verify_v31_scheme(*block_, content); !r) return pass(r);
    if (auto r = verify_v3_scheme(*block_, content); !r) return pass(r);
    if (auto r = verify_v2_scheme(*block_, content); !r) return pass(r);
  }
  if (v4_signature_ == nullptr) return {};
  auto v4 = verify_v4(archive_.source(), *v4_signature_);
  if (!v4) return pass(v4);
  results_.v4 = *std::move(v4);
  return {};
}

// Platforms before v2 always look at v1, later ones when there is nothing newer.
Result<void> Verification::verify_v1_scheme() {
  const auto found = results_.found();
  if (range_.min >= kNougat && !found.empty()) return {};
  auto signers = verify_v1(archive_, range_, found, warnings_);
  if (!signers) return pass(signers);
  results_.v1 = *std::move(signers);
  looked_at_v1_ = true;
  return {};
}

Result<void> Verification::check_manifest_sandbox() const {
  if (range_.max >= kOreo && manifest_.target_sandbox_version > 1 && results_.found().empty()) {
    return fail(SignatureError::kSandboxNeedsScheme,
                "targetSandboxVersion " + std::to_string(manifest_.target_sandbox_version) +
                    " needs a signature of v2 or newer");
  }
  return {};
}

Result<void> Verification::check_manifest_target() const {
  const std::int64_t target = manifest_.target_sdk;
  if (target >= kAndroid11 && range_.max >= target && results_.found().empty()) {
    return fail(SignatureError::kTargetNeedsScheme, "an app that targets API level " +
                                                        std::to_string(target) +
                                                        " must be signed with v2 or newer");
  }
  return {};
}

Result<SourceStamp> Verification::verify_stamp(ByteView certificate_digest) const {
  const auto block = block_ ? block_->read(archive_.source(), kSourceStampV2BlockId)
                            : Result<std::optional<Bytes>>(std::nullopt);
  if (!block) return pass(block);
  if (!*block) {
    return fail(SignatureError::kStampBlockMissing,
                "source stamp: named in the package, and not in the signing block");
  }
  StampedDigests digests;
  if (looked_at_v1_) {
    const auto manifest = archive_.read(*archive_.find(kJarManifestName), kMaxJarManifestBytes);
    if (!manifest) return pass(manifest);
    digests[1] = stamped_manifest_digest(*manifest);
  }
  if (!results_.v2.empty()) digests[2] = stamped_digests(results_.v2);
  if (!results_.v3.signers.empty()) digests[3] = stamped_digests(results_.v3.signers);
  return verify_source_stamp(**block, certificate_digest, digests,
                             {std::max(range_.min, kAndroid11), range_.max});
}

// A stamp that does not verify is a warning: it says nothing against the app's own signature.
Result<std::optional<SourceStamp>> Verification::find_stamp() {
  const zip::ZipEntry* entry = archive_.find(kStampEntryName);
  if (entry == nullptr) return std::nullopt;
  if (entry->size > kMaxStampEntryBytes) {
    warnings_.push_back("signature.stamp.malformed: source stamp: names a certificate in " +
                        std::to_string(entry->size) + " bytes");
    return std::nullopt;
  }
  const auto certificate_digest = archive_.read(*entry, kMaxStampEntryBytes);
  if (!certificate_digest) return pass(certificate_digest);
  auto stamp = verify_stamp(*certificate_digest);
  if (stamp) return *std::move(stamp);
  warnings_.push_back(stamp.error().text());
  return std::nullopt;
}

Result<SignatureReport> Verification::run() {
  if (auto r = verify_block_schemes(); !r) return pass(r);
  if (auto r = check_manifest_sandbox(); !r) return pass(r);
  if (auto r = verify_v1_scheme(); !r) return pass(r);
  auto stamp = find_stamp();
  if (!stamp) return pass(stamp);
  if (auto r = check_agreement(results_); !r) return pass(r);
  if (auto r = check_manifest_target(); !r) return pass(r);
  SignatureReport report = report_of(results_);
  report.stamp = *std::move(stamp);
  report.warnings = std::move(warnings_);
  return report;
}

}  // namespace

Result<SignatureReport> verify_signatures(const zip::ZipArchive& archive,
                                          const ManifestFacts& manifest,
                                          const SignatureOptions& options) {
  const SdkRange range{options.min_sdk != 0 ? options.min_sdk : manifest.min_sdk,
                       options.max_sdk != 0 ? options.max_sdk : kNewest};
  if (range.min > range.max) {
    return fail(SignatureError::kSdkRange, "API levels from " + std::to_string(range.min) + " to " +
                                               std::to_string(range.max));
  }
  return Verification(archive, manifest, range, options.v4_signature).run();
}

}  // namespace touchmark::package::signature
