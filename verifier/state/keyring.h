// The account's identity and secrets: made on the first start, sealed in the store ever after.
#pragma once

#include <string>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::state {

struct Keyring {
  std::string account;
  UnixTime first_start{};
  Bytes token_secret;   // 32 bytes, HS256: the first key of tokens (state/key_sets.h)
  Bytes challenge_key;  // 32 bytes
  crypto::EcKey config_key;
  Bytes audit_key;        // 32 bytes, seals the end of the audit log
  bool made_now = false;  // this is the first start
  // 32 bytes each, of the master key, and stored nowhere.
  Bytes backup_key{};      // seals backups
  Bytes token_keys_key{};  // seals the keys of tokens

  // `master_key`: 32 bytes. A store that has no audit key yet (of an earlier version) gets one, and
  // its audit log is sealed as it is. Fails with the store's error; kSealBroken when the master key
  // is not the one the secrets were sealed under; kBadSettings for a master key of another length.
  static Result<Keyring> open(store::Store& store, ByteView master_key, const Clock& clock,
                              Random& random);
  static Bytes backup_key_of(ByteView master_key);
};

}  // namespace touchmark::verifier::state
