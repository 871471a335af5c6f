#include "cli/serve/serve.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/io/exit_code.h"
#include "cli/io/text.h"
#include "cli/serve/backup.h"
#include "cli/serve/config_command.h"
#include "cli/serve/credentials.h"
#include "cli/serve/data_folder.h"
#include "cli/serve/descriptor_limit.h"
#include "cli/serve/identity.h"
#include "cli/serve/kept_keys.h"
#include "cli/serve/option_sources.h"
#include "cli/serve/reset_operator.h"
#include "cli/serve/service_manager.h"
#include "cli/serve/surroundings.h"
#include "pki/server_certificate.h"
#include "verifier/http/awaitable.h"
#include "verifier/http/server.h"
#include "verifier/http/tls.h"
#include "verifier/routes/router.h"
#include "verifier/sdk/held_versions.h"

namespace touchmark::cli::serve {
namespace {

namespace asio = boost::asio;

// After SIGTERM: how long work on packages goes on, and how long what does not heed its end may
// still take once the server has ended.
constexpr std::chrono::seconds kPackageGrace{5};
constexpr std::chrono::seconds kWorkGrace{2};
// FileDescriptorName= of the socket that operators come in by; any other is for apps.
constexpr std::string_view kAdminSocket = "admins";

enum class ReloadError {
  kKeyNotPinned,  // apps would refuse the service with that certificate
};
std::string_view error_id(ReloadError error) {
  using enum ReloadError;
  static constexpr auto kIds = error_table<ReloadError>({
      {kKeyNotPinned, "reload.key-not-pinned"},
  });
  return kIds[error];
}

struct Failure {
  io::ExitCode exit_code = io::kExitService;
  const char* hint = "";
};

template <class... Code>
bool is_any(const Error& error, Code... codes) {
  return (error.is(codes) || ...);
}

// What a failed start means for scripts, and what to do about it.
Failure explain(const Error& error) {
  if (error.is(verifier::http::ServerError::kAddressInUse)) {
    return {io::kExitAddressInUse,
            "stop it, or choose another address with --listen (port 0: any free)"};
  }
  if (error.is(ServiceManagerError::kBadSocket)) {
    return {io::kExitUsage, "correct the unit of the socket, or stop it and start without one"};
  }
  if (error.is(DescriptorError::kTooFew)) {
    return {io::kExitUsage,
            "raise the limit (ulimit -n, LimitNOFILE= of systemd) or lower --max-connections"};
  }
  if (is_any(error, verifier::http::ServerError::kBadAddress,
             verifier::http::ServerError::kNotAllowed, verifier::http::ServerError::kListen)) {
    return {io::kExitUsage, "choose another address with --listen ADDR:PORT"};
  }
  if (is_any(error, OptionError::kBadValue, OptionError::kConflicting,
             verifier::state::SettingsError::kBadSettings, HardwareOptionError::kBadRoots,
             HardwareOptionError::kBadPlayKeys, HardwareOptionError::kBadAppId,
             HardwareOptionError::kBadMaxAge, HardwareOptionError::kNoRevocation)) {
    return {io::kExitUsage, "see touchmark serve --help"};
  }
  if (is_any(error, FileError::kNoSpace, verifier::store::StoreError::kNoSpace)) {
    return {io::kExitNoSpace, "make room on the disk and start again; nothing was lost"};
  }
  if (is_any(error, DataFolderError::kInUse, verifier::store::StoreError::kBusy)) {
    return {io::kExitStore, "stop the other one, or choose another folder with --data"};
  }
  if (error.is(CredentialsError::kFileExists)) {
    return {io::kExitUsage,
            "take what you need out of it and remove it, or choose another --credentials-file"};
  }
  if (error.is(DataFolderError::kNotTouchmarks)) {
    return {io::kExitStore, "choose an empty folder, or one that is not there yet, with --data"};
  }
  if (error.is(DataFolderError::kNotPrivate)) {
    return {io::kExitStore,
            "give it to the user that the service runs as, or choose another folder with --data"};
  }
  if (error.is(verifier::store::StoreError::kPermission)) {
    return {io::kExitStore,
            "give this user the data folder and the files in it (chown, chmod u+rw), and see "
            "whether its disk is mounted read-only"};
  }
  if (error.is(DataFolderError::kNoDatabase)) {
    return {io::kExitStore, "name the folder that `touchmark serve` used with --data"};
  }
  if (is_any(error, verifier::state::OperatorError::kBadName,
             verifier::state::OperatorError::kExists)) {
    return {io::kExitUsage, "see touchmark serve reset-operator --help"};
  }
  if (error.is(DataFolderError::kUnusable)) {
    return {io::kExitStore, "choose a folder that this user can write with --data"};
  }
  if (error.is(DataFolderError::kBadKeyFile)) {
    return {io::kExitStore,
            "restore the file from a backup; apps in the field pin this key, so a new one would "
            "lock them out"};
  }
  if (is_any(error, KeptKeysError::kKeyMissing, KeptKeysError::kOtherKey,
             KeptKeysError::kDatabaseMissing)) {
    return {io::kExitStore, "no key was made or changed"};
  }
  if (is_any(error, DataFolderError::kMasterKeyMissing, DataFolderError::kMasterKeyBad,
             crypto::CryptoError::kSealBroken)) {
    return {io::kExitStore,
            "restore the master key file of this data folder, or name it with --master-key; if it "
            "is lost for good, so is the account: begin in another folder, and release every app "
            "again"};
  }
  if (error.is(verifier::store::StoreError::kTooNew)) {
    return {io::kExitStore, "start the Touchmark version that wrote it, or a newer one"};
  }
  if (is_any(error, verifier::store::StoreError::kCorrupt, verifier::store::StoreError::kOpen,
             verifier::store::StoreError::kIo, verifier::store::StoreError::kDuplicate,
             verifier::store::StoreError::kNotFound)) {
    return {io::kExitStore, "restore the data folder from a backup, or choose another with --data"};
  }
  if (is_any(error, FileError::kNotFound, FileError::kPermission, FileError::kTooLarge,
             FileError::kIo, verifier::http::LogError::kOpen)) {
    return {io::kExitUsage, "check that the file is there and that this user may use it"};
  }
  if (is_any(error, pki::ServerCertificateError::kMalformed, pki::ServerCertificateError::kBadKey,
             pki::ServerCertificateError::kKeyMismatch, pki::ServerCertificateError::kBadHost,
             verifier::http::TlsError::kBadIdentity, crypto::CryptoError::kBadKey)) {
    return {io::kExitUsage, "give a matching pair of PEM files with --cert and --key"};
  }
  return {io::kExitService, "the log may say more"};
}

std::string mode_text(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

int report(const Error& error, bool as_json = false) {
  const Failure failure = explain(error);
  if (as_json) {
    const Json json{
        {"error", {{"id", error.id()}, {"message", error.message()}, {"hint", failure.hint}}},
        {"exit_code", static_cast<int>(failure.exit_code)}};
    std::fprintf(stderr, "%s\n", io::json_line(json).c_str());
    return failure.exit_code;
  }
  std::fprintf(stderr, "touchmark: %s; %s\n", error.message().c_str(), failure.hint);
  return failure.exit_code;
}

// What is wrong with the database, and where it is.
tl::unexpected<Error> in_database(const DataFolder& folder, const Error& error) {
  const std::string path = folder.database().string();
  const bool named =
      error.message().starts_with(path) || error.is(verifier::state::SettingsError::kBadSettings);
  return tl::unexpected<Error>(named ? error : error.reworded(path + ": " + error.message()));
}

// Certificate and key, and what is made of them.
struct LoadedIdentity {
  verifier::http::TlsIdentity identity;
  pki::CertificateFacts facts;
  asio::ssl::context context;
  std::string pin() const { return base64_encode(facts.spki_sha256); }
};

// Everything that runs, in the order in which it is made. It is destroyed in the reverse order.
class Process {
 public:
  Process(const Configuration& configuration, ServePlan plan)
      : configuration_(configuration),
        options_(configuration.options),
        plan_(std::move(plan)),
        io_(static_cast<int>(plan_.threads)) {}

  Result<void> start();
  // Until SIGTERM or SIGINT.
  void run();

 private:
  Result<void> open_store(const DataFolder& folder);
  Result<void> open_identity(const DataFolder& folder);
  KeyUse key_use() const;
  // What a backup holds beside the database. From any thread.
  Result<std::vector<verifier::store::BackupPart>> backup_parts() const;
  void set_served(verifier::http::TlsIdentity identity);
  Result<void> open_ports();
  // From their files, as they are now.
  Result<LoadedIdentity> load_identity(const DataFolder& folder,
                                       const verifier::state::KnownKeys& known);
  // Of the service's own key, its backup, and those that the operator has announced.
  std::vector<std::string> service_pins(const std::string& own, const std::string& backup) const;
  // SIGHUP: the certificate and the log file as they are now. What cannot be read stays as it was.
  asio::awaitable<void> watch_for_reload();
  void reload();
  Result<void> reload_identity() EXCLUDES(identity_mutex_);
  // Tells apps of its key and those beside it, and shows it to new connections.
  Result<void> serve_identity(LoadedIdentity loaded) REQUIRES(identity_mutex_);
  // Serves with the next key, whose pin apps know.
  Result<void> promote_key(const std::string& pin) EXCLUDES(identity_mutex_);
  Result<void> open_hardware(const DataFolder& folder);
  Result<void> open_service(const DataFolder& folder);
  void keep_sdk(const DataFolder& folder);
  Result<void> show_credentials();
  verifier::state::Surroundings surroundings() const;
  // Waits for the work at hand; leaves without it, and without coming back, when that does not end.
  void end_work();
  void start_server(const DataFolder& folder);
  // Which file options come from, and which variables do nothing.
  void tell_configuration();
  // Where the service listens, and what apps are told of it.
  void tell_addresses();
  // Once, when the data folder is no longer where it was. On a worker, one at a time.
  void tell_when_moved();
  std::string default_url(std::uint16_t port) const;
  std::string operator_url() const;
  // The key that an operator's connection meets.
  const std::string& operator_pin() const { return plan_.service.service_pins.front(); }

  const Configuration& configuration_;
  const ServeOptions& options_;
  ServePlan plan_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<verifier::http::Log> log_;
  std::optional<DataFolder> folder_;
  std::optional<verifier::http::ServedTls> tls_;
  Mutex identity_mutex_;  // of a change of the key
  mutable Mutex served_mutex_;
  verifier::http::TlsIdentity served_ GUARDED_BY(served_mutex_);  // for backups
  std::unique_ptr<net::HttpClient> http_client_;
  std::optional<verifier::state::RevocationSource> revocation_;
  Bytes master_key_;
  std::unique_ptr<verifier::store::Store> store_;
  verifier::state::KnownKeys known_before_;  // of the last start
  verifier::state::KnownKeys known_keys_;
  std::unique_ptr<verifier::Verifier> verifier_;
  std::unique_ptr<verifier::routes::Router> router_;
  asio::io_context io_;
  asio::signal_set signals_{io_};
  asio::signal_set reload_signals_{io_};
  std::vector<asio::ip::tcp::acceptor> acceptors_;
  std::optional<asio::ip::tcp::acceptor> admin_acceptor_;
  std::size_t max_connections_ = 0;
  bool told_moved_ = false;
  verifier::http::Workers workers_;
  std::optional<verifier::http::Server> server_;
};

std::string Process::default_url(std::uint16_t port) const {
  const std::string host = options_.hosts.empty() ? "localhost" : options_.hosts.front();
  const bool is_v6 = host.find(':') != std::string::npos;
  return "https://" + (is_v6 ? "[" + host + "]" : host) +
         (port == 443 ? "" : ":" + std::to_string(port));
}

std::string Process::operator_url() const {
  if (!plan_.admin_listen) return plan_.service.public_urls.front();
  return default_url(plan_.admin_listen->port);
}

Result<void> Process::start() {
  // Whatever this process writes is nobody else's to read.
  ::umask(0077);
  // A reader of the log that went away must not take the service with it.
  std::signal(SIGPIPE, SIG_IGN);
  auto log = verifier::http::Log::open(options_.log_file, plan_.log_format, plan_.log_level);
  if (!log) return pass(log);
  log_ = std::move(*log);
  tell_configuration();
  if (auto ok = open_ports(); !ok) return ok;
  auto folder = DataFolder::open(plan_.data, FolderUser::kOwner);
  if (!folder) return pass(folder);
  folder_.emplace(std::move(*folder));
  if (const auto before = folder_->mode_before()) {
    log_->warning(
        "data.made_private",
        {{"data", folder_->path().string()},
         {"mode_before", mode_text(*before)},
         {"warning", "others could enter the folder with the keys; it has mode 0700 now"}});
  }
  plan_.service.storage_check = [this] { return folder_->still_there(); };
  plan_.service.surroundings = [this] { return surroundings(); };
  if (auto ok = open_store(*folder_); !ok) return ok;
  if (auto ok = open_identity(*folder_); !ok) return ok;
  if (auto ok = open_service(*folder_); !ok) return ok;
  if (auto ok = show_credentials(); !ok) return ok;
  keep_sdk(*folder_);
  start_server(*folder_);
  return {};
}

void Process::tell_configuration() {
  if (configuration_.file) log_->info("config", {{"file", configuration_.file->string()}});
  for (const std::string& warning : configuration_.warnings) {
    log_->warning("config.variable", {{"warning", warning}});
  }
}

Result<void> Process::open_ports() {
  const std::size_t admins =
      plan_.admin_listen ? verifier::http::ServerSettings{}.max_admin_connections : 0;
  auto room =
      make_room_for(options_.max_connections + admins,
                    configuration_.origin_of("max-connections").kind == Origin::Kind::kDefault);
  if (!room) return pass(room);
  max_connections_ = std::max<std::size_t>(*room, admins + 1) - admins;
  if (max_connections_ < options_.max_connections) {
    log_->warning("connections.lowered",
                  {{"max_connections", max_connections_},
                   {"wanted", options_.max_connections},
                   {"advice", "raise the limit of open files (ulimit -n, LimitNOFILE=)"}});
  }
  auto inherited = inherited_sockets();
  if (!inherited) return pass(inherited);
  // Sockets that the service manager listens on take the place of --listen and --admin-listen.
  std::vector<ListenAddress> handed;
  for (const InheritedSocket& socket : *inherited) {
    auto acceptor = verifier::http::adopt_listener(io_, socket.descriptor);
    if (!acceptor) return pass(acceptor);
    const auto endpoint = acceptor->local_endpoint();
    const ListenAddress where{endpoint.address().to_string(), endpoint.port()};
    if (socket.name == kAdminSocket) {
      plan_.admin_listen = where;
      admin_acceptor_.emplace(std::move(*acceptor));
    } else {
      handed.push_back(where);
      acceptors_.push_back(std::move(*acceptor));
    }
  }
  const auto open = [this](ListenAddress& where) -> Result<asio::ip::tcp::acceptor> {
    auto acceptor = verifier::http::listen_on(io_, where.address, where.port);
    if (acceptor) where.port = acceptor->local_endpoint().port();
    return acceptor;
  };
  if (!handed.empty()) plan_.listen = std::move(handed);
  for (std::size_t i = acceptors_.size(); i < plan_.listen.size(); ++i) {
    auto acceptor = open(plan_.listen[i]);
    if (!acceptor) return pass(acceptor);
    acceptors_.push_back(std::move(*acceptor));
  }
  if (plan_.service.public_urls.empty()) {
    plan_.service.public_urls.push_back(default_url(plan_.listen.front().port));
    plan_.service.public_url_was_said = false;
  }
  if (!plan_.admin_listen || admin_acceptor_) return {};
  auto admin_acceptor = open(*plan_.admin_listen);
  if (!admin_acceptor) return pass(admin_acceptor);
  admin_acceptor_.emplace(std::move(*admin_acceptor));
  return {};
}

Result<LoadedIdentity> Process::load_identity(const DataFolder& folder,
                                              const verifier::state::KnownKeys& known) {
  // A key's file that went away is not made again.
  if (auto ok = check_key_files(folder, known, key_use()); !ok) return pass(ok);
  auto identity = options_.certificate.empty()
                      ? folder.development_identity(plan_.certificate_hosts, clock_.now(), random_)
                      : given_identity(options_);
  if (!identity) return pass(identity);
  auto facts = pki::read_certificate(identity->certificate_pem);
  if (!facts) return pass(facts);
  auto context = verifier::http::make_tls_context(*identity);
  if (!context) return pass(context);
  return LoadedIdentity{std::move(*identity), *facts, std::move(*context)};
}

KeyUse Process::key_use() const {
  return {!options_.certificate.empty(), plan_.service.tls_terminated_by_proxy,
          options_.service_pins, options_.give_up_pins};
}

void Process::set_served(verifier::http::TlsIdentity identity) {
  const MutexLock lock(served_mutex_);
  served_ = std::move(identity);
}

Result<std::vector<verifier::store::BackupPart>> Process::backup_parts() const {
  std::optional<verifier::http::TlsIdentity> given;
  if (!options_.certificate.empty()) {
    const MutexLock lock(served_mutex_);
    given = served_;
  }
  return key_parts(*folder_, given);
}

Result<void> Process::open_store(const DataFolder& folder) {
  if (auto ok = check_database_is_there(folder); !ok) return ok;
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  auto master_key =
      folder.master_key(plan_.master_key, random_, credentials == nullptr ? "" : credentials);
  if (!master_key) return pass(master_key);
  master_key_ = std::move(*master_key);
  auto store = verifier::store::open_sqlite(folder.database().string());
  if (!store) return in_database(folder, store.error());
  store_ = std::move(*store);
  auto known = verifier::state::read_known_keys(*store_);
  if (!known) return in_database(folder, known.error());
  known_before_ = std::move(*known);
  return {};
}

Result<void> Process::open_identity(const DataFolder& folder) {
  auto loaded = load_identity(folder, known_before_);
  if (!loaded) return pass(loaded);
  const std::string own = loaded->pin();
  tls_.emplace(std::move(loaded->context));
  verifier::state::ServiceSettings& service = plan_.service;
  set_served(std::move(loaded->identity));
  service.backup = {folder.uploads(), [this] { return backup_parts(); }};
  if (options_.certificate.empty() && !service.tls_terminated_by_proxy) {
    service.keys.make_next = [this] { return folder_->next_key(); };
  }
  service.keys.promote = [this](const std::string& pin) { return promote_key(pin); };
  service.tls_spki_sha256 = loaded->facts.spki_sha256;
  std::string backup;
  if (!service.tls_terminated_by_proxy) {
    auto pin = folder.backup_pin();
    if (!pin) return pass(pin);
    backup = std::move(*pin);
  }
  auto keys = check_keys(known_before_, key_use(), own, backup, *store_);
  if (!keys) return pass(keys);
  known_keys_ = std::move(*keys);
  if (service.tls_terminated_by_proxy) return {};  // the pins are the proxy's
  if (own == backup) {
    log_->warning("tls.no_backup",
                  {{"pin", own},
                   {"warning",
                    "the service serves with its backup key, so there is none in reserve: put "
                    "another key in its place"}});
  }
  service.service_pins = service_pins(own, backup);
  return {};
}

std::vector<std::string> Process::service_pins(const std::string& own,
                                               const std::string& backup) const {
  std::vector<std::string> pins;
  const auto add = [&](const std::string& pin) {
    if (std::ranges::find(pins, pin) == pins.end()) pins.push_back(pin);
  };
  add(own);
  add(backup);
  for (const std::string& pin : options_.service_pins) add(pin);
  return pins;
}

Result<void> Process::open_hardware(const DataFolder& folder) {
  auto hardware = read_hardware_settings(options_.hardware);
  if (!hardware) return pass(hardware);
  if (hardware->more_roots) {
    log_->warning("hardware.extra_roots",
                  {{"count", hardware->more_roots->all().size()},
                   {"warning",
                    "whoever holds one of these roots can make evidence of any phone: "
                    "for the lab only"}});
  }
  auto settings = revocation_settings(options_.hardware, folder.path() / "revocation.cache");
  if (!settings) return pass(settings);
  if (*settings) {
    const bool is_file = (*settings)->cache.empty();
    (*settings)->on_refresh = [this](const Result<void>& done) {
      if (!done) log_->warning("revocation.refresh_failed", {{"error", done.error().text()}});
    };
    http_client_ = net::curl_http_client({.ca_file = options_.hardware.revocation_ca});
    revocation_.emplace(**settings, *http_client_, clock_);
    // A file that is there counts for the first request. One that is not is waited for, as a server
    // is: it warns in the log and in the status, and stops nobody.
    if (is_file) static_cast<void>(revocation_->refresh());
    revocation_->start();
    hardware->revocation = [this] { return revocation_->current(); };
    plan_.service.revocation_status = [this] { return revocation_->status(); };
  } else {
    log_->warning("revocation.off",
                  {{"warning", "keys that leaked out of phones and were revoked pass"}});
  }
  plan_.service.hardware = std::move(*hardware);
  return {};
}

Result<void> Process::open_service(const DataFolder& folder) {
  if (auto ok = open_hardware(folder); !ok) return ok;
  auto verifier = verifier::Verifier::open(*store_, master_key_, clock_, random_, plan_.service,
                                           options_.reset_policy);
  if (!verifier) return in_database(folder, verifier.error());
  verifier_ = std::move(*verifier);
  if (auto ok = note_keys(*store_, known_before_, known_keys_, clock_.now()); !ok) {
    return in_database(folder, ok.error());
  }
  known_keys_.announced = verifier_->api_domains().service_pins();
  for (const verifier::state::LoadNote& note : verifier_->load_notes()) {
    log_->error("store.unreadable",
                {{"what", note.what}, {"error", note.error}, {"advice", note.advice}});
  }
  const verifier::state::ServiceSettings& service = plan_.service;
  if (!service.tls_terminated_by_proxy &&
      !verifier_->api_domains().was_pinned(service.tls_spki_sha256)) {
    log_->warning(
        "tls.key_not_pinned",
        {{"pin", base64_encode(service.tls_spki_sha256)},
         {"warning",
          "apps that have the configuration of before this start do not pin the "
          "certificate's key, and refuse the service: start with the key of before, "
          "announce this one with `touchmark service key next`, and change when apps know it"}});
  }
  if (auto chain = store_->verify_audit(); !chain) {
    log_->error("audit.broken", {{"error", chain.error().text()}});
  }
  const verifier::Status status = verifier_->status();
  log_->info("policy", {{"revision", verifier_->policy().show()->revision},
                        {"valid_token_takes", status.demand.takes}});
  for (const std::string& warning : status.demand.warnings) {
    log_->warning("policy.lax", {{"warning", warning}});
  }
  return {};
}

Result<void> Process::show_credentials() {
  if (!verifier_->operators().first_start() && !options_.reset_operator_tokens) return {};
  const bool to_terminal = options_.credentials_file.empty() && ::isatty(STDOUT_FILENO) != 0;
  const std::filesystem::path file = options_.credentials_file.empty()
                                         ? folder_->operator_tokens()
                                         : std::filesystem::path(options_.credentials_file);
  if (!to_terminal) {
    // Our own file holds tokens that end now. Another is looked for before the tokens are made,
    // which cannot be shown again.
    if (options_.credentials_file.empty()) std::filesystem::remove(file);
    if (auto ok = check_new_file(file); !ok) return ok;
  }
  const bool is_reset = !verifier_->operators().first_start();
  std::vector<std::string> ended;
  auto made = is_reset
                  ? reset_credentials(verifier_->operators(), operator_url(), operator_pin(), ended)
                  : make_credentials(verifier_->operators(), operator_url(), operator_pin());
  if (!made) return pass(made);
  std::string text = data_text(folder_->path());
  if (is_reset) {
    text +=
        "--reset-operator-tokens is the older way to `touchmark serve reset-operator`. The tokens "
        "of all admins and of \"developer\" ended.\n";
  }
  if (to_terminal) {
    text += welcome_text(*made);
  } else {
    if (auto ok = write_credentials(*made, file); !ok) return ok;
    text += file_text(*made, file);
  }
  text += policy_text(verifier_->status()) + "\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  Json fields{
      {"account", verifier_->account()}, {"data", folder_->path().string()}, {"pin", made->pin}};
  if (!to_terminal) fields["operator_tokens"] = file.string();
  if (is_reset) fields["ended"] = ended;
  log_->info(is_reset ? "operators.reset" : "first_start", fields);
  return {};
}

verifier::state::Surroundings Process::surroundings() const {
  Started started{.master_key = plan_.master_key,
                  .token_files = {folder_->operator_tokens()},
                  .max_connections = max_connections_,
                  .wanted_connections = options_.max_connections};
  if (!options_.credentials_file.empty()) {
    started.token_files.emplace_back(options_.credentials_file);
  }
  return look_around(*folder_, started);
}

// An upgrade replaces the SDK that the package brought, and apps that were built with it may have
// to be built again. No reason not to start.
void Process::keep_sdk(const DataFolder& folder) {
  const auto kept = verifier::sdk::HeldVersions(plan_.sdk_dir, folder.sdks()).keep_own();
  if (kept && (kept->is_new || !kept->removed.empty())) {
    log_->info("sdk.kept", {{"version", kept->version},
                            {"folder", (folder.sdks() / kept->version).string()},
                            {"removed", kept->removed}});
  } else if (!kept && !kept.error().is(verifier::sdk::SdkError::kNotHeld)) {
    log_->warning("sdk.not_kept",
                  {{"error", kept.error().text()},
                   {"warning", "after an upgrade, apps cannot be built with this SDK again"}});
  }
}

void Process::start_server(const DataFolder& folder) {
  router_ = std::make_unique<verifier::routes::Router>(
      *verifier_, *log_,
      verifier::routes::RouteSettings{plan_.sdk_dir, folder.sdks(), options_.max_upload});
  verifier::http::ServerSettings settings;
  settings.max_connections = max_connections_;
  settings.protection.gate.at_once = plan_.threads;
  settings.protection.handshakes_at_once = plan_.threads;
  server_.emplace(io_, std::move(acceptors_.front()),
                  verifier::http::ConnectionContext{
                      *router_, *log_, workers_, *tls_, folder.uploads(),
                      verifier::http::ConnectionLimits{}, plan_.proxies, plan_.forwarded},
                  settings, [this] {
                    tell_when_moved();
                    if (auto ok = verifier_->housekeep(); !ok) {
                      log_->warning("devices.dropped", {{"error", ok.error().text()}});
                    }
                  });
  // Before anybody is told that it listens, and may tell it to end.
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  for (std::size_t i = 1; i < acceptors_.size(); ++i) {
    server_->listen_also(std::move(acceptors_[i]));
  }
  if (admin_acceptor_) server_->listen_for_admins(std::move(*admin_acceptor_));
  reload_signals_.add(SIGHUP);
  asio::co_spawn(io_, watch_for_reload(), asio::detached);
  server_->start();
  tell_addresses();
}

void Process::tell_addresses() {
  Json addresses = Json::array();
  bool is_everywhere = false;
  for (const ListenAddress& where : plan_.listen) {
    addresses.push_back(to_string(where));
    is_everywhere = is_everywhere || is_every_address(where);
  }
  Json fields{{"address", plan_.listen.front().address},
              {"port", plan_.listen.front().port},
              {"url", plan_.service.public_urls.front()},
              {"listens_on", std::move(addresses)},
              {"every_interface", is_everywhere},
              {"apps_are_told", plan_.service.public_urls},
              {"version", TOUCHMARK_VERSION}};
  if (plan_.admin_listen) {
    fields["admin_address"] = plan_.admin_listen->address;
    fields["admin_port"] = plan_.admin_listen->port;
  }
  // Before the line that scripts wait for.
  for (const std::string& problem : verifier_->public_url_problems()) {
    log_->warning("public_url.local",
                  {{"warning",
                    is_everywhere ? problem + "; the service listens on every interface" : problem},
                   {"advice",
                    "set --public-url (TOUCHMARK_PUBLIC_URL, public_url in the configuration file) "
                    "to the https URL under which phones reach this service; `touchmark sdk "
                    "config` refuses until then"}});
  }
  log_->info("listening", fields);
  tell_manager("READY=1\nSTATUS=serving " + plan_.service.public_urls.front());
}

void Process::tell_when_moved() {
  const auto found = folder_->still_there();
  if (!found && !told_moved_) log_->error("data.moved", {{"error", found.error().text()}});
  told_moved_ = !found;
}

asio::awaitable<void> Process::watch_for_reload() {
  while (true) {
    const auto [error, signal] = co_await reload_signals_.async_wait(verifier::http::kAsTuple);
    if (error) co_return;
    tell_manager_of_reload();
    try {
      // It reads files and writes the store. A signal meanwhile is heard afterwards.
      co_await workers_.general.run(std::function<bool()>([this] {
        reload();
        return true;
      }));
    } catch (const std::exception& failure) {
      log_->error("reload.failed", {{"error", failure.what()}});
    }
    tell_manager("READY=1");
  }
}

void Process::reload() {
  // The log first, so that what happens next is in the new one.
  if (auto ok = log_->reopen(); !ok) {
    log_->error("log.reopen_failed",
                {{"error", ok.error().text()}, {"advice", "the old file goes on"}});
  }
  const auto ok = reload_identity();
  if (ok) return;
  const bool is_unknown = ok.error().is(ReloadError::kKeyNotPinned);
  log_->error("tls.reload_failed",
              {{"error", ok.error().text()},
               {"advice", is_unknown ? "the old certificate goes on; announce the new key with "
                                       "`touchmark service key next`, and reload when apps know it"
                                     : "the old certificate goes on"}});
}

Result<void> Process::reload_identity() {
  const MutexLock lock(identity_mutex_);
  auto loaded = load_identity(*folder_, known_keys_);
  if (!loaded) return pass(loaded);
  return serve_identity(std::move(*loaded));
}

Result<void> Process::promote_key(const std::string& pin) {
  const MutexLock lock(identity_mutex_);
  const bool is_given = !options_.certificate.empty();
  if (!is_given) {
    if (auto ok = folder_->take_next_key(pin); !ok) return ok;
  }
  auto served = [&]() REQUIRES(identity_mutex_) -> Result<void> {
    auto loaded = load_identity(*folder_, known_keys_);
    if (!loaded) return pass(loaded);
    if (loaded->pin() != pin) {
      return fail(verifier::state::ServiceKeysError::kNotServed,
                  options_.certificate + " holds the certificate of another key, " + loaded->pin() +
                      ": put the next key's certificate there and the key to " + options_.key);
    }
    return serve_identity(std::move(*loaded));
  }();
  if (served || is_given) return served;
  if (auto ok = folder_->undo_next_key(); !ok) {
    log_->error("tls.undo_failed", {{"error", ok.error().text()}});
  }
  return served;
}

Result<void> Process::serve_identity(LoadedIdentity loaded) {
  const std::string own = loaded.pin();
  if (!plan_.service.tls_terminated_by_proxy) {
    const auto pins = verifier_->api_domains().service_pins();
    if (std::ranges::find(pins, own) == pins.end()) {
      return fail(ReloadError::kKeyNotPinned, "apps do not pin the certificate's key, " + own);
    }
    auto backup = folder_->backup_pin();
    if (!backup) return pass(backup);
    known_keys_.announced = pins;
    auto keys = check_keys(known_keys_, key_use(), own, *backup, *store_);
    if (!keys) return pass(keys);
    if (auto ok = verifier_->api_domains().set_service_pins(service_pins(own, *backup)); !ok) {
      return ok;
    }
    keys->announced = verifier_->api_domains().service_pins();
    if (auto ok = note_keys(*store_, known_keys_, *keys, clock_.now()); !ok) return ok;
    known_keys_ = std::move(*keys);
  }
  tls_->replace(std::move(loaded.context));
  set_served(std::move(loaded.identity));
  log_->info("tls.reloaded",
             {{"pin", own}, {"not_after", loaded.facts.not_after.time_since_epoch().count()}});
  return {};
}

void Process::run() {
  asio::steady_timer package_grace(io_);
  signals_.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    tell_manager("STOPPING=1");
    server_->stop();
    log_->info("stopping", {{"signal", signal}});
    package_grace.expires_after(kPackageGrace);
    package_grace.async_wait([this](const boost::system::error_code& ended) {
      if (!ended) verifier_->registry().stop();
    });
  });
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < plan_.threads; ++i)
    threads.emplace_back([this] { verifier::http::run_until_stopped(io_, *log_); });
  verifier::http::run_until_stopped(io_, *log_);
  threads.clear();
  verifier_->registry().stop();
  end_work();
  log_->info("stopped", Json::object());
}

