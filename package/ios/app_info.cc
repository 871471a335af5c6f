#include "package/ios/app_info.h"

#include <charconv>
#include <optional>

#include "formats/plist/plist.h"
#include "package/ios/ipa.h"

namespace touchmark::package::ios {
namespace {

constexpr std::size_t kMaxInfoText = 4096;

// The whole text as a number, if it is one.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

// Not in ipa.cc, which no phone has.
std::string_view error_id(IpaError error) {
  using enum IpaError;
  static constexpr auto kIds = error_table<IpaError>({
      {kNoApp, "ipa.no-app"},
      {kSeveralApps, "ipa.several-apps"},
      {kNoInfo, "ipa.no-info"},
      {kInfo, "ipa.info"},
      {kNoExecutable, "ipa.no-executable"},
      {kIdentifierMismatch, "ipa.identifier-mismatch"},
      {kTeamMismatch, "ipa.team-mismatch"},
      {kSignersDiffer, "ipa.signers-differ"},
      {kNoResources, "ipa.no-resources"},
      {kBadResources, "ipa.bad-resources"},
      {kWeakSeal, "ipa.weak-seal"},
      {kSealMismatch, "ipa.seal-mismatch"},
      {kSealMissing, "ipa.seal-missing"},
      {kUnsealed, "ipa.unsealed"},
      {kEncrypted, "ipa.encrypted"},
      {kTooManyImages, "ipa.too-many-images"},
      {kPartName, "ipa.part-name"},
      {kProfile, "ipa.profile"},
      {kProfileSigner, "ipa.profile-signer"},
  });
  return kIds[error];
}

Result<AppInfo> read_app_info(ByteView file, Budget& budget) {
  const auto plist = plist::parse_plist(file, budget);
  if (!plist) return pass(plist);
  bool too_long = false;
  const auto text = [&](std::string_view key) {
    const std::string* value = plist->find_text(key);
    too_long = too_long || (value != nullptr && value->size() > kMaxInfoText);
    return value == nullptr || too_long ? std::string() : *value;
  };
  AppInfo info;
  info.identifier = text("CFBundleIdentifier");
  info.executable = text("CFBundleExecutable");
  if (too_long) return fail(IpaError::kInfo, "an identifier over 4,096 bytes");
  if (info.identifier.empty() || info.executable.empty() ||
      info.executable.find('/') != std::string::npos) {
    return fail(IpaError::kInfo, "no CFBundleIdentifier or CFBundleExecutable");
  }
  // CFBundleVersion is a number for most apps, and up to three with dots for the others.
  info.version_name = text("CFBundleShortVersionString");
  const std::string build = text("CFBundleVersion");
  if (const auto code = number(build)) {
    info.version_code = *code;
  } else if (!build.empty()) {
    info.version_name += " (" + build + ")";
  }
  info.label = text("CFBundleDisplayName");
  if (info.label.empty()) info.label = text("CFBundleName");
  if (info.label.empty()) info.label = info.identifier;
  const std::string min_os = text("MinimumOSVersion");
  info.min_os = static_cast<std::uint32_t>(number(min_os.substr(0, min_os.find('.'))).value_or(1));
  if (too_long) return fail(IpaError::kInfo, "a name or version over 4,096 bytes");
  return info;
}

}  // namespace touchmark::package::ios
