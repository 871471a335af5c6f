#include "verifier/appraisal/policy.h"

namespace touchmark::verifier {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kReject:
      return "reject";
    case Action::kAnnotate:
      return "annotate";
    case Action::kIgnore:
      return "ignore";
  }
  return "unknown";
}

Decision Policy::decide(const std::vector<protocol::Finding>& findings) const {
  Decision decision;
  for (const protocol::Finding& finding : findings) {
    switch (action(finding.id)) {
      case Action::kReject:
        decision.rejecting.push_back(finding);
        break;
      case Action::kAnnotate:
        decision.annotating.push_back(finding);
        break;
      case Action::kIgnore:
        break;
    }
  }
  decision.passed = decision.rejecting.empty();
  return decision;
}

Json Policy::to_json() const {
  Json out = Json::object();
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    out[std::string(info.id)] = to_string(action(info.number));
  }
  return out;
}

}  // namespace touchmark::verifier
