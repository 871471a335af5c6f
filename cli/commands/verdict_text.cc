#include "cli/commands/verdict_text.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {

Result<std::string> read_policy_file(const std::string& path) {
  // One byte more than allowed, so that the document's own reader says what the bound is.
  auto content = read_file(path, verifier::policy::kMaxDocumentBytes + 1);
  if (!content) return pass(content);
  return to_string(*content);
}

std::vector<std::string> problem_lines(const std::string& path,
                                       const std::vector<verifier::policy::Problem>& problems) {
  std::vector<std::string> out;
  for (const verifier::policy::Problem& problem : problems) {
    out.push_back(io::one_line(path + ":" + verifier::policy::to_string(problem)));
  }
  return out;
}

Json problems_json(const std::vector<verifier::policy::Problem>& problems) {
  Json out = Json::array();
  for (const verifier::policy::Problem& problem : problems) {
    out.push_back({{"line", problem.line},
                   {"column", problem.column},
                   {"key", problem.key},
                   {"message", problem.message},
                   {"suggestion", problem.suggestion.empty() ? Json() : Json(problem.suggestion)}});
  }
  return out;
}

bool check_document(const std::string& path, const verifier::policy::Document& document,
                    Session& session) {
  for (const std::string& line : problem_lines(path, document.warnings)) {
    session.console().note("warning: " + line);
  }
  if (document.valid()) return true;
  if (!session.json()) {
    for (const std::string& line : problem_lines(path, document.problems)) {
      session.console().print(line);
    }
  }
  return false;
}

void note_demand(const Json& answer, Session& session) {
  if (const auto takes = find_string(answer, "valid_token_takes")) {
    session.console().note("a valid token takes " + io::one_line(*takes));
  }
}

void print_warnings(const Json& answer, Session& session) {
  const Json* warnings = find_array(answer, "warnings");
  for (const Json& warning : warnings != nullptr ? *warnings : Json::array()) {
    const std::optional<std::string> message = warning.is_string()
                                                   ? std::optional(warning.get<std::string>())
                                                   : find_string(warning, "message");
    if (message) session.console().note("warning: " + io::one_line(*message));
  }
}

std::string rule_text(const Json& rule) {
  const std::string key = io::one_line(find_string(rule, "key").value_or("?"));
  auto line = get_int(rule, "line", 1, INT32_MAX);
  return line ? fmt::format("{} (line {})", key, *line) : key;
}

std::vector<std::string> verdict_lines(const Json& explained) {
  std::vector<std::string> out;
  const Json* findings = find_array(explained, "findings");
  if (findings == nullptr) return out;
  for (const Json& finding : *findings) {
    const std::string action = find_string(finding, "action").value_or("?");
    std::string line = fmt::format("  {} {}", action, find_string(finding, "id").value_or("?"));
    const std::string detail = io::one_line(find_string(finding, "detail").value_or(""));
    if (!detail.empty()) line += ": " + detail;
    line += "; by " + rule_text(finding.value("rule", Json()));
    if (const Json* requirement = find_object(finding, "requirement")) {
      line += ", as asked by " + rule_text(*requirement);
    }
    out.push_back(line);
    const std::string would_pass = io::one_line(find_string(finding, "would_pass").value_or(""));
    if (!would_pass.empty()) out.push_back("    would have passed: " + would_pass);
  }
  return out;
}

}  // namespace touchmark::cli::commands
