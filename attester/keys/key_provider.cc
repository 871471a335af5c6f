#include "attester/keys/key_provider.h"

#include <algorithm>

#include "protocol/device_id.h"

namespace touchmark::attester::keys {
namespace {

class SoftwareKeys final : public KeyProvider {
 public:
  SoftwareKeys(const Storage& storage, Random& random) : storage_(storage), random_(random) {}
  Result<Key> load() override {
    auto key = storage_.software_key(random_);
    if (!key) return pass(key);
    return Key(std::move(*key));
  }
  Result<Key> make(ByteView) override { return load(); }
  Json evidence(const crypto::EcKey&, bool, ByteView) override { return Json::object(); }

 private:
  const Storage& storage_;
  Random& random_;
};

}  // namespace

std::unique_ptr<KeyProvider> make_software_keys(const Storage& storage, Random& random) {
  return std::make_unique<SoftwareKeys>(storage, random);
}

Result<KeyProvider::Key> KeyRing::key_for(ByteView nonce) {
  const MutexLock lock(mutex_);
  if (key_) return key_;
  if (may_ask()) {
    auto key = platform_key(Wanted::kMade, nonce);
    if (key) return key;
    note_ = key.error().text();
    wait_longer();
  }
  return software_key();
}

const std::string& KeyRing::device_id() {
  const MutexLock lock(mutex_);
  if (!device_id_->empty()) return *device_id_;
  bool stands_in = !platform_;
  if (!looked_ && may_ask()) {
    const auto key = platform_key(Wanted::kFound, {});
    if (!key && !key.error().is(ClientError::kKeyLost)) {
      note_ = key.error().text();
      stands_in = true;
    }
  }
  // Whatever this fails with, the next attestation tells.
  if (stands_in) static_cast<void>(software_key());
  return *device_id_;
}

// Another process of the app may have made the key meanwhile, so it is looked for before one is
// made and both under the folder's lock.
Result<KeyProvider::Key> KeyRing::platform_key(Wanted wanted, ByteView nonce) {
  looked_ = true;
  const FolderLock folder = storage_.lock();
  Result<KeyProvider::Key> key = fail(ClientError::kKeyLost, "the platform's key always fails");
  if (failures_ < kMaxFailures) key = platform_->load();
  if (!key && key.error().is(ClientError::kKeyLost) && wanted == Wanted::kMade) {
    key = platform_->make(nonce);
    if (key) failures_ = 0;
  }
  if (!key) return key;
  note_.clear();
  return key_ = take(std::move(*key));
}

bool KeyRing::may_ask() const { return platform_ && clock_.now() >= ask_again_; }

void KeyRing::wait_longer() {
  const auto wait = std::min<std::chrono::seconds>(kLongestWait, kFirstWait * (1 << waits_));
  waits_ = std::min(waits_ + 1, 10);
  ask_again_ = clock_.now() + wait;
}

Result<KeyProvider::Key> KeyRing::software_key() {
  if (!stand_in_) {
    auto key = software_->load();
    if (!key) return pass(key);
    stand_in_ = std::move(*key);
  }
  return take(stand_in_);
}

// The provider is asked without the lock: it may take long, and attestations follow each other.
Json KeyRing::evidence(const KeyProvider::Key& key, ByteView nonce) const {
  if (!platform_) return Json::object();
  bool own = false;
  {
    const MutexLock lock(mutex_);
    own = key != stand_in_;
  }
  return platform_->evidence(key->public_key(), own, nonce);
}

KeyProvider::Key KeyRing::take(KeyProvider::Key key) {
  device_id_ = &*device_ids_.insert(protocol::device_id(key->public_key())).first;
  return key;
}

void KeyRing::drop(const KeyProvider::Key& key) {
  const MutexLock lock(mutex_);
  if (key_ != key) return;
  key_.reset();
  if (++lost_ > 1) {
    note_ = "client.key-lost: the platform loses the keys that it makes";
    wait_longer();
  }
}

void KeyRing::set_aside(const KeyProvider::Key& key, const Error& why) {
  const MutexLock lock(mutex_);
  if (key_ != key) return;
  key_.reset();
  note_ = why.text();
  ++failures_;
  wait_longer();
}

void KeyRing::worked(const KeyProvider::Key& key) {
  const MutexLock lock(mutex_);
  if (key_ != key) return;  // the software key's work says nothing of the platform
  waits_ = lost_ = failures_ = 0;
}

std::string KeyRing::note() const {
  const MutexLock lock(mutex_);
  return note_;
}

}  // namespace touchmark::attester::keys
