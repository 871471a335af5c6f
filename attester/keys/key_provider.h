// Where the installation's key comes from.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "attester/core/boot_clock.h"
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

// The key in use. The platform's is tried first; where that fails, the software key stands in, and
// says what it is. A platform that failed is asked again after a while: at the earliest after
// kFirstWait, then after twice as long each time, up to kLongestWait. Thread-safe; a call may take
// as long as the platform does.
class KeyRing {
 public:
  static constexpr std::chrono::seconds kFirstWait{5};
  static constexpr std::chrono::seconds kLongestWait{15 * 60};

  // `platform` may be null. The others outlive it.
  KeyRing(std::unique_ptr<KeyProvider> platform, std::unique_ptr<KeyProvider> software,
          const Storage& storage, const BootClock& clock)
      : platform_(std::move(platform)),
        software_(std::move(software)),
        storage_(storage),
        clock_(clock) {}

  // The key to answer this challenge with; makes it when there is none. Before the first call of
  // this, or of device_id(), nobody is asked for a key: an app opens its client on its main thread,
  // where neither hardware nor a disk may be waited for.
  Result<KeyProvider::Key> key_for(ByteView nonce);
  // Evidence of hardware and platform for a key that this gave out and one challenge.
  Json evidence(const KeyProvider::Key& key, ByteView nonce) const;
  // Forgets a key that the platform has invalidated: the next challenge makes another. At once for
  // the first, after a wait for those that follow, while none of them has worked.
  void drop(const KeyProvider::Key& key);
  // For a key that the platform cannot use now: the software key stands in until the platform is
  // asked again. Of a key that fails kMaxFailures times in a row, another is made.
  void set_aside(const KeyProvider::Key& key, const Error& why);
  static constexpr int kMaxFailures = 4;
  // The key has signed.
  void worked(const KeyProvider::Key& key);

  // "" until there is a key: of an earlier run, for which the platform is asked the first time.
  // Without a platform it makes the software key, and is "" where that cannot be kept. What it
  // returns stays valid as long as this.
  const std::string& device_id();
  // Why the platform's key is not the one in use; "" when it is, or none was asked for.
  std::string note() const;

 private:
  enum class Wanted { kFound, kMade };
  // The platform's key; makes it when there is none and `wanted` says so, with `nonce`.
  Result<KeyProvider::Key> platform_key(Wanted wanted, ByteView nonce) REQUIRES(mutex_);
  Result<KeyProvider::Key> software_key() REQUIRES(mutex_);
  KeyProvider::Key take(KeyProvider::Key key) REQUIRES(mutex_);
  bool may_ask() const REQUIRES(mutex_);
  void wait_longer() REQUIRES(mutex_);

  std::unique_ptr<KeyProvider> platform_;
  std::unique_ptr<KeyProvider> software_;
  const Storage& storage_;
  const BootClock& clock_;
  mutable Mutex mutex_;
  KeyProvider::Key key_ GUARDED_BY(mutex_);       // the platform's
  KeyProvider::Key stand_in_ GUARDED_BY(mutex_);  // the software key, once it was needed
  BootTime ask_again_ GUARDED_BY(mutex_){};       // when the platform may be asked
  int waits_ GUARDED_BY(mutex_) = 0;              // in a row
  int lost_ GUARDED_BY(mutex_) = 0;               // keys in a row that have never worked
  int failures_ GUARDED_BY(mutex_) = 0;           // signatures in a row
  bool looked_ GUARDED_BY(mutex_) = false;        // for a key of an earlier run
  // Of each key; references stay valid.
  std::set<std::string> device_ids_ GUARDED_BY(mutex_){""};
  const std::string* device_id_ GUARDED_BY(mutex_) = &*device_ids_.begin();
  std::string note_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::attester::keys
