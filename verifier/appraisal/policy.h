// What each finding does to a verdict.
#pragma once

#include <array>
#include <vector>

#include "base/json.h"
#include "protocol/findings.h"

namespace touchmark::verifier {

enum class Action {
  kReject,    // the token is a decoy
  kAnnotate,  // the token is valid; the finding stands in the log and, opted in, in claim `anno`
  kIgnore,    // as if it had not been found
};
std::string_view to_string(Action action);

struct Decision {
  bool passed = false;
  std::vector<protocol::Finding> rejecting;
  std::vector<protocol::Finding> annotating;
};

// Immutable once the service runs.
class Policy {
 public:
  // Every finding rejects.
  Policy() { actions_.fill(Action::kReject); }

  void set(protocol::FindingId finding, Action action) { at(finding) = action; }
  Action action(protocol::FindingId finding) const {
    return actions_[static_cast<std::size_t>(finding)];
  }
  Decision decide(const std::vector<protocol::Finding>& findings) const;
  // {"app.not-registered":"reject", ...}, every known finding.
  Json to_json() const;

 private:
  Action& at(protocol::FindingId finding) { return actions_[static_cast<std::size_t>(finding)]; }
  std::array<Action, 256> actions_{};
};

}  // namespace touchmark::verifier
