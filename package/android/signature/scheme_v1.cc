#include "package/android/signature/scheme_v1.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "base/parallel.h"
#include "base/text.h"
#include "package/android/signature/error.h"
#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/jar_signer.h"

namespace touchmark::package::signature {
namespace {

constexpr std::string_view kMetaInf = "META-INF/";
constexpr std::size_t kSectionCost = 128;  // of a name in the index, beside its text

struct Signer {
  const zip::ZipEntry* block;
  const zip::ZipEntry* file;
  std::optional<SignerCertificate> certificate;
  std::unordered_set<std::string> entries;
};

Result<Bytes> read_signature_part(const zip::ZipArchive& archive, const zip::ZipEntry& entry,
                                  std::size_t max_bytes) {
  if (entry.size > max_bytes) {
    return fail(SignatureError::kV1FileTooLarge,
                entry.name + " has " + std::to_string(entry.size) + " bytes");
  }
  return archive.read(entry, max_bytes);
}

Result<JarManifest> read_manifest(const zip::ZipArchive& archive, const zip::ZipEntry& entry) {
  auto bytes = read_signature_part(archive, entry, kMaxJarManifestBytes);
  if (!bytes) return pass(bytes);
  JarManifest manifest;
  manifest.bytes = std::move(*bytes);
  auto sections = parse_jar_manifest(manifest.bytes, archive.budget());
  if (!sections) return pass(sections);
  manifest.sections = *std::move(sections);
  for (std::size_t i = 1; i < manifest.sections.size(); ++i) {
    const std::string* name = manifest.sections[i].name();
    if (name == nullptr) {
      return fail(SignatureError::kV1UnnamedSection,
                  "section " + std::to_string(i) + " of the manifest has no name");
    }
    if (auto ok = archive.budget().take_bytes(kSectionCost + name->size()); !ok) return pass(ok);
    if (!manifest.by_entry.emplace(*name, i).second) {
      return fail(SignatureError::kV1DuplicateSection,
                  "the manifest has two sections for " + shortened(*name));
    }
    if (archive.find(*name) == nullptr) {
      return fail(SignatureError::kV1EntryMissing,
                  "the manifest names " + shortened(*name) + ", which the package does not have");
    }
  }
  return manifest;
}

// Signature blocks with a signature file of the same name, in the order of the package.
Result<std::vector<Signer>> find_signers(const zip::ZipArchive& archive,
                                         std::vector<std::string>& warnings) {
  std::vector<Signer> signers;
  for (const zip::ZipEntry& entry : archive.entries()) {
    const std::string_view name = entry.name;
    if (!name.starts_with(kMetaInf)) continue;
    if (!name.ends_with(".RSA") && !name.ends_with(".DSA") && !name.ends_with(".EC")) continue;
    const std::string file = std::string(name.substr(0, name.rfind('.'))) + ".SF";
    const zip::ZipEntry* found = archive.find(file);
    if (found == nullptr) {
      warnings.push_back("signature.v1.file-missing: " + entry.name + " without " + file);
    } else {
      signers.push_back({&entry, found, std::nullopt, {}});
    }
  }
  if (signers.empty()) {
    return fail(SignatureError::kV1NoSignatures, "no signature in META-INF/");
  }
  if (signers.size() > kMaxSigners) {
    return fail(SignatureError::kV1TooManySigners, std::to_string(signers.size()) +
                                                       " v1 signers; the platform takes " +
                                                       std::to_string(kMaxSigners));
  }
  return signers;
}

// First all signature blocks, then all signature files; those a platform passes over are removed.
Result<void> verify_signers(const zip::ZipArchive& archive, const JarManifest& manifest,
                            SdkRange range, const std::set<SchemeId>& found,
                            std::vector<Signer>& signers, std::vector<std::string>& warnings) {
  std::vector<Bytes> files;
  for (Signer& signer : signers) {
    const auto block = read_signature_part(archive, *signer.block, kMaxJarBlockBytes);
    if (!block) return pass(block);
    auto file = read_signature_part(archive, *signer.file, kMaxJarManifestBytes);
    if (!file) return pass(file);
    auto certificate =
        verify_signature_block(*block, *file, signer.block->name, range, archive.budget());
    if (!certificate) return pass(certificate);
    signer.certificate = std::move(*certificate);
    files.push_back(std::move(*file));
  }
  std::vector<Signer> kept;
  for (std::size_t i = 0; i < signers.size(); ++i) {
    auto file = verify_signature_file(files[i], signers[i].file->name, manifest, range, found,
                                      warnings, archive.budget());
    if (!file) return pass(file);
    if (file->ignored) continue;
    signers[i].entries = std::move(file->entries);
    kept.push_back(std::move(signers[i]));
  }
  signers = std::move(kept);
  if (signers.empty()) {
    return fail(SignatureError::kV1NoSignatures, "no signature file that a platform would take");
  }
  return {};
}

struct EntryCheck {
  const zip::ZipEntry* entry;
  std::vector<NamedDigest> expected;
};

struct EntryPlan {
  std::vector<EntryCheck> checks;    // in file order
  std::vector<std::size_t> signers;  // who signed all of them
  std::optional<Error> fault;        // what refuses the entry after those
};

std::vector<std::size_t> signers_of(const std::vector<Signer>& signers, const std::string& entry) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < signers.size(); ++i) {
    if (signers[i].entries.contains(entry)) found.push_back(i);
  }
  return found;
}

