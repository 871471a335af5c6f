#include "cli/serve/kept_keys.h"

#include <algorithm>

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using verifier::state::KnownKeys;

bool is_there(const fs::path& path) {
  std::error_code error;
  // One that may not be looked at is there: reading it says why it cannot be read.
  return fs::exists(path, error) || error;
}

bool is_given_up(const KeyUse& use, const std::string& pin) {
  return !pin.empty() && std::ranges::find(use.given_up, pin) != use.given_up.end();
}

std::string give_up(const std::string& pin) {
  return pin.empty() ? std::string("start with an empty data folder")
                     : "start once with --give-up-pin " + pin;
}

// What a lost key of the folder means, and the ways out, the best first.
tl::unexpected<Error> key_missing(const DataFolder& folder, const KnownKeys& known,
                                  const std::string& pin) {
  const fs::path path = folder.path() / kTlsKey;
  std::string ways;
  if (is_there(folder.path() / kBackupKey)) {
    ways = ", or copy " + (folder.path() / kBackupKey).string() +
           " to it, which apps pin as well (or the backup key from where you keep it)";
  } else if (!known.backup.empty()) {
    ways =
        ", or put the backup key (pin " + known.backup + ") in its place, which apps pin as well";
  }
  const std::string was = known.folder.empty() && known.recorded
                              ? "the service was served with --cert and --key, whose pin is " +
                                    pin + ", and " + path.string() + " is not there: a new key"
                              : path.string() + " is not there, though " +
                                    folder.database().string() + " is: apps pin its key" +
                                    (pin.empty() ? "" : " (" + pin + ")") + ", and a new one";
  return fail(KeptKeysError::kKeyMissing,
              was + " would lock every installed app out. Restore the file from a backup" + ways +
                  (known.folder.empty() && known.recorded ? ", or give --cert and --key" : "") +
                  ". If the key is lost for good, " + give_up(pin) +
                  ": a new key is made, and apps that hold no other pin are locked out until they "
                  "are released again");
}

tl::unexpected<Error> backup_missing(const DataFolder& folder, const KnownKeys& known) {
  const std::string pin_file = (folder.path() / kBackupPin).string();
  std::string ways = "Restore it from a backup";
  if (!known.backup.empty()) {
    ways += ", or, if you keep the backup key elsewhere, write its pin there again: echo '" +
            known.backup + "' > " + pin_file;
  }
  return fail(
      KeptKeysError::kKeyMissing,
      pin_file + " is not there, nor is " + kBackupKey + " beside it, though " +
          folder.database().string() + " is: apps pin the backup key" +
          (known.backup.empty() ? "" : " (" + known.backup + ")") +
          ", their second chance when the first one is lost, and a new one is none to them. " +
          ways + ". If the key is lost for good, " + give_up(known.backup) +
          ": a new backup key is made, and apps know it after their next attestation");
}

tl::unexpected<Error> other_key(const KnownKeys& known, const KeyUse& use, const std::string& shown,
                                const std::string& old) {
  const char* whose = use.is_behind_proxy ? "the proxy's key (--service-pin)"
                      : use.is_given      ? "the key of --key"
                                          : "the key in tls-key.pem";
  std::string accepted;
  for (const std::string& pin : known.announced) accepted += (accepted.empty() ? "" : ", ") + pin;
  return fail(KeptKeysError::kOtherKey,
              std::string(whose) + " has the pin " + shown +
                  ", which no installed app knows, and all would be locked out: they accept " +
                  (accepted.empty() ? old : accepted) +
                  ". Serve as before and announce the new key (`touchmark service key next`, or "
                  "--service-pin " +
                  shown + ") until apps have fetched a token. If the old key is lost for good, " +
                  give_up(old) + ": apps that hold no other pin stay locked out");
}

// An app that was never registered cannot be locked out.
Result<bool> may_change(const KeyUse& use, const std::string& old,
                        verifier::store::Reader& reader) {
  if (is_given_up(use, old)) return true;
  auto apps = verifier::state::has_apps(reader);
  if (!apps) return pass(apps);
  return !*apps;
}

}  // namespace

std::string_view error_id(KeptKeysError error) {
  using enum KeptKeysError;
  static constexpr auto kIds = error_table<KeptKeysError>({
      {kKeyMissing, "kept-keys.key-missing"},
      {kOtherKey, "kept-keys.other-key"},
      {kDatabaseMissing, "kept-keys.database-missing"},
  });
  return kIds[error];
}

