#include "package/ios/provisioning.h"

#include <algorithm>

#include "formats/plist/plist.h"
#include "package/ios/ipa.h"
#include "pki/cms.h"

namespace touchmark::package::ios {
namespace {

tl::unexpected<Error> bad_profile(const char* what) { return fail(IpaError::kProfile, what); }

}  // namespace

bool ProvisioningProfile::allows_app(std::string_view bundle_id) const {
  const std::string wanted = team + "." + std::string(bundle_id);
  if (!application_id.ends_with('*')) return application_id == wanted;
  return wanted.starts_with(std::string_view(application_id).substr(0, application_id.size() - 1));
}

bool ProvisioningProfile::allows_signer(const Bytes& certificate) const {
  return std::ranges::find(certificates, certificate) != certificates.end();
}

Result<ProvisioningProfile> read_profile(ByteView file, const std::vector<Bytes>& roots,
                                         Budget& budget) {
  const auto content = pki::open_signed_content(file, roots, kMaxProfileBytes);
  if (!content) return pass(content);
  const auto plist = plist::parse_plist(*content, budget);
  if (!plist) return pass(plist);
  ProvisioningProfile profile;
  const plist::PlistValue* teams = plist->find("TeamIdentifier");
  const auto* list = teams == nullptr ? nullptr : teams->as<plist::PlistValue::Array>();
  if (list == nullptr || list->size() != 1 || list->front().as<std::string>() == nullptr) {
    return bad_profile("no single TeamIdentifier");
  }
  profile.team = *list->front().as<std::string>();
  const plist::PlistValue* entitlements = plist->find("Entitlements");
  const std::string* app =
      entitlements == nullptr ? nullptr : entitlements->find_text("application-identifier");
  if (app == nullptr) return bad_profile("no application-identifier");
  profile.application_id = *app;
  const plist::PlistValue* certificates = plist->find("DeveloperCertificates");
  const auto* ders =
      certificates == nullptr ? nullptr : certificates->as<plist::PlistValue::Array>();
  if (ders == nullptr) return bad_profile("no DeveloperCertificates");
  for (const plist::PlistValue& der : *ders) {
    if (der.as<Bytes>() == nullptr) return bad_profile("a certificate that is no data");
    if (auto ok = budget.take_bytes(der.as<Bytes>()->size()); !ok) return pass(ok);
    profile.certificates.push_back(*der.as<Bytes>());
  }
  return profile;
}

}  // namespace touchmark::package::ios
