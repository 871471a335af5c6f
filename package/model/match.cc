#include "package/model/match.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/encoding.h"

namespace touchmark::package {
namespace {

// What a part of a bundle is looked up by. A store moves files between packages: the libraries of a
// module go into a configuration split, the dex files of two modules into one package under new
// numbers. Their content it leaves alone.
std::string bundle_key(const Part& part) {
  if (part.kind == PartKind::kDex) return "dex " + hex_encode(part.sha256);
  return std::string(path_in_split(part.name));
}

class Matcher {
 public:
  Matcher(const Measurement& registered, const Measurement& installed, bool code_only)
      : registered_(registered), installed_(installed), code_only_(code_only) {}

  Result<void> match() {
    if (auto ok = match_facts(); !ok) return ok;
    if (auto ok = match_installed(); !ok) return ok;
    return find_missing();
  }

 private:
  bool is_bundle() const { return registered_.form == Form::kBundle; }

  bool is_ipa() const { return registered_.form == Form::kIpa; }
  bool has_main_image() const {
    if (registered_.images.empty()) return false;  // registered before images were measured
    const std::string_view path = path_of_image(registered_.images.front().name);
    return std::ranges::any_of(
        images_, [&](const std::string& image) { return path_of_image(image) == path; });
  }

  // Whether a part of this kind must be the registered one, byte for byte.
  bool compared(const Part& part) const {
    if (code_only_) return part.code_bearing();
    return !is_bundle() || part.code_bearing() || part.kind == PartKind::kAsset;
  }

  Result<void> match_facts() const {
    if (installed_.platform != registered_.platform ||
        installed_.package_name != registered_.package_name) {
      return fail(MatchError::kOtherApp, installed_.package_name);
    }
    if (installed_.version_code != registered_.version_code ||
        installed_.version_name != registered_.version_name) {
      return fail(MatchError::kOtherVersion,
                  installed_.version_name + " [" + std::to_string(installed_.version_code) + "]");
    }
    // A store signs an iOS app again; who made it is its team's affair.
    if (registered_.form == Form::kIpa) return {};
    if (registered_.signers.empty() || installed_.signers != registered_.signers) {
      return fail(MatchError::kOtherSigners, "the signers are not the registered ones");
    }
    return {};
  }

  std::string key_of(const Part& part) const {
    return registered_.form == Form::kBundle ? bundle_key(part) : part.name;
  }

  Result<void> match_installed() {
    // Two modules of a bundle may have files of one path.
    std::multimap<std::string, const Part*> known;
    for (const Part& part : registered_.parts) known.emplace(key_of(part), &part);
    for (const Part& part : installed_.parts) {
      splits_.emplace(split_of(part.name));
      if (is_ipa()) images_.emplace(image_of(part.name));
      if (!compared(part)) continue;
      const auto [first, last] = known.equal_range(key_of(part));
      if (first == last) return fail(MatchError::kPartUnknown, part.name);
      const bool same = std::any_of(first, last, [&](const auto& entry) {
        return entry.second->sha256 == part.sha256 && entry.second->size == part.size;
      });
      if (!same) return fail(MatchError::kPartChanged, part.name);
      found_.insert(first->first);
    }
    return {};
  }

  // Every device has the whole base, and the whole of each split that it has. Of a bundle it has
  // the base's dex files; libraries and assets depend on the device. An iPhone has loaded one image
  // of the main executable, and the whole of each image that it has loaded.
  Result<void> find_missing() const {
    if (is_ipa() && code_only_ && !has_main_image()) {
      return fail(MatchError::kPartMissing, "the main executable");
    }
    for (const Part& part : registered_.parts) {
      if (!compared(part) || found_.contains(key_of(part))) continue;
      if (!splits_.contains(split_of(part.name))) continue;
      if (is_ipa() && !images_.contains(image_of(part.name))) continue;
      if (is_bundle() && (part.kind != PartKind::kDex || !split_of(part.name).empty())) continue;
      return fail(MatchError::kPartMissing, part.name);
    }
    return {};
  }

  const Measurement& registered_;
  const Measurement& installed_;
  const bool code_only_;
  std::set<std::string, std::less<>> images_;      // of an iOS app, those that are loaded
  std::set<std::string, std::less<>> splits_{""};  // of what is installed; the base always
  std::set<std::string> found_;                    // keys of registered parts
};

}  // namespace

std::string_view error_id(MatchError error) {
  using enum MatchError;
  static constexpr auto kIds = error_table<MatchError>({
      {kOtherApp, "match.other-app"},
      {kOtherVersion, "match.other-version"},
      {kOtherSigners, "match.other-signers"},
      {kPartChanged, "match.part-changed"},
      {kPartUnknown, "match.part-unknown"},
      {kPartMissing, "match.part-missing"},
  });
  return kIds[error];
}

Result<void> match(const Measurement& registered, const Measurement& installed, bool code_only) {
  return Matcher(registered, installed, code_only).match();
}

}  // namespace touchmark::package
