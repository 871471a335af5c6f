// Where the installation's key comes from.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "attester/core/error.h"
#include "attester/keys/installation_key.h"
#include "attester/keys/storage.h"
#include "base/mutex.h"
#include "base/random.h"

namespace touchmark::attester::keys {

// A place that keeps the installation's key from one run of the app to the next. Called by one
// thread at a time.
class KeyProvider {
 public:
  using Key = std::shared_ptr<const InstallationKey>;
  virtual ~KeyProvider() = default;
  // The key of an earlier run; ClientError::kKeyLost when there is none (any more).
  virtual Result<Key> load() = 0;
  // Makes the key. `nonce`: of a challenge of the service; the hardware's statement about the key
  // holds it, which is what makes the statement one for this service.
  virtual Result<Key> make(ByteView nonce) = 0;
  // What the platform says of `key` and this challenge: the claim `submods`, empty for nothing.
  // `own`: the key came from here. May take as long as a platform's service takes to answer.
  virtual Json evidence(const crypto::EcKey& key, bool own, ByteView nonce) = 0;
};

// Keys in the app's private folder, which load() makes when there is none. Both outlive it.
std::unique_ptr<KeyProvider> make_software_keys(const Storage& storage, Random& random);

// The key in use. The platform's is tried first; where that fails, the software key stands in until
// the process ends, and says what it is. Thread-safe.
class KeyRing {
 public:
  // `platform` may be null.
  KeyRing(std::unique_ptr<KeyProvider> platform, std::unique_ptr<KeyProvider> software)
      : platform_(std::move(platform)), software_(std::move(software)) {}

  // Takes what earlier runs left. A platform's key that is still to be made waits for a challenge.
  Result<void> load();
  // The key to answer this challenge with; makes it when there is none.
  Result<KeyProvider::Key> key_for(ByteView nonce);
  // Evidence of hardware and platform for a key that this gave out and one challenge.
  Json evidence(const KeyProvider::Key& key, ByteView nonce) const;
  // Forgets a key that the platform has invalidated: the next challenge makes another.
  void drop(const KeyProvider::Key& key);

  // "" until there is a key. What it returns stays valid as long as this.
  const std::string& device_id() const;
  // Why the platform's key is not the one in use; "" when it is, or none was asked for.
  std::string note() const;

 private:
  Result<KeyProvider::Key> software_key() REQUIRES(mutex_);
  KeyProvider::Key take(KeyProvider::Key key) REQUIRES(mutex_);

  std::unique_ptr<KeyProvider> platform_;
  std::unique_ptr<KeyProvider> software_;
  mutable Mutex mutex_;
  KeyProvider::Key key_ GUARDED_BY(mutex_);
  KeyProvider::Key stand_in_ GUARDED_BY(mutex_);  // the software key, once it was needed
  // Of each key in turn; references stay valid.
  std::deque<std::string> device_ids_ GUARDED_BY(mutex_){""};
  std::string note_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::attester::keys
