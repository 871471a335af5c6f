#include "verifier/appraisal/reference_values.h"

#include <algorithm>
#include <functional>

#include "protocol/limits.h"

namespace touchmark::verifier::appraisal {

Reference::Reference(model::Registration given) : registration(std::move(given)) {
  const package::Measurement& measured = registration.measurement;
  measurement = package::digest(measured);
  signers.insert(measured.signers.begin(), measured.signers.end());
  if (measured.form == package::Form::kSplits) splits = package::split_digests(measured);
  code_only = measured;
  std::erase_if(code_only.parts, [](const package::Part& part) { return !part.code_bearing(); });
  for (const package::Part& part : code_only.parts) {
    code_sizes.emplace(part.sha256, part.size);
    digests.emplace(part.name, part.sha256);
    if (part.size > 0) code.push_back(part);
  }
  // In the order, and as many, as an app claims them.
  std::ranges::sort(code, {}, &package::Part::name);
  if (code.size() > protocol::kMaxClaimedParts) {
    code.erase(code.begin() + protocol::kMaxClaimedParts, code.end());
  }
}

ReferenceValues::Shared ReferenceValues::of(std::vector<model::Registration> registrations,
                                            std::vector<model::SigningCertificate> certificates) {
  auto out = std::make_shared<ReferenceValues>();
  out->certificates_ = std::move(certificates);
  for (model::Registration& registration : registrations) {
    auto reference = std::make_shared<const Reference>(std::move(registration));
    out->by_measurement_[reference->measurement] = reference;
  }
  out->index();
  return out;
}

ReferenceValues::Shared ReferenceValues::with(model::Registration registration) const {
  auto out = std::make_shared<ReferenceValues>(*this);
  auto reference = std::make_shared<const Reference>(std::move(registration));
  out->by_measurement_[reference->measurement] = reference;
  out->index();
  return out;
}

ReferenceValues::Shared ReferenceValues::without(const std::string& id) const {
  auto out = std::make_shared<ReferenceValues>(*this);
  std::erase_if(out->by_measurement_,
                [&](const auto& entry) { return entry.second->registration.id == id; });
  out->index();
  return out;
}

ReferenceValues::Shared ReferenceValues::with_certificates(
    std::vector<model::SigningCertificate> certificates) const {
  auto out = std::make_shared<ReferenceValues>(*this);
  out->certificates_ = std::move(certificates);
  return out;
}

const ReferenceValues::References& ReferenceValues::of_package(
    const std::string& package_name) const {
  static const References kNone;
  const auto found = by_package_.find(package_name);
  return found == by_package_.end() ? kNone : found->second;
}

const ReferenceValues::References& ReferenceValues::of_version(const std::string& package_name,
                                                               std::uint64_t version_code) const {
  static const References kNone;
  const auto found = by_version_.find({package_name, version_code});
  return found == by_version_.end() ? kNone : found->second;
}

const Reference* ReferenceValues::find(const Sha256Digest& measurement) const {
  const auto found = by_measurement_.find(measurement);
  return found == by_measurement_.end() ? nullptr : found->second.get();
}

std::vector<model::Registration> ReferenceValues::registrations() const {
  std::vector<model::Registration> out;
  for (const auto& [measurement, reference] : by_measurement_) {
    out.push_back(reference->registration);
  }
  std::ranges::sort(out, [](const model::Registration& a, const model::Registration& b) {
    return std::tie(a.created, a.id) < std::tie(b.created, b.id);
  });
  return out;
}

void ReferenceValues::index() {
  newest_first_.clear();
  by_package_.clear();
  by_version_.clear();
  for (const auto& [measurement, reference] : by_measurement_) newest_first_.push_back(reference);
  std::ranges::stable_sort(newest_first_, std::greater{},
                           [](const auto& reference) { return reference->registration.created; });
  for (const auto& reference : newest_first_) {
    const package::Measurement& measured = reference->registration.measurement;
    by_package_[measured.package_name].push_back(reference);
    by_version_[{measured.package_name, measured.version_code}].push_back(reference);
  }
}

}  // namespace touchmark::verifier::appraisal
