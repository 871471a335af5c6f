#include "package/ios/ipa.h"

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/digest.h"
#include "formats/plist/plist.h"
#include "package/android/describe.h"
#include "package/ios/app_images.h"
#include "package/ios/app_info.h"
#include "package/ios/apple_root.h"
#include "package/ios/code_signature.h"
#include "package/ios/image.h"
#include "package/ios/mach_o.h"
#include "package/ios/provisioning.h"
#include "package/ios/sealed_resources.h"
#include "package/model/member.h"
#include "package/model/parts.h"
#include "pki/cms.h"

namespace touchmark::package::ios {
namespace {

constexpr std::string_view kPayload = "Payload/";
constexpr std::string_view kResources = "_CodeSignature/CodeResources";
constexpr std::string_view kProfile = "embedded.mobileprovision";
// Where the SDK's resources are: of a Swift package or a pod that is linked into the app, of a pod
// that is a framework, and of an app that took the sources. attester/ios/package names the bundle.
constexpr auto kSdkFolders = std::to_array<std::string_view>(
    {"Touchmark_Touchmark.bundle/", "Frameworks/Touchmark.framework/Touchmark_Touchmark.bundle/",
     ""});
constexpr std::string_view kSdkAsset = "touchmark-sdk.json";
constexpr std::size_t kEntitlementsHeader = 8;
constexpr std::size_t kMaxPlistBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxSignatureBytes = std::size_t{32} << 20;

// "Payload/Example.app/", or nothing.
std::optional<std::string> app_folder_of(std::string_view name) {
  if (!name.starts_with(kPayload)) return std::nullopt;
  const std::size_t slash = name.find('/', kPayload.size());
  if (slash == name.npos || !name.substr(0, slash).ends_with(".app")) return std::nullopt;
  return std::string(name.substr(0, slash + 1));
}

// What is no image.
PartKind ios_kind(std::string_view name) {
  if (name == "Info.plist") return PartKind::kManifest;
  return name.ends_with(".car") || name.find(".lproj/") != name.npos ? PartKind::kResources
                                                                     : PartKind::kOther;
}

// Reads and checks one app; one object for the values that its steps share.
class IpaReader {
 public:
  IpaReader(const zip::ZipArchive& archive, const MeasureOptions& options) : archive_(archive) {
    roots_ = options.ios_roots;
    roots_.push_back(to_bytes(apple_root()));
  }

  Result<Measurement> measure() {
    if (auto ok = find_app(); !ok) return pass(ok);
    if (auto ok = check_executable(); !ok) return in_member(folder_ + info_.executable, ok.error());
    auto parts = digest_app();
    if (!parts) return pass(parts);
    if (auto ok = check_sealed_resources(resources_, *parts, info_.executable, archive_.budget());
        !ok) {
      return in_member(folder_ + std::string(kResources), ok.error());
    }
    if (auto ok = check_profile(); !ok) return pass(ok);
    auto sdk_version = android::read_sdk_version(archive_, sdk_asset());
    if (!sdk_version) return pass(sdk_version);

    Measurement measurement;
    measurement.form = Form::kIpa;
    measurement.platform = "iOS";
    measurement.package_name = info_.identifier;
    measurement.version_name = info_.version_name;
    measurement.version_code = info_.version_code;
    measurement.label = info_.label;
    measurement.min_sdk = measurement.target_sdk = info_.min_os;
    measurement.debuggable = debuggable_;
    measurement.sdk_version = *std::move(sdk_version);
    measurement.signers = {crypto::sha256(signer_.certificate)};
    measurement.team = team_;
    measurement.parts = *std::move(parts);
    if (auto ok = measure_images(measurement); !ok) return pass(ok);
    return measurement;
  }

 private:
  Result<void> find_app() {
    for (const zip::ZipEntry& entry : archive_.entries()) {
      const auto folder = app_folder_of(entry.name);
      if (!folder) continue;
      if (!folder_.empty() && *folder != folder_) {
        return fail(IpaError::kSeveralApps, folder_ + " and " + *folder);
      }
      folder_ = *folder;
    }
    if (folder_.empty()) {
      return fail(IpaError::kNoApp, "an IPA without an app: no Payload/NAME.app/ in it");
    }
    const zip::ZipEntry* entry = file("Info.plist");
    if (entry == nullptr) return fail(IpaError::kNoInfo, "no Info.plist");
    auto bytes = archive_.read(*entry, kMaxPlistBytes);
    if (!bytes) return pass(bytes);
    info_file_ = *std::move(bytes);
    auto info = read_app_info(info_file_, archive_.budget());
    if (!info) return in_member(entry->name, info.error());
    info_ = *std::move(info);
    entry = file(kResources);
    if (entry == nullptr) return fail(IpaError::kNoResources, "no " + std::string(kResources));
    auto list = archive_.read(*entry, kMaxPlistBytes);
    if (!list) return pass(list);
    resources_ = *std::move(list);
    return {};
  }

