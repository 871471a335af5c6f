// EC_KEY and ECDSA_do_verify() are deprecated since OpenSSL 3.0, and used all the same:
// docs/speed.md has the figures, docs/decisions/0012-hot-path.md the reasons.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/p256.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "crypto/openssl.h"

namespace touchmark::crypto::p256 {
namespace {

using Group = openssl::Owned<EC_GROUP, EC_GROUP_free>;
using Key = openssl::Owned<EC_KEY, EC_KEY_free>;

constexpr int kNumberBytes = 32;

const EC_GROUP* curve() {
  static const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  openssl::require(group != nullptr, "curve P-256");
  return group.get();
}

// Keys that are no longer used, for the next ones: half of what a key costs is its own copy of the
// curve's numbers.
class Spare {
 public:
  Key take() {
    {
      const MutexLock lock(mutex_);
      if (!keys_.empty()) {
        Key key = std::move(keys_.back());
        keys_.pop_back();
        return key;
      }
    }
    Key key(EC_KEY_new());
    openssl::require(key && EC_KEY_set_group(key.get(), curve()) == 1, "a P-256 key");
    return key;
  }
  void give(Key key) {
    const MutexLock lock(mutex_);
    if (keys_.size() < kMost) keys_.push_back(std::move(key));
  }

 private:
  static constexpr std::size_t kMost = 64;
  Mutex mutex_;
  std::vector<Key> keys_ GUARDED_BY(mutex_);
};

// Never destroyed: a key may live in another static object.
Spare& spare() {
  static Spare& keys = *new Spare;
  return keys;
}

}  // namespace

std::shared_ptr<const void> public_key(const Point& point) {
  constexpr unsigned char kUncompressed = 0x04;
  std::array<unsigned char, 1 + sizeof(Point)> encoded{kUncompressed};
  std::memcpy(encoded.data() + 1, point.data(), point.size());
  Key key = spare().take();
  if (EC_KEY_oct2key(key.get(), encoded.data(), encoded.size(), nullptr) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return {key.release(), [](EC_KEY* used) { spare().give(Key(used)); }};
}

bool verify(const void* key, const Sha256Digest& digest, ByteView signature) {
  openssl::EcdsaSignature pair(ECDSA_SIG_new());
  openssl::require(
      pair &&
          ECDSA_SIG_set0(
              pair.get(), BN_bin2bn(uchars(signature.first(kNumberBytes)), kNumberBytes, nullptr),
              BN_bin2bn(uchars(signature.last(kNumberBytes)), kNumberBytes, nullptr)) == 1,
      "ECDSA signature");
  // OpenSSL's interface takes a key that may change; verification only reads it.
  auto* owned = static_cast<EC_KEY*>(const_cast<void*>(key));
  const int good =
      ECDSA_do_verify(uchars(ByteView(digest)), static_cast<int>(digest.size()), pair.get(), owned);
  if (good != 1) ERR_clear_error();
  return good == 1;
}

}  // namespace touchmark::crypto::p256
