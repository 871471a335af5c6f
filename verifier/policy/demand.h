// What a policy comes to, in a line for people: what a valid token takes, and whom it lets in that
// a service should hardly let in.
#pragma once

#include <string>
#include <vector>

#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

struct Demand {
  // "a registered app with a key in the phone's hardware (Android: tee, iOS: secure-chip)"
  std::string takes;
  // Each a sentence; empty when no software evidence passes.
  std::vector<std::string> warnings;
};

// `host_builds`: whether the lab's Linux build is let in (--allow-host-builds); it is warned of.
Demand demand_of(const Policy& policy, bool host_builds);

}  // namespace touchmark::verifier::policy
