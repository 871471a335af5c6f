#include "package/android/signature/scheme_results.h"

#include <algorithm>

#include "crypto/digest.h"

namespace touchmark::package::signature {
namespace {

std::vector<SignerCertificate> certificates_of(const std::vector<BlockSigner>& signers) {
  std::vector<SignerCertificate> certificates;
  for (const BlockSigner& signer : signers) certificates.push_back(signer.certificates.front());
  return certificates;
}

bool includes_all(const std::vector<SignerCertificate>& all,
                  const std::vector<SignerCertificate>& some) {
  return std::ranges::all_of(
      some, [&](const SignerCertificate& c) { return std::ranges::find(all, c) != all.end(); });
}

// Or platforms of different age would see different signers.
Result<void> check_v1_with_v2(const SchemeResults& results) {
  if (results.v1.empty() || results.v2.empty()) return {};
  const auto v2 = certificates_of(results.v2);
  if (!includes_all(v2, results.v1)) {
    return fail(SignatureError::kV1SignerNotInV2, "a v1 signer is not among the v2 signers");
  }
  if (!includes_all(results.v1, v2)) {
    return fail(SignatureError::kV2SignerNotInV1, "a v2 signer is not among the v1 signers");
  }
  return {};
}

// The signer that older platforms see is v3's own, or the oldest of its lineage.
Result<void> check_v3_with_older(const SchemeResults& results) {
  const auto older = results.v1.empty() ? certificates_of(results.v2) : results.v1;
  if (results.v3.signers.empty() || older.empty()) return {};
  if (older.size() != 1) {
    return fail(SignatureError::kV3MultiplePastSigners,
                "v3 takes one signer; the older scheme has " + std::to_string(older.size()));
  }
  const auto& lineage = results.v31.lineage.empty() ? results.v3.lineage : results.v31.lineage;
  if (lineage.empty() && results.v3.signers.size() != 1) {
    return fail(SignatureError::kV3MultipleSigners, "several v3 signers and no lineage");
  }
  const Bytes& expected = lineage.empty() ? results.v3.signers.front().certificates.front().der
                                          : lineage.front().certificate;
  if (older.front().der != expected) {
    return fail(SignatureError::kV3PastSignerMismatch,
                "the older scheme's signer is not the one that v3 starts from");
  }
  return {};
}

// The v4 signer repeats the certificate and the digest of the one signer it stands beside.
Result<void> check_v4_signer(const V4Signer& v4, const std::string& digest_source,
                             const std::vector<BlockSigner>& signers, const Bytes& digest) {
  if (signers.size() != 1) {
    return fail(SignatureError::kV4WrongSigners,
                "v4 takes one signer; " + digest_source + " has " + std::to_string(signers.size()));
  }
  if (!(v4.certificate == signers.front().certificates.front())) {
    return fail(SignatureError::kV4SignerMismatch,
                "the v4 signer is not the " + digest_source + " signer");
  }
  if (!std::ranges::equal(digest, digest_for_v4(signers.front()))) {
    return fail(SignatureError::kV4DigestMismatch,
                "the v4 signature was made for another " + digest_source + " signature");
  }
  return {};
}

Result<void> check_v4(const SchemeResults& results) {
  if (results.v4.empty()) return {};
  const Bytes& digest = results.v4.front().apk_digest;
  const bool has_v31 = !results.v31.signers.empty();
  const bool has_v3 = !results.v3.signers.empty();
  if (!has_v3 && results.v2.empty()) {
    return fail(SignatureError::kV4WithoutBase, "a v4 signature and no v2 or v3 signature");
  }
  if (results.v4.size() != (has_v31 ? 2u : 1u)) {
    return fail(SignatureError::kV4WrongSigners,
                "the v4 file has " + std::to_string(results.v4.size()) + " signers");
  }
  const auto& base = has_v3 ? results.v3.signers : results.v2;
  if (auto r = check_v4_signer(results.v4[0], has_v3 ? "v3" : "v2", base, digest); !r) {
    return pass(r);
  }
  return has_v31 ? check_v4_signer(results.v4[1], "v3.1", results.v31.signers, digest)
                 : Result<void>();
}

}  // namespace

std::set<SchemeId> SchemeResults::found() const {
  std::set<SchemeId> ids;
  if (!v2.empty()) ids.insert(SchemeId::kV2);
  if (!v3.signers.empty()) ids.insert(SchemeId::kV3);
  if (!v31.signers.empty()) ids.insert(SchemeId::kV31);
  return ids;
}

Result<void> check_agreement(const SchemeResults& results) {
  if (auto r = check_v1_with_v2(results); !r) return pass(r);
  if (auto r = check_v3_with_older(results); !r) return pass(r);
  return check_v4(results);
}

SignatureReport report_of(const SchemeResults& results) {
  SignatureReport report;
  const auto add = [&](const char* scheme, const std::vector<SignerCertificate>& certificates) {
    if (certificates.empty()) return;
    report.schemes.emplace_back(scheme);
    report.signers.clear();  // the newest scheme names the signers
    for (const SignerCertificate& certificate : certificates) {
      report.signers.push_back({certificate.der, crypto::sha256(certificate.der), scheme});
    }
  };
  // Of v3's signers the last is the one for the newest API levels.
  const auto newest = [](const V3Result& result) {
    auto certificates = certificates_of(result.signers);
    if (certificates.size() > 1) certificates = {certificates.back()};
    return certificates;
  };
  add("v1", results.v1);
  add("v2", certificates_of(results.v2));
  add("v3", newest(results.v3));
  add("v3.1", newest(results.v31));
  if (!results.v4.empty()) report.schemes.emplace_back("v4");
  report.lineage = results.v31.lineage.empty() ? results.v3.lineage : results.v31.lineage;
  return report;
}

}  // namespace touchmark::package::signature