Result<void> check_database_is_there(const DataFolder& folder) {
  std::error_code error;
  const auto size = fs::file_size(folder.database(), error);
  const bool has_database =
      (!error && size > 0) || (error && error != std::errc::no_such_file_or_directory);
  if (has_database) return {};
  for (const char* name : {kTlsKey, kBackupPin, kBackupKey}) {
    const fs::path path = folder.path() / name;
    if (!is_there(path)) continue;
    return fail(KeptKeysError::kDatabaseMissing,
                folder.database().string() + " is " + (error ? "not there" : "empty") +
                    ", though " + path.string() +
                    " is: a new database has another account, and refuses every installed app. "
                    "Restore the whole folder from a backup (`touchmark restore`); to begin again "
                    "with nothing, choose another folder with --data");
  }
  return {};
}

Result<void> check_key_files(const DataFolder& folder, const KnownKeys& known, const KeyUse& use) {
  if (!known.established) return {};
  // A proxy's pins say nothing of the key between it and the service.
  const bool was_unused = use.is_behind_proxy && known.recorded && known.folder.empty();
  if (!use.is_given && !was_unused && !is_there(folder.path() / kTlsKey)) {
    const std::string& pin = known.folder.empty() ? known.serving : known.folder;
    if (!is_given_up(use, pin)) return key_missing(folder, known, pin);
  }
  if (use.is_behind_proxy || is_there(folder.path() / kBackupPin) ||
      is_there(folder.path() / kBackupKey)) {
    return {};
  }
  // Behind a proxy there was none.
  if (known.recorded && known.backup.empty()) return {};
  if (is_given_up(use, known.backup)) return {};
  return backup_missing(folder, known);
}

Result<KnownKeys> check_keys(const KnownKeys& known, const KeyUse& use, const std::string& serving,
                             const std::string& backup, verifier::store::Reader& reader) {
  KnownKeys now = known;
  now.established = true;
  now.recorded = true;
  now.serving = use.is_behind_proxy ? "" : serving;  // the proxy has the key that apps meet
  if (!use.is_given) now.folder = serving;
  if (!use.is_behind_proxy) now.backup = backup;
  if (!known.established) return now;
  const std::vector<std::string> shown =
      use.is_behind_proxy ? use.proxy_pins : std::vector<std::string>{serving};
  const bool is_known = std::ranges::any_of(shown, [&](const std::string& pin) {
    return known.is_announced(pin) || (pin == known.serving && !pin.empty());
  });
  const std::string old =
      known.serving.empty() && !known.announced.empty() ? known.announced.front() : known.serving;
  if (!is_known && !old.empty()) {
    auto allowed = may_change(use, old, reader);
    if (!allowed) return pass(allowed);
    if (!*allowed) return other_key(known, use, shown.empty() ? serving : shown.front(), old);
  }
  if (use.is_behind_proxy) return now;
  if (!known.backup.empty() && known.backup != backup) {
    auto allowed = may_change(use, known.backup, reader);
    if (!allowed) return pass(allowed);
    if (!*allowed) {
      return fail(KeptKeysError::kOtherKey,
                  "tls-backup.pin says " + backup + ", and apps know the backup key " +
                      known.backup +
                      ": they would have no second chance until each has fetched a token. Restore "
                      "tls-backup.pin and tls-backup-key.pem from a backup. To put another backup "
                      "key in its place, " +
                      give_up(known.backup));
    }
  }
  return now;
}

Result<void> note_keys(verifier::store::Store& store, const KnownKeys& before, const KnownKeys& now,
                       UnixTime time) {
  if (before.recorded && before.serving == now.serving && before.backup == now.backup &&
      before.folder == now.folder) {
    return {};
  }
  return store.write([&](verifier::store::Transaction& transaction) -> Result<void> {
    const auto note = [&](const char* what, const std::string& old,
                          const std::string& pin) -> Result<void> {
      if (old == pin || old.empty()) return {};
      const std::string now_is = pin.empty() ? "the proxy's" : pin;
      return transaction.audit({time, "touchmark serve", what, old + " -> " + now_is, {}});
    };
    if (auto ok = note("tls.serving-key", before.serving, now.serving); !ok) return ok;
    if (auto ok = note("tls.backup-key", before.backup, now.backup); !ok) return ok;
    return put_known_keys(transaction, now);
  });
}

}  // namespace touchmark::cli::serve
