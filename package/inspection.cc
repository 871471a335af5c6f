#include "package/inspection.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "package/android/signature/pkcs7.h"
#include "package/bundle/bundle.h"

namespace touchmark::package {
namespace {

void compare_fact(const char* name, const std::string& before, const std::string& after,
                  std::vector<Difference>& out) {
  if (before != after) out.push_back({DifferenceKind::kFact, name, before, after});
}

void compare_signers(const Measurement& before, const Measurement& after,
                     std::vector<Difference>& out) {
  const auto has = [](const Measurement& measurement, const Sha256Digest& signer) {
    return std::ranges::find(measurement.signers, signer) != measurement.signers.end();
  };
  for (const Sha256Digest& signer : before.signers) {
    if (has(after, signer)) continue;
    const std::string hex = hex_encode(signer);
    out.push_back({DifferenceKind::kSigner, hex, hex, ""});
  }
  for (const Sha256Digest& signer : after.signers) {
    if (has(before, signer)) continue;
    const std::string hex = hex_encode(signer);
    out.push_back({DifferenceKind::kSigner, hex, "", hex});
  }
}

// Both lists are sorted by name.
void compare_parts(const std::vector<Part>& before, const std::vector<Part>& after,
                   std::vector<Difference>& out) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    const bool in_a = a != before.end() && (b == after.end() || a->name <= b->name);
    const bool in_b = b != after.end() && (a == before.end() || b->name <= a->name);
    if (in_a && in_b && a->sha256 == b->sha256) {
      ++a;
      ++b;
      continue;
    }
    Difference difference{DifferenceKind::kPart, in_a ? a->name : b->name, "", ""};
    if (in_a) {
      difference.before = hex_encode(a->sha256);
      difference.size_before = a->size;
      ++a;
    }
    if (in_b) {
      difference.after = hex_encode(b->sha256);
      difference.size_after = b->size;
      ++b;
    }
    out.push_back(std::move(difference));
  }
}

// Of a JAR signature (META-INF/X.RSA and its like); far more than any has.
constexpr std::uint64_t kMaxBlockBytes = std::uint64_t{1} << 20;
constexpr std::size_t kMaxBlocks = 16;

bool is_jar_block(std::string_view name) {
  return name.starts_with("META-INF/") &&
         (name.ends_with(".RSA") || name.ends_with(".DSA") || name.ends_with(".EC"));
}

}  // namespace

std::vector<Sha256Digest> upload_certificates(const Source& source) {
  std::vector<Sha256Digest> out;
  const Result<zip::ZipArchive> archive = zip::ZipArchive::open(source);
  if (!archive || !bundle::is_bundle(*archive)) return out;
  std::size_t blocks = 0;
  for (const zip::ZipEntry& entry : archive->entries()) {
    if (!is_jar_block(entry.name) || ++blocks > kMaxBlocks) continue;
    const Result<Bytes> block = archive->read(entry, kMaxBlockBytes);
    if (!block) continue;
    const auto signed_data = signature::parse_pkcs7(*block);
    if (!signed_data) continue;
    for (const ByteView certificate : signed_data->certificates) {
      out.push_back(crypto::sha256(certificate));
    }
  }
  return out;
}

std::string_view to_string(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::kFact:
      return "fact";
    case DifferenceKind::kSigner:
      return "signer";
    case DifferenceKind::kPart:
      return "part";
  }
  return "unknown";
}

std::vector<Difference> differences(const Measurement& before, const Measurement& after) {
  std::vector<Difference> out;
  compare_fact("package", before.package_name, after.package_name, out);
  compare_fact("version name", before.version_name, after.version_name, out);
  compare_fact("version code", std::to_string(before.version_code),
               std::to_string(after.version_code), out);
  compare_fact("label", before.label, after.label, out);
  compare_fact("min SDK", std::to_string(before.min_sdk), std::to_string(after.min_sdk), out);
  compare_fact("target SDK", std::to_string(before.target_sdk), std::to_string(after.target_sdk),
               out);
  compare_fact("debuggable", before.debuggable ? "yes" : "no", after.debuggable ? "yes" : "no",
               out);
  compare_fact("test only", before.test_only ? "yes" : "no", after.test_only ? "yes" : "no", out);
  compare_fact("cleartext traffic", to_string(before.network.cleartext),
               to_string(after.network.cleartext), out);
  compare_fact("trusts users' certificates", to_string(before.network.user_certificates),
               to_string(after.network.user_certificates), out);
  compare_fact("Touchmark SDK", before.sdk_version, after.sdk_version, out);
  compare_signers(before, after, out);
  compare_parts(before.parts, after.parts, out);
  return out;
}

}  // namespace touchmark::package
