#include "cli/commands/doctor/report.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "cli/io/text.h"

namespace touchmark::cli::commands::doctor {
namespace {

std::size_t& count_of(Counts& counts, Health health) {
  return counts.at(static_cast<std::size_t>(health));
}
std::size_t count_of(const Counts& counts, Health health) {
  return counts.at(static_cast<std::size_t>(health));
}

}  // namespace

std::vector<Judged> judge(const Facts& facts, std::string_view prefix) {
  std::vector<Judged> out;
  for (const Check& check : checks()) {
    if (check.id.starts_with(prefix)) out.push_back({&check, check.judge(facts)});
  }
  return out;
}

Counts count(const std::vector<Judged>& all) {
  Counts out{};
  for (const Judged& one : all) {
    for (const Finding& finding : one.findings) ++count_of(out, finding.health);
  }
  return out;
}

Health worst(const Counts& counts) {
  if (count_of(counts, Health::kFail) > 0) return Health::kFail;
  return count_of(counts, Health::kWarn) > 0 ? Health::kWarn : Health::kOk;
}

void print_text(const std::vector<Judged>& all, Session& session) {
  constexpr std::size_t kIdWidth = 22;
  // What could not be judged, by the reason: when nothing answers, that is all the rest.
  std::map<std::string, std::string> skipped_ids;
  for (const Judged& one : all) {
    for (const Finding& finding : one.findings) {
      if (finding.health == Health::kSkip) {
        std::string& ids = skipped_ids[finding.message];
        ids += (ids.empty() ? "" : ", ") + std::string(one.check->id);
        continue;
      }
      const std::string about = finding.subject.empty() ? "" : finding.subject + ": ";
      session.console().print(
          io::one_line(fmt::format("{:<4}  {:<{}}  {}", to_string(finding.health), one.check->id,
                                   kIdWidth, about + finding.message)));
      if (finding.advice.empty()) continue;
      session.console().print(
          fmt::format("{:{}}-> {}", "", kIdWidth + 8, io::one_line(finding.advice)));
    }
  }
  for (const auto& [why, ids] : skipped_ids) {
    session.console().print(io::one_line(fmt::format("skip  {}: {}", ids, why)));
  }
  const Counts counts = count(all);
  std::string line =
      fmt::format("{} checks: {} ok, {} warn, {} fail", all.size(), count_of(counts, Health::kOk),
                  count_of(counts, Health::kWarn), count_of(counts, Health::kFail));
  const std::size_t skipped = count_of(counts, Health::kSkip);
  if (skipped > 0) line += fmt::format(", {} skipped", skipped);
  session.console().print(line);
}

Json to_json(const std::vector<Judged>& all) {
  const Counts counts = count(all);
  Json by_health = Json::object();
  for (const Health health : {Health::kOk, Health::kSkip, Health::kWarn, Health::kFail}) {
    by_health[std::string(to_string(health))] = count_of(counts, health);
  }
  Json checks = Json::array();
  for (const Judged& one : all) {
    for (const Finding& finding : one.findings) {
      checks.push_back({{"id", one.check->id},
                        {"status", to_string(finding.health)},
                        {"subject", finding.subject.empty() ? Json() : Json(finding.subject)},
                        {"message", finding.message},
                        {"advice", finding.advice.empty() ? Json() : Json(finding.advice)}});
    }
  }
  return {{"status", to_string(worst(counts))},
          {"counts", std::move(by_health)},
          {"checks", std::move(checks)}};
}

}  // namespace touchmark::cli::commands::doctor
