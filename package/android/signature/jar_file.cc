// The signature file: digests of the manifest and of its sections.
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "base/text.h"
#include "package/android/signature/error.h"
#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/jar_signer.h"

namespace touchmark::package::signature {
namespace {

constexpr std::size_t kMaxUnknownSchemes = 16;  // that are warned of
constexpr std::size_t kSetEntryCost = 128;      // of a name in a set, beside its text

class FileCheck {
 public:
  FileCheck(const std::string& name, const JarManifest& manifest, SdkRange range,
            const std::set<SchemeId>& found, std::vector<std::string>& warnings, Budget& budget)
      : name_(name),
        manifest_(manifest),
        range_(range),
        found_(found),
        warnings_(warnings),
        budget_(budget) {}

  Result<SignatureFile> run(const std::vector<JarSection>& sections);

 private:
  Result<void> check_main(const JarSection& main);
  Result<void> check_section(const JarSection& section, const std::string& entry);
  Result<void> check_stripping(const JarSection& main);
  Result<bool> manifest_verifies(const JarSection& main);
  Result<void> check_main_attributes(const JarSection& main);
  void ignore(SignatureFile& file, const std::string& why);

  const std::string& name_;
  const JarManifest& manifest_;
  SdkRange range_;
  const std::set<SchemeId>& found_;
  std::vector<std::string>& warnings_;
  Budget& budget_;
  // Files by signtool (of the Netscape era) name their digests differently.
  bool by_signtool_ = false;
  bool manifest_verified_ = false;
};

void FileCheck::ignore(SignatureFile& file, const std::string& why) {
  if (!file.ignored) warnings_.push_back("signature.v1.signer-ignored: " + name_ + ": " + why);
  file.ignored = true;
}

// The ids in X-Android-APK-Signed: newer schemes that signed too, so that cutting them out shows.
Result<void> FileCheck::check_stripping(const JarSection& main) {
  const std::string* list = main.find("X-Android-APK-Signed");
  if (list == nullptr) {
    if (!found_.empty()) {
      warnings_.push_back("signature.v1.stripping-unprotected: " + name_ +
                          " does not name the newer schemes, which could be cut out unseen");
    }
    return {};
  }
  std::string_view rest = *list;
  std::size_t unknown = 0;
  while (!rest.empty()) {
    std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    while (!item.empty() && item.front() <= ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() <= ' ') item.remove_suffix(1);
    if (item.starts_with('+')) item.remove_prefix(1);
    int id = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), id);
    if (error != std::errc() || end != item.data() + item.size()) continue;
    const bool known = id == 2 || (id == 3 && range_.max >= kPie);
    if (!known) {
      if (++unknown > kMaxUnknownSchemes) continue;  // enough to see that something is odd
      warnings_.push_back("signature.unknown-scheme: " + name_ + ": scheme " + std::to_string(id));
    } else if (!found_.contains(static_cast<SchemeId>(id))) {
      return fail(SignatureError::kV1SchemeStripped,
                  name_ + " says that scheme " + std::to_string(id) +
                      " signed too; the package does not have it");
    }
  }
  return {};
}

// The digest over the whole manifest. Not to have it, or another one, is no failure: the sections
// are checked one by one then.
Result<bool> FileCheck::manifest_verifies(const JarSection& main) {
  const auto expected =
      jar_digests_to_verify(main, by_signtool_ ? "-Digest" : "-Digest-Manifest", range_, budget_);
  if (!expected) return pass(expected);
  return !expected->empty() &&
         std::all_of(expected->begin(), expected->end(), [&](const NamedDigest& named) {
           return crypto::digest(named.algorithm, manifest_.bytes) == named.value;
         });
}

