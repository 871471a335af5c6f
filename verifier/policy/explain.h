// A verdict, and a policy, in words: which rule decided, and what would have passed.
#pragma once

#include <string>

#include "base/json.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

// What a device or app without this finding is like, under `policy`: "Android 12 or later; an OS
// patch level of 2024-06-01 or later". One line.
std::string would_pass(const Policy& policy, protocol::FindingId finding);

// {"passed","force","findings":[{"number","id","meaning","detail","action","rule",
//  "requirement","would_pass"}]}. A rule is {"key","line"}, line null for a default; `requirement`
// is null for what the policy's own rules did not find; `would_pass` is null for a finding that did
// not reject.
Json explain(const Policy& policy, const Verdict& verdict);

// What `policy` makes of each finding: {"app.not-registered":{"number","action","rule",
// "would_pass"}, ...}.
Json explain_findings(const Policy& policy);

}  // namespace touchmark::verifier::policy
