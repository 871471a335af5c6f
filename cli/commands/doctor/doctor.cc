// touchmark doctor: looks whether all is well, and says what to do.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <map>

#include "cli/commands/commands.h"
#include "cli/commands/doctor/check.h"
#include "cli/commands/doctor/gather.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "protocol/host_port.h"

namespace touchmark::cli::commands {
namespace {

using doctor::Check;
using doctor::Facts;
using doctor::Finding;
using doctor::Findings;
using doctor::Health;

struct DoctorOptions {
  bool strict = false;
  std::vector<std::string> resolve;
  std::string backup_age = "7d";
  std::int64_t least_free_mib = 1024;
};

struct Judged {
  const Check* check = nullptr;
  Findings findings;
};

// How many findings there are of each health.
using Counts = std::array<std::size_t, 4>;
std::size_t& count_of(Counts& counts, Health health) {
  return counts.at(static_cast<std::size_t>(health));
}

bool is_ip_address(const std::string& text) {
  in6_addr room{};
  return inet_pton(AF_INET, text.c_str(), &room) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &room) == 1;
}

Result<doctor::Question> read_question(const DoctorOptions& options) {
  doctor::Question out;
  const auto age = parse_duration(options.backup_age);
  if (!age) return pass(age);
  out.limits.backup_age = *age;
  out.limits.least_free = static_cast<std::uint64_t>(options.least_free_mib) << 20;
  for (const std::string& text : options.resolve) {
    const std::size_t equals = text.find('=');
    const auto host = protocol::parse_host_port(text.substr(0, equals));
    const std::string address = equals == text.npos ? "" : text.substr(equals + 1);
    if (!host || host->port || !is_ip_address(address)) {
      return fail(io::CliError::kUsage,
                  fmt::format("'{}' is not HOST=ADDRESS, such as api.example.com=192.0.2.1", text));
    }
    out.addresses[host->host] = address;
  }
  return out;
}

std::vector<Judged> judge(const Facts& facts) {
  std::vector<Judged> out;
  for (const Check& check : doctor::checks()) out.push_back({&check, check.judge(facts)});
  return out;
}

Counts count(const std::vector<Judged>& all) {
  Counts out{};
  for (const Judged& one : all) {
    for (const Finding& finding : one.findings) ++count_of(out, finding.health);
  }
  return out;
}

Health worst(Counts counts) {
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
          io::one_line(fmt::format("{:<4}  {:<{}}  {}", doctor::to_string(finding.health),
                                   one.check->id, kIdWidth, about + finding.message)));
      if (finding.advice.empty()) continue;
      session.console().print(
          fmt::format("{:{}}-> {}", "", kIdWidth + 8, io::one_line(finding.advice)));
    }
  }
  for (const auto& [why, ids] : skipped_ids) {
    session.console().print(io::one_line(fmt::format("skip  {}: {}", ids, why)));
  }
  Counts counts = count(all);
  std::string line =
      fmt::format("{} checks: {} ok, {} warn, {} fail", all.size(), count_of(counts, Health::kOk),
                  count_of(counts, Health::kWarn), count_of(counts, Health::kFail));
  const std::size_t skipped = count_of(counts, Health::kSkip);
  if (skipped > 0) line += fmt::format(", {} skipped", skipped);
  session.console().print(line);
}

Json as_json(const std::vector<Judged>& all, const Facts& facts, const std::string& profile) {
  Json checks = Json::array();
  for (const Judged& one : all) {
    for (const Finding& finding : one.findings) {
      checks.push_back({{"id", one.check->id},
                        {"status", doctor::to_string(finding.health)},
                        {"subject", finding.subject.empty() ? Json() : Json(finding.subject)},
                        {"message", finding.message},
                        {"advice", finding.advice.empty() ? Json() : Json(finding.advice)}});
    }
  }
  Counts counts = count(all);
  Json summary = Json::object();
  for (const Health health : {Health::kOk, Health::kSkip, Health::kWarn, Health::kFail}) {
    summary[std::string(doctor::to_string(health))] = count_of(counts, health);
  }
  return {{"status", doctor::to_string(worst(counts))},
          {"service", facts.url},
          {"profile", profile},
          {"time", to_unix(facts.now)},
          {"command_version", facts.version},
          {"service_version", facts.status ? Json(facts.status->version) : Json()},
          {"counts", std::move(summary)},
          {"checks", std::move(checks)}};
}

Outcome run_doctor(const DoctorOptions& options, Session& session) {
  const auto question = read_question(options);
  if (!question) return pass(question);
  const auto facts = doctor::gather(*question, session);
  if (!facts) return pass(facts);
  const std::vector<Judged> all = judge(*facts);
  if (session.json()) {
    print_json(session, as_json(all, *facts, session.profile()));
  } else {
    print_text(all, session);
  }
  const Health health = worst(count(all));
  const bool is_bad = health == Health::kFail || (options.strict && health == Health::kWarn);
  return is_bad ? io::kExitNo : io::kExitOk;
}

}  // namespace

void add_doctor_command(line::Command& app, Dispatcher& dispatcher) {
  auto options = std::make_shared<DoctorOptions>();
  line::Command* command =
      app.add_subcommand("doctor", "Look whether all is well with the service, and say what to do");
  command->add_flag("--strict", options->strict, "Exit with 1 for warnings, too");
  command
      ->add_option("--backup-age", options->backup_age,
                   "How old the last backup may be before it is warned of")
      ->type_name("DURATION")
      ->show_default();
  command
      ->add_option("--least-free", options->least_free_mib,
                   "How much room the disk of the data folder should have, in MiB")
      ->range(1, 1 << 30)
      ->type_name("MIB")
      ->show_default();
  command
      ->add_option("--resolve", options->resolve,
                   "Look at this host's server (a public URL, an API) at this IP address; "
                   "repeatable")
      ->type_name("HOST=ADDRESS")
      ->one_value_each();
  std::string list =
      "Needs the token of an admin or an auditor. Each line is ok, warn (it works, and should "
      "hardly\nbe left so), fail (it is broken, or open to whoever tries) or skip (the service did "
      "not tell).\nExit status: 0 where nothing fails, else 1; with --strict 1 for a warning, "
      "too.\n\nChecks:\n";
  for (const Check& check : doctor::checks()) {
    list += fmt::format("  {:<22} {}\n", check.id, check.asks);
  }
  command->footer(list +
                  "\nExamples:\n"
                  "  touchmark doctor\n"
                  "  touchmark doctor --strict --json   for a job that runs each day");
  dispatcher.on(command, [options](Session& s) { return run_doctor(*options, s); });
}

}  // namespace touchmark::cli::commands
