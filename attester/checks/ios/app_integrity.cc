#include "attester/checks/ios/app_integrity.h"

#include <algorithm>

#include "attester/checks/ios/ios_check.h"
#include "base/budget.h"
#include "crypto/crypto.h"
#include "package/ios/app_info.h"
#include "package/ios/code_signature.h"
#include "protocol/check_groups.h"

namespace touchmark::attester::checks::ios {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxInfoBytes = std::size_t{1} << 20;

// The team that the code signature in memory names; empty where it names none.
std::string team_of(const Iphone& iphone, const LoadedImage& main) {
  const Bytes blob = mapped_signature(iphone, main);
  const auto signature = package::ios::parse_code_signature(blob);
  return signature ? signature->directories.front().team : std::string();
}

Result<package::Measurement> measure_app(const Iphone& iphone, const LoadedImages& images) {
  const LoadedImage* main = images.main();
  if (main == nullptr || !main->image.is_executable() || main->name.empty()) {
    return fail(LoadedImageError::kUnreadable, "dyld lists no main executable");
  }
  const auto file = iphone.read_file(images.bundle + "Info.plist", kMaxInfoBytes);
  if (!file) return fail(LoadedImageError::kUnreadable, images.bundle + "Info.plist");
  Budget budget(file->size());
  const auto info = package::ios::read_app_info(*file, budget);
  if (!info) return pass(info);
  package::Measurement out;
  out.form = package::Form::kIpa;
  out.platform = "iOS";
  out.package_name = info->identifier;
  out.version_name = info->version_name;
  out.version_code = info->version_code;
  out.label = info->label;
  out.min_sdk = out.target_sdk = info->min_os;
  out.team = team_of(iphone, *main);
  for (const LoadedImage& loaded : images.images) {
    if (loaded.name.empty()) continue;
    auto parts = measure_image(iphone, loaded);
    if (!parts) {
      return tl::unexpected(parts.error().reworded(loaded.name + ": " + parts.error().message()));
    }
    std::ranges::move(*parts, std::back_inserter(out.parts));
    out.images.push_back({loaded.name + package::kImageMark + loaded.image.architecture(), "", ""});
  }
  std::ranges::sort(out.parts, {}, &package::Part::name);
  return out;
}

class AppIntegrity final : public Integrity {
 public:
  explicit AppIntegrity(const Iphone& iphone) : iphone_(iphone) {}

  Inspection inspect() const override {
    Inspection out;
    const LoadedImages images = list_images(iphone_);
    const IosContext context{iphone_, images};
    auto measured = measure_app(iphone_, images);
    if (measured) {
      out.measurement = *std::move(measured);
    } else {
      out.findings.push_back({FindingId::kAppUnreadable, measured.error().text()});
    }
    check_signatures(context, out.findings);
    out.groups.emplace_back(protocol::kAppChecks);
    check_pointers(context, out.findings);
    check_foreign_images(context, out.findings);
    out.groups.emplace_back(protocol::kHookChecks);
    check_tracing(context, out.findings);
    out.groups.emplace_back(protocol::kDebugChecks);
    check_jailbreak(context, out.findings);
    check_simulator(context, out.findings);
    out.groups.emplace_back(protocol::kRootChecks);
    // The evidence's claim `tls` is this group's work.
    out.groups.emplace_back(protocol::kNetworkChecks);
    return out;
  }

  Sha256Digest range_proof(ByteView nonce, std::span<const protocol::Range> ranges) const override {
    crypto::Sha256 digest;
    digest.update(nonce);
    const LoadedImages images = list_images(iphone_);
    for (const protocol::Range& range : ranges) {
      const std::string_view image_name = package::image_of(range.part);
      const LoadedImage* loaded = images.named(image_name);
      if (loaded == nullptr) continue;
      const std::string_view name = std::string_view(range.part).substr(image_name.size() + 1);
      const auto part =
          std::ranges::find(loaded->image.parts, name, &package::ios::ImagePart::name);
      if (part == loaded->image.parts.end()) continue;
      // What cannot be read is absent.
      static_cast<void>(read_part(iphone_, *loaded, *part, range.offset, range.length,
                                  [&digest](ByteView bytes) { digest.update(bytes); }));
    }
    return digest.finish();
  }

 private:
  const Iphone& iphone_;
};

}  // namespace

std::unique_ptr<Integrity> make_app_integrity(const Iphone& iphone) {
  return std::make_unique<AppIntegrity>(iphone);
}

}  // namespace touchmark::attester::checks::ios
