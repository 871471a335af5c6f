// Holds the service to the keys that it had: what apps in the field pin, and what seals the
// database, is never made again in silence.
#pragma once

#include <string>
#include <vector>

#include "cli/serve/data_folder.h"
#include "verifier/state/known_keys.h"

namespace touchmark::cli::serve {

// Messages name the file, why a new one would lock apps out, and what to do.
enum class KeptKeysError {
  kKeyMissing,       // a key's file is not there, and the database says that there was one
  kOtherKey,         // a key is another than the one that apps know
  kDatabaseMissing,  // keys of a service without its database
};
std::string_view error_id(KeptKeysError error);

struct KeyUse {
  bool is_given = false;                  // --cert and --key, in place of the data folder's key
  bool is_behind_proxy = false;           // the proxy's keys are pinned, and no backup of ours
  std::vector<std::string> proxy_pins{};  // its keys
  std::vector<std::string> given_up{};    // --give-up-pin: keys that are lost for good
};

// Before the database is opened, which makes one where there is none: kDatabaseMissing for keys
// without it.
Result<void> check_database_is_there(const DataFolder& folder);

// Before the keys are read, which makes those that are missing: kKeyMissing when that would be
// another one than before.
Result<void> check_key_files(const DataFolder& folder, const verifier::state::KnownKeys& known,
                             const KeyUse& use);

// The keys as they were read. `serving` is not what apps pin, or `backup` is another: kOtherKey,
// unless the old one was given up, or no app is registered (`reader`), whom that could lock out.
// Gives what note_keys() is to note of them.
Result<verifier::state::KnownKeys> check_keys(const verifier::state::KnownKeys& known,
                                              const KeyUse& use, const std::string& serving,
                                              const std::string& backup,
                                              verifier::store::Reader& reader);

// Notes the keys in the database, and each that is another than before in the audit log.
Result<void> note_keys(verifier::store::Store& store, const verifier::state::KnownKeys& before,
                       const verifier::state::KnownKeys& now, UnixTime time);

}  // namespace touchmark::cli::serve
