// The facts that a policy judges. What the software evidence says of the app and the device is the
// app's own word; what the device evidence proves is not.
#pragma once

#include <string>

#include "verifier/appraisal/device_evidence.h"
#include "verifier/appraisal/evidence.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

// `development_key`: signed_for_development() (app_check.h).
policy::Facts facts_of(const Evidence& evidence, const ExpectedApp& app,
                       const DeviceAppraisal& device, bool development_key,
                       const std::string& remote_ip);

}  // namespace touchmark::verifier::appraisal
