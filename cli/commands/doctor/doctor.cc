// touchmark doctor: looks whether all is well, and says what to do.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/doctor/check.h"
#include "cli/commands/doctor/gather.h"
#include "cli/commands/doctor/report.h"

namespace touchmark::cli::commands {
namespace {

using doctor::Check;
using doctor::Counts;
using doctor::Facts;
using doctor::Health;
using doctor::Judged;

struct DoctorOptions {
  bool strict = false;
  std::vector<std::string> resolve;
  std::string backup_age = "7d";
  std::int64_t least_free_mib = 1024;
};

Result<doctor::Question> read_question(const DoctorOptions& options) {
  doctor::Question out;
  const auto age = parse_duration(options.backup_age);
  if (!age) return pass(age);
  out.limits.backup_age = *age;
  out.limits.least_free = static_cast<std::uint64_t>(options.least_free_mib) << 20;
  auto addresses = doctor::read_addresses(options.resolve);
  if (!addresses) return pass(addresses);
  out.addresses = *std::move(addresses);
  return out;
}

Json as_json(const std::vector<Judged>& all, const Facts& facts, const std::string& profile) {
  Json out = doctor::to_json(all);
  out["service"] = facts.url;
  out["profile"] = profile;
  out["time"] = to_unix(facts.now);
  out["command_version"] = facts.version;
  out["service_version"] = facts.status ? Json(facts.status->version) : Json();
  return out;
}

Outcome run_doctor(const DoctorOptions& options, Session& session) {
  const auto question = read_question(options);
  if (!question) return pass(question);
  const auto facts = doctor::gather(*question, session);
  if (!facts) return pass(facts);
  const std::vector<Judged> all = doctor::judge(*facts);
  if (session.json()) {
    print_json(session, as_json(all, *facts, session.profile()));
  } else {
    doctor::print_text(all, session);
  }
  const Health health = doctor::worst(doctor::count(all));
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
                   "repeatable (default: the address that its name has here)")
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