  std::string sdk_asset() const {
    for (const std::string_view folder : kSdkFolders) {
      const std::string name = std::string(folder) + std::string(kSdkAsset);
      if (file(name) != nullptr) return folder_ + name;
    }
    return folder_ + std::string(kSdkAsset);
  }

  Result<void> check_executable() {
    const zip::ZipEntry* entry = file(info_.executable);
    if (entry == nullptr) return fail(IpaError::kNoExecutable, info_.executable);
    const auto slices = read_mach_o(entry->size, [&](std::span<const zip::ZipRange> ranges) {
      return archive_.read_ranges(*entry, ranges);
    });
    if (!slices) return pass(slices);
    std::vector<zip::ZipRange> ranges;
    for (const MachSlice& slice : *slices) {
      if (slice.encrypted) {
        return fail(IpaError::kEncrypted,
                    "a store has encrypted it; register the IPA that Xcode exported");
      }
      if (slice.signature_size > kMaxSignatureBytes) {
        return fail(CodeSignatureError::kMalformed, "a code signature over 32 MiB");
      }
      ranges.push_back(
          {slice.offset + slice.signature_offset, static_cast<std::size_t>(slice.signature_size)});
    }
    const auto blobs = archive_.read_ranges(*entry, ranges);
    if (!blobs) return pass(blobs);
    std::vector<CodeSignature> signatures;
    for (std::size_t i = 0; i < slices->size(); ++i) {
      auto signature = parse_code_signature((*blobs)[i]);
      if (!signature) return pass(signature);
      for (const CodeDirectory& directory : signature->directories) {
        if (directory.code_limit != (*slices)[i].signature_offset) {
          return fail(CodeSignatureError::kCodeLimit, "not all of the image is signed");
        }
      }
      signatures.push_back(*std::move(signature));
    }
    if (auto ok = check_pages(*entry, *slices, signatures); !ok) return ok;
    SlotContent info(info_file_);
    SlotContent resources(resources_);
    for (const CodeSignature& signature : signatures) {
      if (auto ok = check_blob_slots(signature); !ok) return ok;
      if (auto ok = check_slot(signature, kInfoSlot, &info); !ok) return ok;
      if (auto ok = check_slot(signature, kResourcesSlot, &resources); !ok) return ok;
      if (auto ok = check_identity(signature); !ok) return ok;
      debuggable_ = debuggable_ || lets_debuggers_in(signature);
    }
    return {};
  }

  // The pages of all slices, with the file read once.
  Result<void> check_pages(const zip::ZipEntry& entry, const std::vector<MachSlice>& slices,
                           const std::vector<CodeSignature>& signatures) const {
    std::vector<PageChecker> checkers;
    for (const CodeSignature& signature : signatures) checkers.emplace_back(signature);
    std::uint64_t at = 0;
    const auto update = [&](ByteView piece) -> Result<void> {
      for (std::size_t i = 0; i < slices.size(); ++i) {
        const std::uint64_t begin = std::max(at, slices[i].offset);
        const std::uint64_t end = std::min(at + piece.size(), slices[i].offset + slices[i].size);
        if (begin >= end) continue;
        const ByteView own = piece.subspan(static_cast<std::size_t>(begin - at),
                                           static_cast<std::size_t>(end - begin));
        if (auto ok = checkers[i].update(own); !ok) return ok;
      }
      at += piece.size();
      return {};
    };
    if (auto ok = archive_.stream(entry, update); !ok) return ok;
    for (PageChecker& checker : checkers) {
      if (auto ok = checker.finish(); !ok) return ok;
    }
    return {};
  }

  // Apps that Xcode signs for a developer's own phones may be debugged. Entitlements that cannot be
  // read give nothing to anybody.
  bool lets_debuggers_in(const CodeSignature& signature) const {
    if (signature.entitlements.size() <= kEntitlementsHeader) return false;
    const auto plist =
        plist::parse_plist(signature.entitlements.subspan(kEntitlementsHeader), archive_.budget());
    const plist::PlistValue* allowed = plist ? plist->find("get-task-allow") : nullptr;
    return allowed != nullptr && allowed->as<bool>() != nullptr && *allowed->as<bool>();
  }