void Process::end_work() {
  const auto deadline = std::chrono::steady_clock::now() + kWorkGrace;
  while (!workers_.idle() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (workers_.idle()) {
    workers_.join();
    return;
  }
  // All that was acknowledged is on disk, and the next start removes what is half.
  log_->warning("stop.work_dropped", Json::object());
  log_->info("stopped", Json::object());
  std::_Exit(io::kExitOk);
}

int serve(const GivenFlags& flags) {
  const Configuration configuration = read_configuration(flags, process_surroundings());
  if (!configuration.problems.empty()) {
    print_problems(configuration);
    return io::kExitUsage;
  }
  auto plan = make_plan(configuration.options);
  if (!plan) return report(plan.error());
  Process process(configuration, std::move(*plan));
  if (auto started = process.start(); !started) return report(started.error());
  process.run();
  return io::kExitOk;
}

io::ExitCode reset_operator(const GivenFlags& flags, const std::string& name, bool as_json) {
  const Configuration configuration = read_configuration(flags, process_surroundings());
  if (!configuration.problems.empty()) {
    const OptionProblem& first = configuration.problems.front();
    if (as_json) return static_cast<io::ExitCode>(report({first.code, to_string(first)}, true));
    print_problems(configuration);
    return io::kExitUsage;
  }
  const auto done =
      reset_operator(configuration.options,
                     name.empty() ? std::nullopt : std::optional<std::string>(name), as_json);
  if (!done) return static_cast<io::ExitCode>(report(done.error(), as_json));
  std::fputs(done->c_str(), stdout);
  return io::kExitOk;
}

// In the words and the form of a mistake on any other command line.
io::ExitCode no_json(const char* command, const char* why) {
  const Error error(io::CliError::kUsage, "`" + std::string(command) + "` " + why);
  std::fprintf(stderr, "%s\n", io::describe_json(error).c_str());
  return io::kExitUsage;
}

void add_config_commands(line::Command& serve, const std::shared_ptr<GivenFlags>& flags,
                         int& exit_code, const bool& as_json) {
  line::Command* config = serve.add_subcommand(
      "config", "Check the options of the service, show those in force, or print an example");
  config->require_subcommand();
  const auto add = [&](const char* name, const char* description, auto run) {
    line::Command* command = config->add_subcommand(name, description);
    command->footer(
        "It takes the options of `touchmark serve`, and reads the environment and the "
        "configuration file as that does.\n\nExample:\n  touchmark serve config " +
        std::string(name) + " --config /etc/touchmark/touchmark.toml");
    command->on_chosen([flags, &exit_code, &as_json, run] {
      exit_code = run(read_configuration(*flags, process_surroundings()), as_json);
    });
  };
  add("check", "Find all that is wrong with them, in the files that they name, too",
      check_configuration);
  add("show", "Show each option in force and where it comes from", show_configuration);
  line::Command* example = config->add_subcommand(
      "example", "Print a configuration file with every option, commented out");
  example->footer("Example:\n  touchmark serve config example > /etc/touchmark/touchmark.toml");
  example->on_chosen([&exit_code, &as_json] {
    exit_code = as_json ? no_json("touchmark serve config example",
                                  "is a TOML file, which is no JSON; leave --json out")
                        : print_example();
  });
}

}  // namespace

