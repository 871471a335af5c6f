// What an operator should know of a release that is registered although it may not do what they
// expect. Nothing of it is a reason to refuse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "package/model/measurement.h"

namespace touchmark::verifier::state {

struct RegistrationWarning {
  std::string_view id;  // "no-sdk", "older-sdk", "debuggable"; ids do not change their meaning
  std::string message;  // one line for people
};

// `version`: of this service, "0.1.0"; an SDK of an earlier one is older.
std::vector<RegistrationWarning> registration_warnings(const package::Measurement& measurement,
                                                       std::string_view version);

}  // namespace touchmark::verifier::state
