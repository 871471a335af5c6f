// What is registered, as appraisal needs it: an immutable set that a change replaces by a new one.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "verifier/model/registration.h"

namespace touchmark::verifier::appraisal {

// A digest is as random as a hash can be.
struct DigestHash {
  std::size_t operator()(const Sha256Digest& digest) const {
    std::size_t out = 0;
    std::memcpy(&out, digest.data(), sizeof out);
    return out;
  }
};

// One registration, with what evidence is compared to.
struct Reference {
  explicit Reference(model::Registration registration);

  model::Registration registration;
  Sha256Digest measurement{};  // digest of registration.measurement
  std::set<Sha256Digest> signers;
  // Code-bearing parts that hold at least a byte, by name, the first protocol::kMaxClaimedParts:
  // what an app that is this release claims as its code.
  std::vector<package::Part> code;
  std::map<std::string, Sha256Digest> digests;  // of every code-bearing part
  std::map<std::string, Sha256Digest> splits;   // of a release in splits: package::split_digests()
  // The registered app without the parts that hold no code, to match an installed one with.
  package::Measurement code_only;
  std::unordered_map<Sha256Digest, std::uint64_t, DigestHash> code_sizes;  // of each such part
};

class ReferenceValues {
 public:
  using Shared = std::shared_ptr<const ReferenceValues>;
  using References = std::vector<std::shared_ptr<const Reference>>;
  static Shared of(std::vector<model::Registration> registrations,
                   std::vector<model::SigningCertificate> certificates = {});

  // Copies share the references, so a change costs a pointer per registration.
  Shared with(model::Registration registration) const;
  Shared without(const std::string& id) const;
  Shared with_certificates(std::vector<model::SigningCertificate> certificates) const;

  const Reference* find(const Sha256Digest& measurement) const;  // nullptr when not registered
  // The registrations of one app, the newest first.
  const References& of_package(const std::string& package_name) const;
  // Those of one version of it, the newest first.
  const References& of_version(const std::string& package_name, std::uint64_t version_code) const;
  // In the order in which they were made.
  const std::vector<model::SigningCertificate>& certificates() const { return certificates_; }
  // All registrations.
  const References& newest_first() const { return newest_first_; }
  // The newest registration, or nullptr: what is read in place of an unregistered package, so that
  // its refusal takes as long as an acceptance.
  const Reference* stand_in() const {
    return newest_first_.empty() ? nullptr : newest_first_.front().get();
  }
  // In the order in which they were made.
  std::vector<model::Registration> registrations() const;
  std::size_t size() const { return by_measurement_.size(); }

 private:
  void index();
  std::map<Sha256Digest, std::shared_ptr<const Reference>> by_measurement_;
  std::map<std::string, References> by_package_;
  std::map<std::pair<std::string, std::uint64_t>, References> by_version_;
  std::vector<model::SigningCertificate> certificates_;
  References newest_first_;
};

}  // namespace touchmark::verifier::appraisal
