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
  Bytes token_secret;   // 32 bytes, HS256
  Bytes challenge_key;  // 32 bytes
  crypto::EcKey config_key;
  bool made_now = false;  // this is the first start

  // `master_key`: 32 bytes. Fails with the store's error; kSealBroken when the master key is not
  // the one the secrets were sealed under; kBadSettings for a master key of another length.
  static Result<Keyring> open(store::Store& store, ByteView master_key, const Clock& clock,
                              Random& random);
};

}  // namespace touchmark::verifier::state
