// What a device or app does not meet of a policy: facts -> findings.
#pragma once

#include <vector>

#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

struct Unmet {
  protocol::Finding finding;  // the detail says what was seen
  Rule requirement;
};

// In no particular order; one rule can give one finding at most.
std::vector<Unmet> unmet_requirements(const Policy& policy, const Facts& facts, UnixTime now);

}  // namespace touchmark::verifier::policy
