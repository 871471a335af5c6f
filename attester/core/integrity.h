// What the client needs of the integrity checks. An interface, so that tests can set what is found.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "package/model/measurement.h"
#include "protocol/findings.h"
#include "protocol/range.h"

namespace touchmark::attester {

// The outcome of one run of the checks.
struct Inspection {
  std::optional<package::Measurement> measurement;  // absent: a finding app.unreadable says why
  std::vector<std::string> groups;  // of protocol::kCheckGroups, those that ran to their end
  std::vector<protocol::Finding> findings;
};

// Thread-safe.
class Integrity {
 public:
  virtual ~Integrity() = default;
  virtual Inspection inspect() const = 0;
  // SHA-256 over the nonce and the bytes of each range in the app's own package; what is absent
  // there adds nothing.
  virtual Sha256Digest range_proof(ByteView nonce,
                                   std::span<const protocol::Range> ranges) const = 0;
  // Where the platform says that the app's package is now.
  virtual void set_package_path(const std::string&) {}
};

}  // namespace touchmark::attester
