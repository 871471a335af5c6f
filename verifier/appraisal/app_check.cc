#include "verifier/appraisal/app_check.h"

#include <algorithm>
#include <ranges>

#include "base/encoding.h"
#include "base/text.h"
#include "package/model/match.h"
#include "package/model/parts.h"
#include "protocol/limits.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using Findings = std::vector<Finding>;

// An app that is not recognised is compared part by part with its newest registrations, at most
// this many, and over at most this many parts of all of them: one request can ask for a bounded
// amount of work.
constexpr std::size_t kMaxCompared = 16;
// Registrations of its version that are looked at without a comparison.
constexpr std::size_t kMaxGlanced = 256;
constexpr std::size_t kMaxSteps = 16'384;
// What it costs to match one part of an app with a registration, in steps.
constexpr std::size_t kMatchSteps = 3;
constexpr std::size_t kMaxNamed = 5;  // parts in a detail

bool is_ios(const Reference& reference) {
  return reference.registration.measurement.form == package::Form::kIpa;
}

// What the evidence says is installed. Sizes are not claimed; they come with the registered parts.
package::Measurement installed_app(const Evidence& evidence, const Reference& reference) {
  package::Measurement out;
  out.platform = evidence.os == "ios" ? "iOS" : "Android";
  out.package_name = evidence.package_name;
  out.version_name = evidence.version_name;
  out.version_code = evidence.version_code;
  out.signers.assign(evidence.signers.begin(), evidence.signers.end());
  const auto& sizes = reference.code_sizes;
  const bool ios = is_ios(reference);
  for (const auto& [name, sha256] : evidence.parts) {
    const auto size = sizes.find(sha256);
    // An iPhone claims what its images hold in memory, and all of that is code.
    const auto kind =
        ios ? package::PartKind::kNativeLibrary : package::kind_of(package::path_in_split(name));
    out.parts.push_back({name, kind, size == sizes.end() ? 0 : size->second, sha256});
  }
  return out;
}

// Whether each split that the evidence names is the registered one, whole; the base among them.
bool same_splits(const Evidence& evidence, const Reference& reference) {
  const auto same = [&](const auto& split) {
    const auto found = reference.splits.find(split.first);
    return found != reference.splits.end() && found->second == split.second;
  };
  return evidence.splits.size() <= reference.splits.size() && evidence.splits.contains("") &&
         std::ranges::all_of(evidence.splits, same);
}

// The splits that code is claimed to be in must be among those that were compared.
bool code_is_in_splits(const Evidence& evidence) {
  return std::ranges::all_of(evidence.parts, [&](const auto& part) {
    return evidence.splits.contains(std::string(package::split_of(part.first)));
  });
}

// What can be told without a look at every part.
bool may_be_installed_in_part(const Evidence& evidence, const Reference& reference) {
  const package::Measurement& registered = reference.registration.measurement;
  if (evidence.version_name != registered.version_name) return false;
  // A store signs an iOS app again, and a phone loads some of its images.
  if (registered.form == package::Form::kIpa) return evidence.team == registered.team;
  if (evidence.signers != reference.signers) return false;
  if (registered.form == package::Form::kBundle) return true;
  return registered.form == package::Form::kSplits && same_splits(evidence, reference);
}

