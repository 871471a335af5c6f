// The registrations as appraisal needs them: an immutable set that a change replaces by a new one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "verifier/store/store.h"

namespace touchmark::verifier {

// One registration, with what evidence is compared to.
struct Reference {
  explicit Reference(Registration registration);

  Registration registration;
  Sha256Digest measurement{};  // digest of registration.measurement
  std::set<Sha256Digest> signers;
  std::vector<package::Part> code;              // code-bearing parts that hold at least a byte
  std::map<std::string, Sha256Digest> digests;  // of every code-bearing part
};

class ReferenceValues {
 public:
  using Shared = std::shared_ptr<const ReferenceValues>;
  static Shared of(std::vector<Registration> registrations);

  // Copies share the references, so a change costs a pointer per registration.
  Shared with(Registration registration) const;
  Shared without(const std::string& id) const;

  const Reference* find(const Sha256Digest& measurement) const;  // nullptr when not registered
  // The newest registration, or nullptr: what is read in place of an unregistered package, so that
  // its refusal takes as long as an acceptance.
  const Reference* stand_in() const { return stand_in_.get(); }
  // In the order in which they were made.
  std::vector<Registration> registrations() const;
  std::size_t size() const { return by_measurement_.size(); }

 private:
  void choose_stand_in();
  std::map<Sha256Digest, std::shared_ptr<const Reference>> by_measurement_;
  std::shared_ptr<const Reference> stand_in_;
};

}  // namespace touchmark::verifier
