#include "verifier/appraisal/app_check.h"

#include <algorithm>
#include <ranges>

#include "base/encoding.h"
#include "package/match.h"
#include "package/parts.h"

namespace touchmark::verifier {
namespace {

using protocol::Finding;
using protocol::FindingId;
using Findings = std::vector<Finding>;

// Unknown evidence is compared with so many registrations of its app, the newest first: the work
// that one request can ask for has a bound.
constexpr std::size_t kMaxCompared = 16;
constexpr std::size_t kMaxNamed = 5;  // parts in a detail

// What the evidence says is installed. Sizes are not claimed; they come with the registered parts.
package::Measurement installed_app(const Evidence& evidence,
                                   const package::Measurement& registered) {
  package::Measurement out;
  out.platform = evidence.os == "ios" ? "iOS" : "Android";
  out.package_name = evidence.package_name;
  out.version_name = evidence.version_name;
  out.version_code = evidence.version_code;
  out.signers.assign(evidence.signers.begin(), evidence.signers.end());
  std::map<Sha256Digest, std::uint64_t> sizes;
  for (const package::Part& part : registered.parts) sizes.emplace(part.sha256, part.size);
  for (const auto& [name, sha256] : evidence.parts) {
    const auto size = sizes.find(sha256);
    out.parts.push_back({name, package::kind_of(package::path_in_split(name)),
                         size == sizes.end() ? 0 : size->second, sha256});
  }
  return out;
}

// Whether each split that the evidence names is the registered one, whole; the base among them.
bool same_splits(const Evidence& evidence, const Reference& reference) {
  const auto same = [&](const auto& split) {
    const auto found = reference.splits.find(split.first);
    return found != reference.splits.end() && found->second == split.second;
  };
  return evidence.splits.contains("") && std::ranges::all_of(evidence.splits, same);
}

// The splits that code is claimed to be in must be among those that were compared.
bool code_is_in_splits(const Evidence& evidence) {
  return std::ranges::all_of(evidence.parts, [&](const auto& part) {
    return evidence.splits.contains(std::string(package::split_of(part.first)));
  });
}

bool is_installed_in_part(const Evidence& evidence, const Reference& reference,
                          const package::Measurement& installed) {
  const package::Measurement& registered = reference.registration.measurement;
  const bool splits = registered.form == package::Form::kSplits;
  if (!splits && registered.form != package::Form::kBundle) return false;
  if (splits && !(same_splits(evidence, reference) && code_is_in_splits(evidence))) return false;
  return package::match(registered, installed, /*code_only=*/true).has_value();
}

// What differs between the app's claims and a registration, by name; empty when nothing does.
std::string claims_that_differ(const Evidence& evidence, const Reference& reference) {
  const package::Measurement& measured = reference.registration.measurement;
  std::string differ;
  // Else an Android app's evidence could ask to be judged by what the policy wants of iOS.
  if (evidence.sdk_build == (measured.platform == "iOS" ? "android" : "ios")) differ += " platform";
  if (evidence.package_name != measured.package_name) differ += " package";
  if (evidence.version_name != measured.version_name ||
      evidence.version_code != measured.version_code) {
    differ += " version";
  }
  if (evidence.signers != reference.signers) differ += " signers";
  return differ;
}

// The code-bearing parts that are changed, added or missing.
std::vector<std::string> parts_that_differ(const Evidence& evidence, const Reference& reference) {
  std::vector<std::string> out;
  for (const auto& [name, sha256] : evidence.parts) {
    const auto found = reference.digests.find(name);
    if (found == reference.digests.end() || found->second != sha256) out.push_back(name);
  }
  for (const auto& [name, sha256] : reference.digests) {
    if (!evidence.parts.contains(name)) out.push_back(name);
  }
  return out;
}

std::string named(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts | std::views::take(kMaxNamed)) out += " " + shown(part);
  if (parts.size() > kMaxNamed) {
    out += " and " + std::to_string(parts.size() - kMaxNamed) + " more";
  }
  return out;
}

// What tells an unknown app from the registration that it is most like.
std::string nearest_registration(const Evidence& evidence, const ReferenceValues& references) {
  const Reference* nearest = nullptr;
  std::pair<bool, std::size_t> least{};  // another version, parts that differ
  for (const auto& reference :
       references.of_package(evidence.package_name) | std::views::take(kMaxCompared)) {
    const std::pair distance{
        reference->registration.measurement.version_code != evidence.version_code,
        parts_that_differ(evidence, *reference).size()};
    if (nearest != nullptr && distance >= least) continue;
    nearest = reference.get();
    least = distance;
  }
  if (nearest == nullptr) return "; no release of " + shown(evidence.package_name);
  const auto parts = parts_that_differ(evidence, *nearest);
  std::string differ = claims_that_differ(evidence, *nearest) + named(parts);
  // The claims do not list them one by one.
  if (differ.empty()) differ = " manifest, resources or assets";
  return "; nearest is " + nearest->registration.id + ", differ:" + differ;
}

// The certificates that stand for an app: one for each signer, or none.
struct Vouching {
  bool complete = false;  // every signer is registered for this app
  bool expired = false;
  std::string ids;
};

bool is_over(const std::optional<UnixTime>& expires, UnixTime now) {
  return expires && now >= *expires;
}

bool counts_for(const SigningCertificate& certificate, const Evidence& evidence) {
  return certificate.package.empty() || certificate.package == evidence.package_name;
}

Vouching vouching_certificates(const Evidence& evidence, const ReferenceValues& references,
                               UnixTime now) {
  Vouching out;
  out.complete = !evidence.signers.empty();
  for (const Sha256Digest& signer : evidence.signers) {
    const SigningCertificate* found = nullptr;
    for (const SigningCertificate& certificate : references.certificates()) {
      if (certificate.sha256 != signer || !counts_for(certificate, evidence)) continue;
      // One that still counts goes before one that is over.
      if (found == nullptr || is_over(found->expires, now)) found = &certificate;
    }
    if (found == nullptr) return {};
    out.expired |= is_over(found->expires, now);
    out.ids += (out.ids.empty() ? "" : " ") + found->id;
  }
  return out;
}

void check_unregistered(const Evidence& evidence, const ReferenceValues& references, UnixTime now,
                        Findings& out) {
  const std::string what = "measurement " + base64_encode(evidence.measurement) +
                           nearest_registration(evidence, references);
  const Vouching vouching = vouching_certificates(evidence, references, now);
  if (!vouching.complete) {
    out.push_back({FindingId::kAppNotRegistered, what});
  } else if (vouching.expired) {
    out.push_back({FindingId::kAppRegistrationExpired, vouching.ids + " is over; " + what});
  } else {
    out.push_back({FindingId::kAppByCertificate, vouching.ids + "; " + what});
  }
}

}  // namespace