// The digests of the claimed parts. Those that differ between two builds of one version come first.
std::vector<const Sha256Digest*> claimed_code(const Evidence& evidence) {
  std::vector<const Sha256Digest*> out;
  std::vector<const Sha256Digest*> rest;
  for (const auto& [name, sha256] : evidence.parts) {
    (name.ends_with(".dex") ? out : rest).push_back(&sha256);
  }
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

// Takes a step for each part it looks at. False too when there are none left. The part that is not
// registered goes to the front: other builds of the version lack it as well, as a rule.
bool is_registered_code(std::vector<const Sha256Digest*>& claimed, const Reference& reference,
                        std::size_t& steps) {
  for (const Sha256Digest*& sha256 : claimed) {
    if (steps == 0) return false;
    --steps;
    if (reference.code_sizes.contains(*sha256)) continue;
    std::swap(claimed.front(), sha256);
    return false;
  }
  return true;
}

// What differs between the app's claims and a registration, by name; empty when nothing does.
std::string claims_that_differ(const Evidence& evidence, const Reference& reference) {
  const package::Measurement& measured = reference.registration.measurement;
  std::string differ;
  if (evidence.sdk_build ==
      (measured.platform == "iOS" ? protocol::kAndroidBuild : protocol::kIosBuild))
    differ += " platform";
  if (evidence.package_name != measured.package_name) differ += " package";
  if (evidence.version_name != measured.version_name ||
      evidence.version_code != measured.version_code) {
    differ += " version";
  }
  if (is_ios(reference)) {
    if (evidence.team != measured.team) differ += " team";
  } else if (evidence.signers != reference.signers) {
    differ += " signers";
  }
  return differ;
}

// The code-bearing parts that are changed, added or missing, of which the first few are named.
struct Difference {
  std::size_t count = 0;
  std::vector<std::string_view> names;

  void add(std::string_view name) {
    if (++count <= kMaxNamed) names.push_back(name);
  }
};

// `in_part`: a split that is not installed is not missed. Stops at `enough` parts that differ, or
// when there are no `steps` left, of which it takes one for each part.
Difference parts_that_differ(const Evidence& evidence, const Reference& reference, bool in_part,
                             std::size_t enough, std::size_t& steps) {
  Difference out;
  // An image that is not loaded is not missed.
  std::set<std::string_view> images;
  if (in_part && is_ios(reference)) {
    for (const auto& [name, sha256] : evidence.parts) images.insert(package::image_of(name));
  }
  const auto missed = [&](const std::string& name) {
    if (!in_part) return true;
    if (is_ios(reference)) return images.contains(package::image_of(name));
    return reference.splits.empty() ||
           evidence.splits.contains(std::string(package::split_of(name)));
  };
  auto claimed = evidence.parts.begin();
  auto known = reference.digests.begin();
  while (out.count < enough && steps > 0) {
    const bool no_more_claimed = claimed == evidence.parts.end();
    const bool no_more_known = known == reference.digests.end();
    if (no_more_claimed && no_more_known) break;
    --steps;
    const int order = no_more_claimed ? 1
                      : no_more_known ? -1
                                      : claimed->first.compare(known->first);
    if (order < 0) {
      out.add((claimed++)->first);
    } else if (order > 0) {
      if (missed(known->first)) out.add(known->first);
      ++known;
    } else {
      if (claimed->second != known->second) out.add(claimed->first);
      ++claimed;
      ++known;
    }
  }
  return out;
}

// All of them.
Difference parts_that_differ(const Evidence& evidence, const Reference& reference, bool in_part) {
  std::size_t steps = SIZE_MAX;
  return parts_that_differ(evidence, reference, in_part, SIZE_MAX, steps);
}

std::string named(const Difference& parts) {
  std::string out;
  for (const std::string_view part : parts.names) out += " " + shown(part);
  if (parts.count > parts.names.size()) {
    out += " and " + std::to_string(parts.count - parts.names.size()) + " more";
  }
  return out;
}

// The registration that an unknown app is most like: of its version if there is one, with the
// fewest parts that differ, the newest of those; as far as the bounds let it look.
const Reference* nearest_reference(const Evidence& evidence, const ReferenceValues& references) {
  const Reference* nearest = nullptr;
  std::size_t fewest = SIZE_MAX;
  std::size_t steps = kMaxSteps;
  const auto& same_version = references.of_version(evidence.package_name, evidence.version_code);
  const auto& candidates =
      same_version.empty() ? references.of_package(evidence.package_name) : same_version;
  for (const auto& reference : candidates | std::views::take(kMaxCompared)) {
    const std::size_t differ = parts_that_differ(evidence, *reference, true, fewest, steps).count;
    if (nearest != nullptr && (differ >= fewest || steps == 0)) continue;
    nearest = reference.get();
    fewest = differ;
  }
  return nearest;
}

std::string nearest_registration(const Evidence& evidence, const ReferenceValues& references) {
  const Reference* nearest = nearest_reference(evidence, references);
  if (nearest == nullptr) return "; no release of " + shown(evidence.package_name);
  if (is_ios(*nearest) && nearest->registration.measurement.images.empty()) {
    return "; " + nearest->registration.id +
           " was registered before the images of iOS apps were measured: register its IPA again";
  }
  std::string differ =
      claims_that_differ(evidence, *nearest) + named(parts_that_differ(evidence, *nearest, true));
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

bool counts_for(const model::SigningCertificate& certificate, const Evidence& evidence) {
  return certificate.package.empty() || certificate.package == evidence.package_name;
}

Vouching vouching_certificates(const Evidence& evidence, const ReferenceValues& references,
                               UnixTime now) {
  Vouching out;
  out.complete = !evidence.signers.empty();
  for (const Sha256Digest& signer : evidence.signers) {
    const model::SigningCertificate* found = nullptr;
    for (const model::SigningCertificate& certificate : references.certificates()) {
      if (certificate.sha256 != signer || !counts_for(certificate, evidence)) continue;
      // One that still counts goes before one that is over.
      if (found == nullptr || model::is_over(found->expires, now)) found = &certificate;
    }
    if (found == nullptr) return {};
    out.expired |= model::is_over(found->expires, now);
    out.ids += (out.ids.empty() ? "" : " ") + found->id;
  }
  return out;
}

Findings check_unregistered(const Evidence& evidence, const ReferenceValues& references,
                            bool signers_proven, UnixTime now) {
  const std::string what = "measurement " + base64_encode(evidence.measurement) +
                           nearest_registration(evidence, references);
  const Vouching vouching = vouching_certificates(evidence, references, now);
  if (!vouching.complete) return {{FindingId::kAppNotRegistered, what}};
  if (vouching.expired) {
    return {{FindingId::kAppRegistrationExpired, vouching.ids + " is over; " + what}};
  }
  if (signers_proven) return {};
  return {{FindingId::kAppByCertificate, vouching.ids + "; " + what}};
}

}  // namespace

bool signed_for_development(const Evidence& evidence, const ReferenceValues& references,
                            const Reference* reference) {
  const auto& signers =
      reference != nullptr && is_ios(*reference) ? reference->signers : evidence.signers;
  return std::ranges::any_of(
      references.certificates(), [&](const model::SigningCertificate& certificate) {
        return certificate.development && counts_for(certificate, evidence) &&
               signers.contains(certificate.sha256);
      });
}

std::optional<Sha256Digest> registered_first_signer(const std::string& package,
                                                    const std::set<Sha256Digest>& signers,
                                                    const ReferenceValues& references,
                                                    UnixTime now) {
  if (signers.size() != 1) return std::nullopt;  // Android rotates no key of several
  std::optional<Sha256Digest> of_every_app;
  for (const model::SigningCertificate& certificate : references.certificates()) {
    if (!certificate.first || certificate.sha256 != *signers.begin() ||
        model::is_over(certificate.expires, now)) {
      continue;
    }
    if (certificate.package == package) return certificate.first;
    if (certificate.package.empty()) of_every_app = certificate.first;
  }
  return of_every_app;
}

Recognition recognise(const Evidence& evidence, const ReferenceValues& references) {
  if (const Reference* exact = references.find(evidence.measurement)) return {exact};
  const auto may_be = [&](const auto& reference) {
    return may_be_installed_in_part(evidence, *reference);
  };
  std::vector<const Sha256Digest*> claimed;
  std::size_t steps = kMaxSteps;
  for (const auto& reference : references.of_version(evidence.package_name, evidence.version_code) |
                                   std::views::take(kMaxGlanced) | std::views::filter(may_be) |
                                   std::views::take(kMaxCompared)) {
    if (claimed.empty()) claimed = claimed_code(evidence);
    if (steps == 0) break;
    if (!is_registered_code(claimed, *reference, steps)) continue;
    if (!reference->splits.empty() && !code_is_in_splits(evidence)) continue;
    steps -= std::min(steps, kMatchSteps * claimed.size());
    package::Measurement installed = installed_app(evidence, *reference);
    if (!package::match(reference->code_only, installed, /*code_only=*/true)) continue;
    std::erase_if(installed.parts, [](const package::Part& part) { return part.size == 0; });
    if (installed.parts.size() > protocol::kMaxClaimedParts) {
      installed.parts.erase(installed.parts.begin() + protocol::kMaxClaimedParts,
                            installed.parts.end());
    }
    return {reference.get(), true, std::move(installed.parts)};
  }
  return {};
}

Findings check_app(const Evidence& evidence, const ReferenceValues& references,
                   const Recognition& app, ProvenApp proven, UnixTime now) {
  if (app.reference == nullptr) {
    return check_unregistered(evidence, references, proven.signers, now);
  }
  Findings out;
  const model::Registration& registration = app.reference->registration;
  if (model::is_over(registration.expires, now)) {
    out.push_back({FindingId::kAppRegistrationExpired,
                   registration.id + " ended " + format_time(*registration.expires) + " UTC"});
  }
  std::string differ = claims_that_differ(evidence, *app.reference);
  // In part, the parts have been compared one by one.
  if (!app.in_part) differ += named(parts_that_differ(evidence, *app.reference, false));
  if (!differ.empty()) {
    out.push_back({FindingId::kAppClaimsMismatch, registration.id + ", differ:" + differ});
  }
  if (!proven.range_proof) {
    out.push_back({FindingId::kAppRangeProof, "the challenge's bytes are not the registered ones"});
  }
  return out;
}

}  // namespace touchmark::verifier::appraisal
