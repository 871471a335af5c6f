// Facts as JSON: what the service records of an appraisal, and what `touchmark policy test` reads.
// Members are those of facts.h by the same names; what is not stated is left out.
//
// {"platform":"android","os_version":"14","assurance":"tee",
//  "android":{"boot":{"locked":true,"state":"verified","key":"<hex>"},"os_patch_level":202406}}
#pragma once

#include "base/json.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

enum class FactsError {
  kMalformed,  // a member of another type, or one that is unknown; the message names it
};
std::string_view error_id(FactsError error);

Json to_json(const Facts& facts);
// Unknown members are refused: a mistyped one would be a fact that silently is not there.
Result<Facts> facts_from_json(const Json& json);

// [{"id","detail"}, ...].
Json to_json(const std::vector<protocol::Finding>& findings);
Result<std::vector<protocol::Finding>> findings_from_json(const Json& json);

}  // namespace touchmark::verifier::policy