// What to check of one entry, unless a fault shows without reading it.
Result<EntryCheck> plan_entry(const zip::ZipEntry& entry, const JarManifest& manifest,
                              const std::vector<Signer>& signers, SdkRange range, EntryPlan& plan,
                              Budget& budget) {
  const JarSection* section = manifest.find(entry.name);
  if (section == nullptr) {
    return fail(SignatureError::kV1EntryNotInManifest, entry.name + " is not in the manifest");
  }
  const auto by = signers_of(signers, entry.name);
  if (by.empty()) {
    return fail(SignatureError::kV1EntryNotSigned, entry.name + " is in no signature file");
  }
  if (plan.signers.empty()) plan.signers = by;
  if (by != plan.signers) {
    return fail(SignatureError::kV1EntrySignersDiffer,
                entry.name + " is not signed by those who signed the entries before it");
  }
  auto expected = jar_digests_to_verify(*section, "-Digest", range, budget);
  if (!expected) return pass(expected);
  if (expected->empty()) {
    return fail(SignatureError::kV1EntryNotInManifest,
                "the manifest has no digest that is checked for " + entry.name);
  }
  return EntryCheck{&entry, std::move(*expected)};
}

EntryPlan plan_entries(const zip::ZipArchive& archive, const JarManifest& manifest,
                       const std::vector<Signer>& signers, SdkRange range) {
  std::vector<const zip::ZipEntry*> in_file_order;
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (!entry.name.starts_with(kMetaInf) && !entry.is_directory()) in_file_order.push_back(&entry);
  }
  std::stable_sort(in_file_order.begin(), in_file_order.end(), [](const auto* a, const auto* b) {
    return a->header_offset < b->header_offset;
  });
  EntryPlan plan;
  for (const zip::ZipEntry* entry : in_file_order) {
    auto check = plan_entry(*entry, manifest, signers, range, plan, archive.budget());
    if (!check) {
      plan.fault = std::move(check.error());
      break;
    }
    plan.checks.push_back(std::move(*check));
  }
  return plan;
}

Result<void> verify_entry(const zip::ZipArchive& archive, const EntryCheck& check) {
  std::vector<crypto::Digester> digesters;
  for (const NamedDigest& named : check.expected) digesters.emplace_back(named.algorithm);
  auto read = archive.stream(*check.entry, [&](ByteView piece) -> Result<void> {
    for (crypto::Digester& digester : digesters) digester.update(piece);
    return {};
  });
  if (!read) return pass(read);
  for (std::size_t i = 0; i < digesters.size(); ++i) {
    const Bytes actual = digesters[i].finish();
    if (actual == check.expected[i].value) continue;
    return fail(SignatureError::kV1EntryDigestMismatch,
                check.entry->name + " was signed with digest " +
                    base64_encode(check.expected[i].value) + " and has " + base64_encode(actual));
  }
  return {};
}

// Files in META-INF/ are outside the signature, except the signature's own.
void warn_of_unprotected(const zip::ZipArchive& archive, const std::vector<Signer>& signers,
                         std::vector<std::string>& warnings) {
  std::size_t count = 0;
  std::string first;
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (!entry.name.starts_with(kMetaInf) || entry.is_directory() ||
        entry.name == kJarManifestName) {
      continue;
    }
    const bool own = std::any_of(signers.begin(), signers.end(), [&](const Signer& signer) {
      return signer.block == &entry || signer.file == &entry;
    });
    if (!own && count++ == 0) first = entry.name;
  }
  if (count > 0) {
    warnings.push_back("signature.v1.unprotected-entries: " + std::to_string(count) +
                       " in META-INF/ that v1 does not cover, the first " + first);
  }
}

// Android 7 brought scheme v2.
constexpr std::uint32_t kFirstWithoutV1 = 24;

}  // namespace

Result<std::vector<SignerCertificate>> verify_v1(const zip::ZipArchive& archive, SdkRange range,
                                                 const std::set<SchemeId>& found,
                                                 std::vector<std::string>& warnings) {
  const zip::ZipEntry* manifest_entry = archive.find(kJarManifestName);
  if (manifest_entry == nullptr) {
    const std::string why =
        range.min < kFirstWithoutV1
            ? ": the package installs from API level " + std::to_string(range.min) +
                  " on, and devices below 24 know no other scheme than v1; sign with v1 too, or "
                  "raise minSdkVersion"
            : "";
    return fail(SignatureError::kV1NoManifest, "no META-INF/MANIFEST.MF" + why);
  }
  const auto manifest = read_manifest(archive, *manifest_entry);
  if (!manifest) return pass(manifest);
  auto signers = find_signers(archive, warnings);
  if (!signers) return pass(signers);
  if (auto r = verify_signers(archive, *manifest, range, found, *signers, warnings); !r) {
    return pass(r);
  }
  EntryPlan plan = plan_entries(archive, *manifest, *signers, range);
  auto checked = for_each_parallel(plan.checks.size(), worker_threads(), [&] {
    return [&](std::size_t index) { return verify_entry(archive, plan.checks[index]); };
  });
  if (!checked) return pass(checked);
  if (plan.fault) return tl::unexpected<Error>(std::move(*plan.fault));
  if (plan.checks.empty()) {
    return fail(SignatureError::kV1NoSignedEntries, "no entry is signed");
  }
  warn_of_unprotected(archive, *signers, warnings);
  std::vector<SignerCertificate> certificates;
  for (const std::size_t index : plan.signers) {
    certificates.push_back(*(*signers)[index].certificate);
  }
  return certificates;
}

}  // namespace touchmark::package::signature
