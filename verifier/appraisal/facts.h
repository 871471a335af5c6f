// The facts of software evidence that a policy judges: all of it is the app's own word.
#pragma once

#include <string>

#include "verifier/appraisal/evidence.h"
#include "verifier/policy/facts.h"

namespace touchmark::verifier::appraisal {

policy::Facts facts_of(const Evidence& evidence, const std::string& remote_ip);

}  // namespace touchmark::verifier::appraisal
