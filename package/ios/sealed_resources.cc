#include "package/ios/sealed_resources.h"

#include <algorithm>
#include <set>

#include "formats/plist/plist.h"
#include "package/ios/ipa.h"
#include "package/ios/resource_rules.h"

namespace touchmark::package::ios {
namespace {

bool needs_no_seal(std::string_view name, std::string_view executable) {
  return name == executable || name == "Info.plist" || name == "PkgInfo" ||
         name.starts_with("_CodeSignature/") || name.starts_with("SC_Info/") ||
         name == ".DS_Store" || name.ends_with("/.DS_Store");
}

// One entry of "files2": the hashes of a file, as data or in a dictionary.
Result<void> check_entry(const plist::PlistEntry& entry, const Part* part) {
  const plist::PlistValue* optional = entry.value.find("optional");
  if (part == nullptr) {
    if (optional != nullptr && optional->as<bool>() != nullptr && *optional->as<bool>()) return {};
    return fail(IpaError::kSealMissing, entry.key);
  }
  const plist::PlistValue* hash = entry.value.find("hash2");
  const Bytes* sha256 = hash == nullptr ? nullptr : hash->as<Bytes>();
  if (sha256 == nullptr) return fail(IpaError::kWeakSeal, entry.key);
  if (!std::ranges::equal(*sha256, part->sha256)) {
    return fail(IpaError::kSealMismatch, entry.key);
  }
  return {};
}

}  // namespace

Result<void> check_sealed_resources(ByteView list, const std::vector<Part>& parts,
                                    std::string_view executable, Budget& budget) {
  const auto plist = plist::parse_plist(list, budget);
  if (!plist) return pass(plist);
  const plist::PlistValue* files = plist->find("files2");
  const auto* entries = files == nullptr ? nullptr : files->as<plist::PlistValue::Dict>();
  if (entries == nullptr) return fail(IpaError::kBadResources, "no list files2");
  std::set<std::string_view> sealed;
  for (const plist::PlistEntry& entry : *entries) {
    const auto at = std::ranges::lower_bound(parts, entry.key, {}, &Part::name);
    const Part* part = at != parts.end() && at->name == entry.key ? &*at : nullptr;
    if (auto ok = check_entry(entry, part); !ok) return ok;
    sealed.insert(entry.key);
  }
  const ResourceRules rules(plist->find("rules2"));
  for (const Part& part : parts) {
    if (sealed.contains(part.name) || needs_no_seal(part.name, executable)) continue;
    const auto omitted = rules.omits(part.name, budget);
    if (!omitted) return pass(omitted);
    if (!*omitted) return fail(IpaError::kUnsealed, part.name);
  }
  return {};
}

}  // namespace touchmark::package::ios
