// Whatever is written, a policy document is either a policy, which judges, or a bounded list of
// problems that each have a place.
#include <cstdlib>

#include "verifier/policy/document.h"
#include "verifier/policy/explain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace policy = touchmark::verifier::policy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const policy::Document document = policy::parse_document(text);
  if (document.problems.size() > policy::kMaxProblems + 1) std::abort();
  for (const policy::Problem& problem : document.problems) {
    if (problem.line == 0 || policy::to_string(problem).empty()) std::abort();
  }
  if (!document.valid()) return 0;
  policy::Facts facts;
  facts.platform = "android";
  facts.model = "Pixel 8";
  facts.android.emplace().boot = policy::BootFacts{};
  const policy::Verdict verdict =
      policy::judge(document.policy, facts, {{touchmark::protocol::FindingId::kRootSu, "su"}},
                    touchmark::from_unix(1'720'000'000));
  if (policy::explain(document.policy, verdict)["findings"].size() != verdict.findings.size()) {
    std::abort();
  }
  // An operator's word about one device outlasts every document.
  if (policy::judge(document.policy, facts, {}, {}, policy::Force::kFail).passed) std::abort();
  return 0;
}
