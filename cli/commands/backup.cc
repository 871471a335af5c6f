// touchmark backup FILE, touchmark restore FILE --data FOLDER
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "base/system_failure.h"
#include "cli/commands/commands.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/serve/backup.h"
#include "cli/service/profile.h"
#include "crypto/digest.h"

namespace touchmark::cli::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBackupsPath = "/admin/v1/backups";
constexpr std::uint64_t kPiece = 4U << 20;  // as the service gives them at most
// The service says nothing while it copies its database.
constexpr int kLeastTimeout = 3600;  // seconds

struct BackupOptions {
  std::string file;
  std::string data;
  std::string master_key;
  bool force = false;
};

std::optional<fs::path> path_or_nothing(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<fs::path>(text);
}

// What the service made, as it says.
struct Offered {
  std::string id;
  std::uint64_t size = 0;
  std::string sha256;
};

// A new file that goes away again unless keep() was called.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (file_ >= 0) ::close(file_);
    ::unlink(path_.c_str());
  }
  Result<void> open() {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file_ >= 0 ? Result<void>() : failed(errno);
  }
  Result<void> add(std::string_view data) {
    while (!data.empty()) {
      const ssize_t count = ::write(file_, data.data(), data.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed(errno);
      data.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> sync() const { return ::fsync(file_) == 0 ? Result<void>() : failed(errno); }
  const fs::path& path() const { return path_; }

 private:
  Result<void> failed(int code) const { return system_failure(path_, code); }
  fs::path path_;
  int file_ = -1;
};

Result<Offered> offered(const Json& answer) {
  Offered out;
  out.id = find_string(answer, "id").value_or("");
  out.sha256 = find_string(answer, "sha256").value_or("");
  const auto size = get_int(answer, "size", 1, INT64_MAX);
  if (out.id.empty() || !size) {
    return fail(io::CliError::kBadAnswer, "the answer names no backup");
  }
  out.size = static_cast<std::uint64_t>(*size);
  return out;
}

Result<void> fetch(service::AdminClient& client, const Offered& backup, Draft& draft,
                   Session& session) {
  if (auto ok = draft.open(); !ok) return ok;
  crypto::Sha256 digest;
  for (std::uint64_t at = 0; at < backup.size;) {
    const std::uint64_t wanted = std::min(kPiece, backup.size - at);
    auto piece = client.download(fmt::format("{}/{}?offset={}&length={}", kBackupsPath,
                                             service::path_segment(backup.id), at, wanted),
                                 kPiece);
    if (!piece) return pass(piece);
    if (piece->size() != wanted) {
      return fail(io::CliError::kBadAnswer, "the service gave less of the backup than it made");
    }
    digest.update(as_bytes(*piece));
    if (auto ok = draft.add(*piece); !ok) return ok;
    at += wanted;
    session.console().progress("backing up", at, backup.size);
  }
  if (hex_encode(digest.finish()) != backup.sha256) {
    return fail(io::CliError::kBadAnswer, "the backup changed on its way");
  }
  return draft.sync();
}

std::string time_text(std::int64_t seconds) { return io::local_time(from_unix(seconds)); }

void tell(const BackupOptions& options, const Json& json, Session& session) {
  session.console().print(fmt::format("wrote {} ({}): account {}, {}", options.file,
                                      io::human_size(json["size"].get<std::uint64_t>()),
                                      io::one_line(json["account"].get<std::string>()),
                                      time_text(json["made"].get<std::int64_t>())));
  session.console().note(
      "It opens with the service's master key alone, which is not in it: keep a copy of that key "
      "in another place.");
}

Outcome back_up_service(const BackupOptions& options, Session& session) {
  if (!options.force) {
    if (auto ok = serve::check_free(options.file); !ok) return pass(ok);
  }
  auto endpoint = service::resolve_endpoint(session.environment(), session.profile());
  if (!endpoint) return pass(endpoint);
  // With the usual patience: whether the service is there.
  auto client = session.connect_to(*endpoint);
  if (auto status = client.get("/admin/v1/status"); !status) return pass(status);
  auto patient = session.connect_to(*endpoint, kLeastTimeout);
  auto answer = patient.post(kBackupsPath, Json::object());
  if (!answer) return pass(answer);
  auto backup = offered(*answer);
  if (!backup) return pass(backup);
  const std::string path = fmt::format("{}/{}", kBackupsPath, service::path_segment(backup->id));
  SystemRandom random;
  Draft draft(serve::draft_of(options.file, random));
  auto kept = fetch(client, *backup, draft, session);
  if (kept) kept = serve::keep_as(draft.path(), options.file, options.force);
  if (!kept) {
    // The first failure is the one to report.
    static_cast<void>(client.patch(path, {{"kept", false}}));
    return pass(kept);
  }
  if (auto noted = client.patch(path, {{"kept", true}}); !noted) {
    session.console().note("warning: " + options.file +
                           " is whole, but the service could not note it as its last backup: " +
                           io::one_line(noted.error().message()));
  }
  Json json = std::move(*answer);
  json.erase("id");
  json["file"] = options.file;
  if (session.json()) return print_json(session, json);
  tell(options, json, session);
  return io::kExitOk;
}

Json list_json(const verifier::store::BackupList& list) {
  Json files = Json::array();
  for (const auto& file : list.files) files.push_back(file.name);
  return {{"account", list.account},
          {"made", to_unix(list.made)},
          {"pins", list.pins},
          {"files", files}};
}

Outcome back_up_folder(const BackupOptions& options, Session& session) {
  SystemRandom random;
  SystemClock clock;
  auto made = serve::back_up_folder(options.data, path_or_nothing(options.master_key), options.file,
                                    options.force, clock, random);
  if (!made) return pass(made);
  Json json = list_json(made->list);
  json["file"] = options.file;
  json["size"] = made->size;
  if (made->lacks_given_key) {
    session.console().note(
        "warning: the service is served with --cert and --key, which are not in the data folder: "
        "keep a copy of both beside this backup, or back up while it runs");
  }
  if (session.json()) return print_json(session, json);
  tell(options, json, session);
  return io::kExitOk;
}

Outcome back_up(const BackupOptions& options, Session& session) {
  if (!options.data.empty()) return back_up_folder(options, session);
  if (!options.master_key.empty()) {
    return fail(io::CliError::kUsage, "--master-key goes with --data: a running service has it");
  }
  return back_up_service(options, session);
}

Outcome restore(const BackupOptions& options, Session& session) {
  SystemRandom random;
  SystemClock clock;
  auto restored = serve::restore_folder(options.file, options.data,
                                        path_or_nothing(options.master_key), clock, random);
  if (!restored) return pass(restored);
  Json json = list_json(restored->list);
  json["data"] = options.data;
  const fs::path data(options.data);
  std::string more;
  if (restored->master_key != data / "master.key") {
    more += " --master-key " + restored->master_key.string();
  }
  if (restored->has_given_key) {
    more += " --cert " + (data / serve::kGivenCertificate).string() + " --key " +
            (data / serve::kGivenKey).string();
  }
  json["serve"] = "touchmark serve --data " + options.data + more;
  if (session.json()) return print_json(session, json);
  session.console().print(fmt::format("restored {} from {}", options.data, options.file));
  std::vector<std::vector<std::string>> rows{{"account", restored->list.account},
                                             {"made", time_text(to_unix(restored->list.made))}};
  for (const std::string& pin : restored->list.pins) rows.push_back({"pin", io::one_line(pin)});
  session.console().print(io::table(rows));
  session.console().note(
      "Serve it with the options that it had (--listen, --public-url, …):\n  " +
      json["serve"].get<std::string>() +
      "\nIt is as it was then: what was removed since (operators, releases, forced devices) is "
      "there again, and what was added is not.");
  return io::kExitOk;
}

void add_master_key(line::Command& command, BackupOptions& options) {
  command
      .add_option("--master-key", options.master_key,
                  "File of the master key (default: master.key in the data folder)")
      ->type_name("FILE");
}

}  // namespace

void add_backup_command(line::Command& app, Dispatcher& dispatcher) {
  auto options = std::make_shared<BackupOptions>();
  line::Command* command =
      app.add_subcommand("backup", "Write all that makes the service itself into one sealed file");
  command->add_option("FILE", options->file, "Where to write it, a new file")->required();
  command
      ->add_option("--data", options->data,
                   "Back up this data folder, whose service does not run (default: ask the running "
                   "service)")
      ->type_name("FOLDER");
  add_master_key(*command, *options);
  command->add_flag("--force", options->force, "Replace FILE");
  command->footer(
      "It holds the database with the policy, the TLS keys and the backup key, and is sealed under "
      "the master\nkey, which is not in it: keep that apart. Needs an admin token.\n\n"
      "Examples:\n"
      "  touchmark backup /backup/touchmark-monday.backup\n"
      "  touchmark backup touchmark.backup --data /var/lib/touchmark");
  dispatcher.on(command, [options](Session& s) { return back_up(*options, s); });
}

void add_restore_command(line::Command& app, Dispatcher& dispatcher) {
  auto options = std::make_shared<BackupOptions>();
  line::Command* command =
      app.add_subcommand("restore", "Make a data folder of what `touchmark backup` wrote");
  command->add_option("FILE", options->file, "The backup")->required();
  command
      ->add_option("--data", options->data,
                   "Folder to make; one that is there holds nothing, or the master.key alone")
      ->type_name("FOLDER")
      ->required();
  add_master_key(*command, *options);
  command->footer(
      "All of the backup is verified before anything is in the folder.\n\n"
      "Example:\n"
      "  touchmark restore touchmark.backup --data /var/lib/touchmark --master-key master.key");
  dispatcher.on(command, [options](Session& s) { return restore(*options, s); });
}

}  // namespace touchmark::cli::commands
