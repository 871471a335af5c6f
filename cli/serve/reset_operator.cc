#include "cli/serve/reset_operator.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/random.h"
#include "cli/io/text.h"
#include "cli/serve/credentials.h"
#include "cli/serve/data_folder.h"
#include "verifier/appraisal/token.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/keyring.h"
#include "verifier/state/operators.h"

namespace touchmark::cli::serve {
namespace {

namespace state = verifier::state;

Result<state::ResetOperators> reset_in(const DataFolder& folder, const ServePlan& plan,
                                       const std::optional<std::string>& name) {
  SystemClock clock;
  SystemRandom random;
  auto master_key = folder.master_key(plan.master_key, random);
  if (!master_key) return pass(master_key);
  auto store = verifier::store::open_sqlite(folder.database().string());
  if (!store) return pass(store);
  auto keyring = state::Keyring::open(**store, *master_key, clock, random);
  if (!keyring) return pass(keyring);
  (*store)->seal_audit_with(keyring->audit_key);
  state::AuditedStore audited(**store, clock);
  state::Operators operators(audited, random);
  state::LoadNotes notes;
  if (auto ok = operators.load(notes); !ok) return pass(ok);
  return operators.reset(name);
}

std::string reset_text(const state::ResetOperators& reset, const std::filesystem::path& file) {
  std::string out = "\"" + reset.made.entry.name + "\" has a new admin token.";
  if (reset.ended.empty()) {
    out += " No other token ended.\n";
  } else {
    out += " The old tokens of these operators ended:";
    for (const std::string& name : reset.ended) out += " " + name;
    out += "\n";
  }
  if (file.empty()) {
    return out + "It is shown once:\n\n  " + reset.made.token +
           "\n\nStart the service again, and run `touchmark init URL`, which asks for it.\n";
  }
  return out + "It is in " + file.string() +
         ". Start the service again, run\n\n  touchmark init URL --credentials " + file.string() +
         "\n\nand remove the file.\n";
}

Json reset_json(const state::ResetOperators& reset, const std::filesystem::path& file) {
  const bool shown = file.empty();
  return {{"name", reset.made.entry.name},
          {"role", to_string(reset.made.entry.role)},
          {"token", shown ? Json(reset.made.token) : Json()},
          {"file", shown ? Json() : Json(file.string())},
          {"ended", reset.ended}};
}

}  // namespace

Result<std::string> reset_operator(const ServeOptions& options,
                                   const std::optional<std::string>& name, bool as_json) {
  auto plan = make_plan(options);
  if (!plan) return pass(plan);
  ::umask(0077);
  std::error_code error;
  if (!std::filesystem::exists(plan->data / "touchmark.db", error)) {
    return fail(DataFolderError::kNoDatabase,
                plan->data.string() +
                    " is not the data folder of a service: there is no "
                    "touchmark.db in it");
  }
  auto folder = DataFolder::open(plan->data, FolderUser::kRootForOwner);
  if (!folder) return pass(folder);
  const bool to_terminal = options.credentials_file.empty() && ::isatty(STDOUT_FILENO) != 0;
  std::filesystem::path file;
  if (!to_terminal) {
    // Our own file holds tokens of before. Another is looked for before the token is made, which
    // cannot be shown again.
    file = options.credentials_file.empty() ? folder->operator_tokens()
                                            : std::filesystem::path(options.credentials_file);
    if (options.credentials_file.empty()) std::filesystem::remove(file, error);
    if (auto ok = check_new_file(file); !ok) return pass(ok);
  }
  auto reset = reset_in(*folder, *plan, name);
  if (!reset) return pass(reset);
  if (!to_terminal) {
    if (auto ok = write_operator(reset->made, file); !ok) return pass(ok);
  }
  return as_json ? io::json_line(reset_json(*reset, file)) + "\n" : reset_text(*reset, file);
}

}  // namespace touchmark::cli::serve
