// touchmark log: the appraisals of apps, as they happen.
#include <fmt/format.h>
#include <time.h>

#include <array>
#include <atomic>
#include <csignal>

#include "cli/commands/cells.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxLogBytes = 32U << 20;
// What one look may give: a flood shows its newest, and how many were left out.
constexpr int kMaxAtOnce = 500;

std::atomic<bool> g_asked_to_stop{false};

// Ctrl-C ends the command at the end of a line; a second one ends it at once.
class StopOnSignal {
 public:
  StopOnSignal() {
    g_asked_to_stop = false;
    struct sigaction action {};
    action.sa_handler = [](int) { g_asked_to_stop = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: a pause ends
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~StopOnSignal() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  static bool asked() { return g_asked_to_stop; }

 private:
  static constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

struct LogOptions {
  bool follow = false;
  int last = 20;
};

// "Pixel 8, Android 14, strongbox", as far as it is known.
std::string device_text(const Json& row) {
  std::string out(io::trim(text_cell(row, "manufacturer") + " " + text_cell(row, "model")));
  const std::string system(
      io::trim(text_cell(row, "platform") + " " + text_cell(row, "os_version")));
  for (const std::string& part : {system, text_cell(row, "assurance")}) {
    if (!part.empty()) out += (out.empty() ? "" : ", ") + part;
  }
  return out;
}

std::vector<std::string> lines_of(const Json& row) {
  const bool passed = row.value("passed", Json()) == Json(true);
  const auto time = get_int(row, "time", 0, kMaxUnixTime);
  const std::string force = text_cell(row, "force");
  std::vector<std::string> out{fmt::format(
      "{}  {}  {}  {} ({}){}", time ? io::local_time(from_unix(*time)) : "?",
      passed ? "passed " : "REFUSED", text_cell(row, "did"),
      text_cell(row, "package").empty() ? "no package" : text_cell(row, "package"),
      device_text(row), force.empty() || force == "none" ? "" : ", forced to " + force)};
  const Json* findings = find_array(row, "findings");
  for (const Json& finding : findings != nullptr ? *findings : Json::array()) {
    const bool rejected = finding.value("rejected", Json()) == Json(true);
    const std::string detail = text_cell(finding, "detail");
    out.push_back(fmt::format("    {} {}{}", rejected ? "refused for" : "noted",
                              text_cell(finding, "id"), detail.empty() ? "" : ": " + detail));
  }
  return out;
}

// One look: prints what came after number `after`, and moves it on.
Result<void> look(service::AdminClient& client, std::int64_t& after, int limit, bool first,
                  Session& session) {
  const auto answer =
      client.get(fmt::format("/admin/v1/log?after={}&limit={}", after, limit), kMaxLogBytes);
  if (!answer) return pass(answer);
  const Json* rows = find_array(*answer, "appraisals");
  if (rows == nullptr)
    return fail(io::CliError::kBadAnswer, "the answer has no list of appraisals");
  for (const Json& row : *rows) {
    const auto number = get_int(row, "number", 0, INT64_MAX);
    if (!number) return fail(io::CliError::kBadAnswer, "an appraisal without a number");
    if (&row == &rows->front() && !first && *number > after + 1) {
      session.console().note(fmt::format("{} appraisals are left out here", *number - after - 1));
    }
    after = std::max(after, *number);
    if (session.json()) {
      print_json(session, row);
      continue;
    }
    for (const std::string& line : lines_of(row)) session.console().print(line);
  }
  return session.console().flush();
}

void pause() {
  timespec second{1, 0};
  nanosleep(&second, nullptr);
}

// Whether the service may come back: it is being restarted, or busy.
bool may_pass(const Error& error) {
  return error.is(io::CliError::kUnreachable) || error.is(io::CliError::kTimeout) ||
         error.is(io::CliError::kServiceBusy);
}

Outcome log(const LogOptions& options, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  const StopOnSignal stop;
  std::int64_t after = 0;
  if (auto ok = look(*client, after, options.last, true, session); !ok) return pass(ok);
  if (!options.follow) {
    if (after == 0 && !session.json()) session.console().note("nothing was appraised yet");
    return io::kExitOk;
  }
  bool lost = false;
  while (!StopOnSignal::asked()) {
    pause();
    if (StopOnSignal::asked()) break;
    auto ok = look(*client, after, kMaxAtOnce, after == 0, session);
    if (!ok && !may_pass(ok.error())) return pass(ok);
    if (!ok && !lost) {
      session.console().note("warning: " + io::one_line(ok.error().message()) + "; trying again");
    }
    lost = !ok;
  }
  return io::kExitOk;
}

}  // namespace

void add_log_command(line::Command& app, Dispatcher& dispatcher) {
  auto options = std::make_shared<LogOptions>();
  line::Command* command =
      app.add_subcommand("log", "Show which apps were appraised, and why some were refused");
  command->add_flag("--follow,-f", options->follow, "Go on with each as it happens, until Ctrl-C");
  command->add_option("--last", options->last, "How many of the past, 1 to 500 (default: 20)")
      ->range(1, kMaxAtOnce)
      ->type_name("N");
  command->footer(
      "Of a flood the newest are shown, and how many were left out. With --json one line each.\n\n"
      "Example:\n  touchmark log --follow");
  dispatcher.on(command, [options](Session& s) { return log(*options, s); });
}

}  // namespace touchmark::cli::commands