Result<void> FileCheck::check_main_attributes(const JarSection& main) {
  const auto expected =
      jar_digests_to_verify(main, "-Digest-Manifest-Main-Attributes", range_, budget_);
  if (!expected) return pass(expected);
  if (expected->empty()) return {};
  ByteView text;
  if (!manifest_.sections.empty()) {
    const JarSection& section = manifest_.sections.front();
    text = ByteView(manifest_.bytes).subspan(section.offset, section.size);
  }
  for (const NamedDigest& named : *expected) {
    if (crypto::digest(named.algorithm, text) == named.value) continue;
    return fail(SignatureError::kV1MainSectionDigestMismatch,
                name_ + ": the manifest's main section is not the one that was signed");
  }
  return {};
}

Result<void> FileCheck::check_main(const JarSection& main) {
  if (range_.max >= kNougat) {
    if (auto r = check_stripping(main); !r) return pass(r);
  }
  const std::string* creator = main.find("Created-By");
  by_signtool_ = creator != nullptr && creator->find("signtool") != std::string::npos;
  const auto verified = manifest_verifies(main);
  if (!verified) return pass(verified);
  manifest_verified_ = *verified;
  return by_signtool_ ? Result<void>() : check_main_attributes(main);
}

Result<void> FileCheck::check_section(const JarSection& section, const std::string& entry) {
  const auto expected = jar_digests_to_verify(section, "-Digest", range_, budget_);
  if (!expected) return pass(expected);
  if (expected->empty()) {
    return fail(SignatureError::kV1NoSectionDigest,
                name_ + " has no digest that is checked for " + shortened(entry));
  }
  const JarSection& signed_section = *manifest_.find(entry);
  ByteView text = ByteView(manifest_.bytes).subspan(signed_section.offset, signed_section.size);
  if (by_signtool_ && as_text(text).ends_with("\n\n")) text = text.first(text.size() - 1);
  for (const NamedDigest& named : *expected) {
    const Bytes actual = crypto::digest(named.algorithm, text);
    if (actual == named.value) continue;
    return fail(SignatureError::kV1SectionDigestMismatch,
                name_ + ": the manifest's section of " + shortened(entry) +
                    " was signed with digest " + base64_encode(named.value) + " and has " +
                    base64_encode(actual));
  }
  return {};
}

Result<SignatureFile> FileCheck::run(const std::vector<JarSection>& sections) {
  SignatureFile file;
  if (sections.empty()) return fail(SignatureError::kV1EmptySignatureFile, name_ + " is empty");
  if (sections.front().find("Signature-Version") == nullptr) {
    ignore(file, "no Signature-Version");
    return file;
  }
  if (auto r = check_main(sections.front()); !r) return pass(r);
  // A fault that hides the file hides its mismatches with it.
  std::optional<Error> refusal;
  for (auto section = sections.begin() + 1; section != sections.end(); ++section) {
    const std::string* entry = section->name();
    if (entry == nullptr) {
      ignore(file, "a section without name");
      return file;
    }
    if (auto ok = budget_.take_bytes(kSetEntryCost + entry->size()); !ok) return pass(ok);
    if (!file.entries.insert(*entry).second) {
      ignore(file, shortened(*entry) + " stands twice");
      return file;
    }
    if (manifest_verified_) continue;
    if (manifest_.find(*entry) == nullptr) {
      ignore(file, shortened(*entry) + " is not in the manifest");
      continue;
    }
    auto checked = check_section(*section, *entry);
    if (!checked && !refusal) refusal = std::move(checked.error());
  }
  if (refusal && !file.ignored) return tl::unexpected<Error>(std::move(*refusal));
  return file;
}

}  // namespace

Result<SignatureFile> verify_signature_file(ByteView bytes, const std::string& name,
                                            const JarManifest& manifest, SdkRange range,
                                            const std::set<SchemeId>& found,
                                            std::vector<std::string>& warnings, Budget& budget) {
  const auto sections = parse_jar_manifest(bytes, budget);
  if (!sections) return pass(sections);
  return FileCheck(name, manifest, range, found, warnings, budget).run(*sections);
}

}  // namespace touchmark::package::signature
