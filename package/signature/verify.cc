// Which schemes are verified for which API levels, and how they must agree.
#include <algorithm>
#include <optional>
#include <set>

#include "base/crypto.h"
#include "package/signature.h"
#include "package/signature/content_digest.h"
#include "package/signature/scheme_v1.h"
#include "package/signature/scheme_v2.h"
#include "package/signature/scheme_v3.h"
#include "package/signature/signing_block.h"
#include "package/signature_error.h"

namespace touchmark::package {
namespace {

class Verification {
 public:
  Verification(const ZipArchive& archive, const ManifestFacts& manifest, SdkRange range)
      : archive_(archive), manifest_(manifest), range_(range) {}

  Result<SignatureReport> run();

 private:
  Result<void> verify_block_schemes();
  Result<void> verify_v31_scheme(ContentDigester& content);
  Result<void> verify_v3_scheme(ContentDigester& content);
  Result<void> verify_v2_scheme(ContentDigester& content);
  Result<void> check_v1_with_v2() const;
  Result<void> check_v3_with_older() const;
  Result<void> check_target_sdk() const;
  SignatureReport report();

  const ZipArchive& archive_;
  const ManifestFacts& manifest_;
  SdkRange range_;
  std::optional<SigningBlock> block_;
  std::set<SchemeId> found_;
  std::optional<V3Result> v31_;
  std::optional<V3Result> v3_;
  std::vector<Certificate> v2_;  // of the signers, in order; empty when the scheme did not count
  std::vector<Certificate> v1_;
  std::vector<std::string> warnings_;
};

bool contains(const std::vector<Certificate>& list, const Certificate& certificate) {
  return std::find(list.begin(), list.end(), certificate) != list.end();
}

Result<void> Verification::verify_v31_scheme(ContentDigester& content) {
  if (range_.max < kTiramisu) return {};
  const auto value = block_->read(archive_.source(), kV31BlockId);
  if (!value) return pass(value);
  if (!*value) return {};
  // Levels below the first v3.1 signer are v3's.
  const V3Request request{
      .is_v31 = true, .range = {range_.max, range_.max}, .rotation_min_sdk = {}};
  auto result = verify_v3(**value, request, content, warnings_);
  if (!result) return pass(result);
  v31_ = std::move(*result);
  found_.insert(SchemeId::kV31);
  return {};
}

Result<void> Verification::verify_v3_scheme(ContentDigester& content) {
  if (range_.max < kPie) return {};
  const auto value = block_->read(archive_.source(), kV3BlockId);
  if (!value) return pass(value);
  if (!*value) {
    if (!v31_) return {};
    return fail(SignatureError::kV31WithoutV3, "a v3.1 block and no v3 block");
  }
  V3Request request{
      .is_v31 = false, .range = {std::max(range_.min, kPie), range_.max}, .rotation_min_sdk = {}};
  if (v31_) {
    const auto lowest = std::min_element(
        v31_->signers.begin(), v31_->signers.end(),
        [](const BlockSigner& a, const BlockSigner& b) { return a.sdk.min < b.sdk.min; });
    if (lowest->sdk.min > 0) request.rotation_min_sdk = lowest->sdk.min;
  }
  auto result = verify_v3(**value, request, content, warnings_);
  if (!result) return pass(result);
  v3_ = std::move(*result);
  found_.insert(SchemeId::kV3);
  return {};
}

// Platforms before v3 always look at v2, later ones when there is nothing newer.
Result<void> Verification::verify_v2_scheme(ContentDigester& content) {
  if (range_.min >= kPie && !found_.empty()) return {};
  const auto value = block_->read(archive_.source(), kV2BlockId);
  if (!value) return pass(value);
  if (!*value) return {};
  const SdkRange range{std::max(range_.min, kNougat), range_.max};
  const auto signers = verify_v2(**value, range, found_, content, warnings_);
  if (!signers) return pass(signers);
  for (const BlockSigner& signer : *signers) v2_.push_back(signer.certificates.front());
  found_.insert(SchemeId::kV2);
  return {};
}

Result<void> Verification::verify_block_schemes() {
  if (range_.max < kNougat) return {};
  auto block = SigningBlock::find(archive_);
  if (!block) return pass(block);
  block_ = std::move(*block);
  if (!block_) return {};
  if (block_->truncated()) {
    warnings_.push_back("signature.block.truncated: an entry of the signing block overruns it");
  }
  const ZipSections& sections = archive_.sections();
  ContentDigester content(archive_.source(), {block_->offset(), sections.central_directory_offset,
                                              sections.end_record_offset, sections.end_record});
  if (auto r = verify_v31_scheme(content); !r) return pass(r);
  if (auto r = verify_v3_scheme(content); !r) return pass(r);
  return verify_v2_scheme(content);
}

// Both must be by the same signers, or platforms of different age would see different ones.
Result<void> Verification::check_v1_with_v2() const {
  if (v1_.empty() || v2_.empty()) return {};
  if (!std::all_of(v1_.begin(), v1_.end(), [&](const auto& c) { return contains(v2_, c); })) {
    return fail(SignatureError::kV1SignerNotInV2, "a v1 signer is not among the v2 signers");
  }
  if (!std::all_of(v2_.begin(), v2_.end(), [&](const auto& c) { return contains(v1_, c); })) {
    return fail(SignatureError::kV2SignerNotInV1, "a v2 signer is not among the v1 signers");
  }
  return {};
}

// The signer that older platforms see is v3's own, or the oldest of its lineage.
Result<void> Verification::check_v3_with_older() const {
  const auto& older = v1_.empty() ? v2_ : v1_;
  if (!v3_ || older.empty()) return {};
  if (older.size() != 1) {
    return fail(SignatureError::kV3MultiplePastSigners,
                "v3 takes one signer; the older scheme has " + std::to_string(older.size()));
  }
  const auto& lineage = v31_ && !v31_->lineage.empty() ? v31_->lineage : v3_->lineage;
  if (lineage.empty() && v3_->signers.size() != 1) {
    return fail(SignatureError::kV3MultipleSigners, "several v3 signers and no lineage");
  }
  const Bytes& expected =
      lineage.empty() ? v3_->signers.front().certificates.front().der : lineage.front().certificate;
  if (older.front().der != expected) {
    return fail(SignatureError::kV3PastSignerMismatch,
                "the older scheme's signer is not the one that v3 starts from");
  }
  return {};
}

Result<void> Verification::check_target_sdk() const {
  const std::int64_t target = manifest_.target_sdk;
  if (target >= kAndroid11 && range_.max >= target && found_.empty()) {
    return fail(SignatureError::kTargetNeedsScheme, "an app that targets API level " +
                                                        std::to_string(target) +
                                                        " must be signed with v2 or newer");
  }
  return {};
}

SignatureReport Verification::report() {
  SignatureReport report;
  if (!v1_.empty()) report.schemes.emplace_back("v1");
  if (!v2_.empty()) report.schemes.emplace_back("v2");
  if (v3_) report.schemes.emplace_back("v3");
  if (v31_) report.schemes.emplace_back("v3.1");
  const auto add = [&](const Certificate& certificate) {
    report.signers.push_back({certificate.der, sha256(certificate.der), report.schemes.back()});
  };
  // The newest scheme names the signers. Of v3's signers the last is the one for the newest levels.
  if (v31_) {
    add(v31_->signers.back().certificates.front());
  } else if (v3_) {
    add(v3_->signers.back().certificates.front());
  } else {
    for (const Certificate& certificate : v2_.empty() ? v1_ : v2_) add(certificate);
  }
  if (v3_) report.lineage = std::move(v3_->lineage);
  if (v31_ && !v31_->lineage.empty()) report.lineage = std::move(v31_->lineage);
  report.warnings = std::move(warnings_);
  return report;
}

Result<SignatureReport> Verification::run() {
  if (auto r = verify_block_schemes(); !r) return pass(r);
  if (range_.max >= kOreo && manifest_.target_sandbox_version > 1 && found_.empty()) {
    return fail(SignatureError::kSandboxNeedsScheme,
                "targetSandboxVersion " + std::to_string(manifest_.target_sandbox_version) +
                    " needs a signature of v2 or newer");
  }
  if (range_.min < kNougat || found_.empty()) {
    auto signers = verify_v1(archive_, range_, found_, warnings_);
    if (!signers) return pass(signers);
    v1_ = std::move(*signers);
  }
  if (auto r = check_v1_with_v2(); !r) return pass(r);
  if (auto r = check_v3_with_older(); !r) return pass(r);
  if (auto r = check_target_sdk(); !r) return pass(r);
  return report();
}

}  // namespace

Result<SignatureReport> verify_signatures(const ZipArchive& archive, const ManifestFacts& manifest,
                                          const SignatureOptions& options) {
  const SdkRange range{options.min_sdk != 0 ? options.min_sdk : manifest.min_sdk,
                       options.max_sdk != 0 ? options.max_sdk : kNewest};
  if (range.min > range.max) {
    return fail(SignatureError::kSdkRange, "API levels from " + std::to_string(range.min) + " to " +
                                               std::to_string(range.max));
  }
  return Verification(archive, manifest, range).run();
}

}  // namespace touchmark::package