  // Who signed, and what for: the same for every slice.
  Result<void> check_identity(const CodeSignature& signature) {
    const CodeDirectory& directory = signature.directories.front();
    if (signature.cms.empty()) {
      return fail(CodeSignatureError::kNoCms, "signed ad hoc: by nobody");
    }
    auto signer = pki::verify_code_signature(signature.cms, directory.blob, roots_);
    if (!signer) return pass(signer);
    if (directory.identifier != info_.identifier) {
      return fail(IpaError::kIdentifierMismatch, directory.identifier + ", " + info_.identifier);
    }
    if (directory.team != signer->organizational_unit) {
      return fail(IpaError::kTeamMismatch, directory.team + ", " + signer->organizational_unit);
    }
    if (!signer_.certificate.empty() && signer_.certificate != signer->certificate) {
      return fail(IpaError::kSignersDiffer, "slices signed by two certificates");
    }
    team_ = directory.team;
    signer_ = *std::move(signer);
    return {};
  }

  Result<std::vector<Part>> digest_app() const {
    auto parts = digest_parts(archive_, ipa_part_names(archive_));
    if (!parts) return parts;
    for (Part& part : *parts) part.kind = ios_kind(part.name);
    return parts;
  }

  // Adds what is in the images.
  Result<void> measure_images(Measurement& out) const {
    const auto files = find_images(archive_, folder_);
    if (!files) return pass(files);
    for (const ImageFile& file : *files) {
      std::ranges::find(out.parts, file.path, &Part::name)->kind = PartKind::kImage;
    }
    auto images = describe_images(archive_, *files, info_.executable);
    if (!images) return pass(images);
    if (images->empty() || path_of_image(images->front().name) != info_.executable) {
      return in_member(folder_ + info_.executable,
                       Error(ImageError::kNot64Bit, "no 64-bit image, which iPhones run alone"));
    }
    out.images = *std::move(images);
    auto parts = digest_images(archive_, *files);
    if (!parts) return pass(parts);
    std::ranges::move(*parts, std::back_inserter(out.parts));
    std::ranges::sort(out.parts, {}, &Part::name);
    const auto twice = std::ranges::adjacent_find(out.parts, {}, &Part::name);
    if (twice == out.parts.end()) return {};
    return fail(IpaError::kPartName, "two parts named " + twice->name);
  }

  Result<void> check_profile() const {
    const zip::ZipEntry* entry = file(kProfile);
    if (entry == nullptr) return {};
    const auto bytes = archive_.read(*entry, kMaxProfileBytes);
    if (!bytes) return pass(bytes);
    const auto profile = read_profile(*bytes, roots_, archive_.budget());
    if (!profile) return in_member(entry->name, profile.error());
    if (profile->team != team_) return fail(IpaError::kTeamMismatch, profile->team + ", " + team_);
    if (!profile->allows_app(info_.identifier)) {
      return fail(IpaError::kProfile, profile->application_id + " is not " + info_.identifier);
    }
    if (!profile->allows_signer(signer_.certificate)) {
      return fail(IpaError::kProfileSigner, "the profile does not name the signer's certificate");
    }
    return {};
  }

  const zip::ZipEntry* file(std::string_view path) const {
    return archive_.find(folder_ + std::string(path));
  }

  const zip::ZipArchive& archive_;
  std::vector<Bytes> roots_;
  std::string folder_;
  AppInfo info_;
  Bytes info_file_;
  Bytes resources_;
  std::string team_;
  bool debuggable_ = false;
  pki::CodeSigner signer_;
};

}  // namespace

bool is_ipa(const zip::ZipArchive& archive) {
  const auto belongs = [](const zip::ZipEntry& entry) {
    const std::string_view name = entry.name;
    const std::string_view first = name.substr(0, name.find('/'));
    // What the App Store's packages have beside the app, and an app that lost its Payload/.
    return name.starts_with(kPayload) || name == "iTunesMetadata.plist" ||
           (first.size() < name.size() && first.ends_with(".app"));
  };
  return archive.find("AndroidManifest.xml") == nullptr &&
         std::ranges::any_of(archive.entries(), belongs);
}

std::string ipa_folder(const zip::ZipArchive& archive) {
  std::string folder;
  for (const zip::ZipEntry& entry : archive.entries()) {
    if (auto found = app_folder_of(entry.name)) folder = *std::move(found);
  }
  return folder;
}

PartNames ipa_part_names(const zip::ZipArchive& archive) {
  return [folder = ipa_folder(archive)](const zip::ZipEntry& entry) -> std::optional<std::string> {
    if (folder.empty() || entry.is_directory() || !entry.name.starts_with(folder)) {
      return std::nullopt;
    }
    return entry.name.substr(folder.size());
  };
}

Result<Measurement> measure_ipa(const zip::ZipArchive& archive, const MeasureOptions& options) {
  return IpaReader(archive, options).measure();
}

}  // namespace touchmark::package::ios
