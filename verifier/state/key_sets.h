// The keys that tokens are signed with, and their change without a refused request: API servers get
// to know a key before it signs, and know the old one as long as its tokens are in use.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "verifier/appraisal/token.h"
#include "verifier/appraisal/token_keys.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/keyring.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

enum class KeySetError {
  kBadName,      // not 1 to 32 of a-z 0-9 - that begins with a letter
  kExists,       // a set, or a long-lived token, of this name is there
  kNoKeySet,     // there is none of this name
  kNoKey,        // the set has no such key
  kHasNext,      // a next key waits already
  kNoNext,       // there is none
  kSigning,      // the key signs, and cannot be taken out
  kInUse,        // an API domain has its tokens from this set
  kTooMany,      // 32 sets, 16 keys a set, 1000 long-lived tokens
  kNoSecret,     // the set has public keys alone
  kNoLongLived,  // there is no long-lived token of this name
  kBadLifetime,  // not between a second and ten years
  kUnreadable,   // what is stored is none of this
};
std::string_view error_id(KeySetError error);

struct MadeLongLived {
  appraisal::LongLivedToken entry;
  std::string token;  // shown once
};

// Thread-safe. Fails with KeySetError, StoreError or CryptoError, and has then changed nothing.
class KeySets {
 public:
  using Shared = std::shared_ptr<const appraisal::TokenKeys>;

  // What is passed by reference must outlive this.
  KeySets(AuditedStore& store, const Keyring& keyring, const appraisal::TokenMint& mint,
          Random& random);
  // Reads what the store knows. An account whose keys were never changed has one secret.
  Result<void> load();

  Shared keys() const { return keys_.get(); }
  Json jwks() const { return keys()->jwks(store_.now()); }

  // Without `algorithm`: HS256.
  Result<Shared> add(const std::string& name,
                     const std::optional<crypto::SigningAlgorithm>& algorithm,
                     const std::string& actor);
  // Makes the set's next key, which API servers are to know before promote(). Without `algorithm`:
  // of the present key's.
  Result<Shared> rotate(const std::string& name, const std::optional<std::string>& algorithm,
                        const std::string& actor);
  // The next key signs from now on, and the one before is old.
  Result<Shared> promote(const std::string& name, const std::string& actor);
  // A next key or an old one: its tokens are forged from now on.
  Result<Shared> remove_key(const std::string& name, const std::string& kid,
                            const std::string& actor);
  // `in_use`: whether an API domain has its tokens from it. The default set stays.
  Result<Shared> remove(const std::string& name, bool in_use, const std::string& actor);

  // The set's secrets, the signing one first; noted in the audit log before they are given out.
  // kNoSecret.
  Result<std::vector<appraisal::TokenKey>> secrets(const std::string& name,
                                                   const std::string& actor);
  appraisal::TokenReport check_token(std::string_view token) const;
  // For trying out an API server; noted in the audit log, since a valid one opens doors.
  Result<std::string> example_token(bool valid, const std::string& key_set, const std::string& ip,
                                    const std::string& actor);

  // An ES256 token of `claims` for a server of the operator's, with a key of its own, whose public
  // half is in the JWKS until the token expires or is revoked.
  Result<MadeLongLived> make_long_lived(const std::string& name, Seconds lifetime,
                                        const std::string& actor);
  Result<void> revoke_long_lived(const std::string& name, const std::string& actor);

 private:
  // Changes a copy by `edit` (TokenKeys& -> Result<void>), stores it, and is it then.
  template <class Edit>
  Result<Shared> change(const std::string& actor, const std::string& action,
                        const std::string& detail, Edit edit);
  std::string new_kid();

  AuditedStore& store_;
  const Keyring& keyring_;
  const appraisal::TokenMint& mint_;
  Random& random_;
  Mutex changing_;
  Snapshot<appraisal::TokenKeys> keys_;
};

}  // namespace touchmark::verifier::state