void add_serve_command(line::Command& app, int& exit_code, const bool& as_json) {
  auto flags = std::make_shared<GivenFlags>();
  line::Command* command = app.add_subcommand("serve", "Run the attestation service");
  add_options(*command, *flags);
  command->footer(
      "Each option but the two that reset something can stand in the environment "
      "(TOUCHMARK_PUBLIC_URL) and in a TOML file (public_url = [\"https://...\"]), too. A flag "
      "goes before the environment, and the environment before the file. `touchmark serve config "
      "show` says what is in force.\n\nExample:\n  touchmark serve --listen :8443 --public-url "
      "https://attest.example.com:8443");
  add_config_commands(*command, flags, exit_code, as_json);
  command->on_chosen([flags, &exit_code, &as_json] {
    exit_code = as_json ? no_json("touchmark serve",
                                  "writes a log, not an answer; --log-format json makes its log "
                                  "JSON")
                        : serve(*flags);
  });
  auto name = std::make_shared<std::string>();
  line::Command* reset = command->add_subcommand(
      "reset-operator", "Make a new admin token, for whoever has the data folder and lost theirs");
  reset->add_option("NAME", *name,
                    "The admin whose token is replaced (default: admin, and the tokens of all "
                    "other admins end too)");
  reset->footer(
      "Stop the service first. It takes --data, --master-key, --credentials-file and --config of "
      "`touchmark serve`, and reads the environment and the configuration file as that does.\n\n"
      "Example:\n  touchmark serve reset-operator --data /var/lib/touchmark");
  reset->on_chosen(
      [flags, name, &exit_code, &as_json] { exit_code = reset_operator(*flags, *name, as_json); });
}

}  // namespace touchmark::cli::serve
