#include "cli/serve/config_command.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/io/console.h"
#include "cli/io/text.h"
#include "cli/serve/example_file.h"
#include "cli/serve/identity.h"

namespace touchmark::cli::serve {
namespace {

// What the values name: files that are there and hold what they should.
void check_files(const Configuration& configuration, std::vector<OptionProblem>& out) {
  const ServeOptions& options = configuration.options;
  const auto add = [&](const char* option, const Error& error) {
    std::string message = error.message();
    // Messages of these files' readers may name the option already.
    const std::string flag = std::string("--") + option + ": ";
    if (message.starts_with(flag)) message.erase(0, flag.size());
    out.push_back({OptionError::kBadFile,
                   place_of(*find_option(option), configuration.origin_of(option)), message, ""});
  };
  const auto look = [&](const char* option, const std::string& path) {
    if (path.empty()) return;
    if (auto bytes = read_file(path, kMaxPem); !bytes) add(option, bytes.error());
  };
  if (!options.certificate.empty()) {
    if (auto identity = given_identity(options); !identity) add("cert", identity.error());
  }
  HardwareOptions roots;
  roots.more_roots = options.hardware.more_roots;
  if (auto read = read_hardware_settings(roots); !read) add("hardware-roots", read.error());
  HardwareOptions play;
  play.play_integrity_keys = options.hardware.play_integrity_keys;
  if (auto read = read_hardware_settings(play); !read) add("play-integrity-keys", read.error());
  look("revocation-ca", options.hardware.revocation_ca);
  // A master key that is not there yet is made on the first start; a credential never is.
  if (configuration.origin_of("master-key").kind == Origin::Kind::kCredential) {
    look("master-key", options.master_key);
  }
}

// What keeps apps from the service, though it would start.
std::vector<std::string> all_warnings(const Configuration& configuration) {
  auto out = configuration.warnings;
  if (!configuration.problems.empty()) return out;
  if (configuration.options.public_urls.empty()) {
    out.emplace_back(
        "no public_url is set, so apps would be told a guess; `touchmark sdk config` refuses until "
        "one is");
  }
  const auto plan = make_plan(configuration.options);
  if (!plan) return out;
  for (std::string& problem : verifier::state::public_url_problems(plan->service)) {
    out.push_back(std::move(problem));
  }
  return out;
}

std::vector<OptionProblem> all_problems(const Configuration& configuration) {
  auto out = configuration.problems;
  if (!out.empty()) return out;
  check_files(configuration, out);
  if (auto plan = make_plan(configuration.options); !plan) {
    out.push_back({OptionError::kBadValue, "configuration", plan.error().message(), ""});
  }
  return out;
}

Json to_json(const OptionProblem& problem) {
  return {{"id", error_id(problem.code)},
          {"where", problem.where},
          {"message", problem.message},
          {"suggestion", problem.suggestion.empty() ? Json() : Json(problem.suggestion)}};
}

Json to_json(const std::vector<OptionProblem>& problems) {
  Json out = Json::array();
  for (const OptionProblem& problem : problems) out.push_back(to_json(problem));
  return out;
}

Json file_json(const Configuration& configuration) {
  return configuration.file ? Json(configuration.file->string()) : Json();
}

const char* kind_text(Origin::Kind kind) {
  switch (kind) {
    case Origin::Kind::kFile:
      return "file";
    case Origin::Kind::kEnvironment:
      return "environment";
    case Origin::Kind::kFlag:
      return "flag";
    case Origin::Kind::kCredential:
      return "credential";
    case Origin::Kind::kDefault:
      break;
  }
  return "default";
}

Json value_json(const OptionRow& row, const std::vector<std::string>& values) {
  if (is_list(row)) return values;
  if (values.empty()) return nullptr;
  if (is_flag(row)) return values.front() == "true";
  if (is_number(row)) return parse_count(values.front()).value_or(0);
  return values.front();
}

Json origin_json(const OptionRow& row, const Origin& origin) {
  Json out{{"kind", kind_text(origin.kind)}};
  if (origin.kind == Origin::Kind::kFlag) out["name"] = flag_name(row);
  if (origin.kind == Origin::Kind::kEnvironment) out["name"] = variable_name(row);
  if (origin.kind == Origin::Kind::kFile) {
    out["file"] = origin.file;
    out["line"] = origin.line;
    out["column"] = origin.column;
  }
  return out;
}

void note_problems(const std::vector<OptionProblem>& problems, io::Console& console) {
  constexpr const char* kHelp = "`touchmark serve --help` says what each option may be";
  if (problems.size() == 1) {
    const char* hint = problems.front().code == OptionError::kBadFile
                           ? "check that the file is there, may be read, and holds what it should"
                           : kHelp;
    return console.note("touchmark: " + io::one_line(to_string(problems.front())) + "; " + hint);
  }
  for (const OptionProblem& problem : problems) {
    console.note("touchmark: " + io::one_line(to_string(problem)));
  }
  console.note("touchmark: " + std::to_string(problems.size()) + " mistakes; " + kHelp);
}

void note_warnings(const std::vector<std::string>& warnings, io::Console& console) {
  for (const std::string& warning : warnings) {
    console.note("touchmark: warning: " + io::one_line(warning));
  }
}

// A full disk behind standard output is said as everywhere.
io::ExitCode finish(io::Console& console, io::ExitCode exit_code) {
  if (auto flushed = console.flush(); !flushed) {
    console.note("touchmark: " + flushed.error().message());
    return io::kExitNoSpace;
  }
  return exit_code;
}

}  // namespace

void print_problems(const Configuration& configuration) {
  const auto console = io::standard_console();
  note_problems(configuration.problems, *console);
}

io::ExitCode print_example() {
  const auto console = io::standard_console();
  std::string text = example_file();
  text.pop_back();  // the line's end, which the console writes
  console->print(text);
  return finish(*console, io::kExitOk);
}

io::ExitCode check_configuration(const Configuration& configuration, bool as_json) {
  const auto console = io::standard_console();
  const auto problems = all_problems(configuration);
  const auto warnings = all_warnings(configuration);
  const io::ExitCode exit_code = problems.empty() ? io::kExitOk : io::kExitUsage;
  if (as_json) {
    console->print(io::json_line({{"valid", problems.empty()},
                                  {"file", file_json(configuration)},
                                  {"problems", to_json(problems)},
                                  {"warnings", warnings}}));
    return finish(*console, exit_code);
  }
  note_warnings(warnings, *console);
  if (!problems.empty()) {
    note_problems(problems, *console);
    return exit_code;
  }
  console->print(configuration.file ? configuration.file->string() + " is valid"
                                    : "the options are valid; there is no configuration file");
  return finish(*console, exit_code);
}

io::ExitCode show_configuration(const Configuration& configuration, bool as_json) {
  const auto console = io::standard_console();
  const io::ExitCode exit_code = configuration.problems.empty() ? io::kExitOk : io::kExitUsage;
  Json options = Json::object();
  std::vector<std::vector<std::string>> rows{{"OPTION", "VALUE", "FROM"}};
  for (const OptionRow& row : option_table()) {
    if (row.use == Use::kOneStart) continue;
    const Origin& origin = configuration.origin_of(row.name);
    const auto values = values_in_force(row, configuration);
    options[key_name(row)] = {{"value", value_json(row, values)},
                              {"from", origin_json(row, origin)}};
    // Where no value counts, what is done instead.
    const std::string text = !values.empty() ? join(values)
                             : origin.kind == Origin::Kind::kDefault
                                 ? std::string("(") + row.without + ")"
                                 : "(nothing)";
    rows.push_back({key_name(row), text, origin_text(row, origin)});
  }
  if (as_json) {
    console->print(io::json_line({{"file", file_json(configuration)},
                                  {"options", options},
                                  {"problems", to_json(configuration.problems)},
                                  {"warnings", configuration.warnings}}));
  } else {
    console->print(io::table(rows));
    note_warnings(configuration.warnings, *console);
    if (!configuration.problems.empty()) note_problems(configuration.problems, *console);
  }
  return finish(*console, exit_code);
}

}  // namespace touchmark::cli::serve
