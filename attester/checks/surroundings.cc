// What is notable and not wrong: genuine users have all of it. Details say no names, for they would
// say of users what is nobody's business.
#include "attester/checks/check.h"

namespace touchmark::attester::checks {

using protocol::FindingId;

void check_surroundings(const Context& context, Findings& out) {
  const Surroundings& seen = context.observed.surroundings;
  if (seen.accessibility_services > 0) {
    report(out, FindingId::kSurroundingsAccessibility,
           std::to_string(seen.accessibility_services) + " of them");
  }
  if (seen.overlaid) report(out, FindingId::kSurroundingsOverlay, "since the last attestation");
  if (seen.vpn) report(out, FindingId::kSurroundingsVpn, "");
  if (seen.proxy) report(out, FindingId::kSurroundingsProxy, "");
}

}  // namespace touchmark::attester::checks
