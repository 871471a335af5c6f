#include "attester/keys/key_provider.h"

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

Result<void> KeyRing::load() {
  const MutexLock lock(mutex_);
  if (platform_) {
    auto key = platform_->load();
    if (key) {
      take(std::move(*key));
      return {};
    }
    if (key.error().is(ClientError::kKeyLost)) return {};
    note_ = key.error().text();
  }
  auto key = software_key();
  if (!key) return pass(key);
  return {};
}

Result<KeyProvider::Key> KeyRing::key_for(ByteView nonce) {
  const MutexLock lock(mutex_);
  if (key_) return key_;
  auto made = platform_->make(nonce);  // without a platform load() has found a key
  if (made) return take(std::move(*made));
  note_ = made.error().text();
  return software_key();
}

Result<KeyProvider::Key> KeyRing::software_key() {
  auto key = software_->load();
  if (!key) return pass(key);
  stand_in_ = *key;
  return take(std::move(*key));
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
  device_ids_.push_back(protocol::device_id(key->public_key()));
  key_ = std::move(key);
  return key_;
}

void KeyRing::drop(const KeyProvider::Key& key) {
  const MutexLock lock(mutex_);
  if (key_ == key) key_.reset();
}

const std::string& KeyRing::device_id() const {
  const MutexLock lock(mutex_);
  return device_ids_.back();
}

std::string KeyRing::note() const {
  const MutexLock lock(mutex_);
  return note_;
}

}  // namespace touchmark::attester::keys