std::optional<Finding> development_mark(const Evidence& evidence,
                                        const ReferenceValues& references) {
  for (const SigningCertificate& certificate : references.certificates()) {
    if (!certificate.development || !counts_for(certificate, evidence)) continue;
    if (!evidence.signers.contains(certificate.sha256)) continue;
    return Finding{FindingId::kAppDevelopment, certificate.id + " " + shown(certificate.subject)};
  }
  return std::nullopt;
}

void accept_vouched_signers(const policy::Facts& facts, std::vector<protocol::Finding>& findings) {
  const bool by_phone = facts.android && facts.assurance >= policy::Assurance::kTee;
  const bool by_store = facts.play && facts.play->app_recognition == "PLAY_RECOGNIZED";
  if (!by_phone && !by_store) return;
  std::erase_if(findings,
                [](const Finding& finding) { return finding.id == FindingId::kAppByCertificate; });
}

std::string shown(std::string_view text) { return "\"" + std::string(text.substr(0, 100)) + "\""; }

Recognition recognise(const Evidence& evidence, const ReferenceValues& references) {
  if (const Reference* exact = references.find(evidence.measurement)) return {exact};
  for (const auto& reference :
       references.of_package(evidence.package_name) | std::views::take(kMaxCompared)) {
    package::Measurement installed = installed_app(evidence, reference->registration.measurement);
    if (!is_installed_in_part(evidence, *reference, installed)) continue;
    std::erase_if(installed.parts, [](const package::Part& part) { return part.size == 0; });
    if (installed.parts.size() > kMaxClaimedParts) {
      installed.parts.erase(installed.parts.begin() + kMaxClaimedParts, installed.parts.end());
    }
    return {reference.get(), true, std::move(installed.parts)};
  }
  return {};
}

void check_app(const Evidence& evidence, const ReferenceValues& references, const Recognition& app,
               bool proof_matches, UnixTime now, std::vector<protocol::Finding>& out) {
  if (app.reference == nullptr) return check_unregistered(evidence, references, now, out);
  const Registration& registration = app.reference->registration;
  if (is_over(registration.expires, now)) {
    out.push_back({FindingId::kAppRegistrationExpired,
                   registration.id + " ended " + format_time(*registration.expires) + " UTC"});
  }
  std::string differ = claims_that_differ(evidence, *app.reference);
  // In part, the parts have been compared one by one.
  if (!app.in_part) differ += named(parts_that_differ(evidence, *app.reference));
  if (!differ.empty()) {
    out.push_back({FindingId::kAppClaimsMismatch, registration.id + ", differ:" + differ});
  }
  if (!proof_matches) {
    out.push_back({FindingId::kAppRangeProof, "the challenge's bytes are not the registered ones"});
  }
}

}  // namespace touchmark::verifier
