#include "crypto/digest.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.h"

namespace touchmark {
namespace {

using Implementation = openssl::Owned<EVP_MD, EVP_MD_free>;

struct Info {
  const char* name;
  std::size_t size;
};
constexpr std::array<Info, 6> kInfo{{{"MD5", 16},
                                     {"SHA1", 20},
                                     {"SHA2-224", 28},
                                     {"SHA2-256", 32},
                                     {"SHA2-384", 48},
                                     {"SHA2-512", 64}}};

const Info& info(crypto::DigestAlgorithm algorithm) {
  return kInfo.at(static_cast<std::size_t>(algorithm));
}

}  // namespace

const EVP_MD* openssl::message_digest(crypto::DigestAlgorithm algorithm) {
  static const auto fetched = [] {
    std::array<Implementation, kInfo.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].reset(EVP_MD_fetch(nullptr, kInfo[i].name, nullptr));
      require(all[i] != nullptr, kInfo[i].name);
    }
    return all;
  }();
  return fetched.at(static_cast<std::size_t>(algorithm)).get();
}

namespace crypto {

using openssl::require;

namespace {

// HMAC-SHA256 (RFC 2104). OpenSSL 3.0's own HMAC() looks its algorithms up by name in each call,
// which takes ten times as long as the digests, and an attestation has a dozen.
class Hmac {
 public:
  explicit Hmac(ByteView key) {
    constexpr std::byte kInner{0x36};
    if (key.size() > pad_.size()) {
      std::ranges::copy(sha256(key), pad_.begin());
    } else {
      std::ranges::copy(key, pad_.begin());
    }
    for (std::byte& byte : pad_) byte ^= kInner;
    inner_.update(pad_);
  }
  ~Hmac() { OPENSSL_cleanse(pad_.data(), pad_.size()); }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  Hmac& update(ByteView data) {
    inner_.update(data);
    return *this;
  }
  Sha256Digest finish() {
    constexpr std::byte kInnerToOuter{0x36 ^ 0x5c};
    for (std::byte& byte : pad_) byte ^= kInnerToOuter;
    Sha256 outer;
    outer.update(pad_);
    outer.update(inner_.finish());
    return outer.finish();
  }

 private:
  std::array<std::byte, 64> pad_{};  // a block of the hash
  Sha256 inner_;
};

}  // namespace

HmacSha256Key::HmacSha256Key(ByteView key) {
  constexpr std::byte kInner{0x36};
  constexpr std::byte kInnerToOuter{0x36 ^ 0x5c};
  std::array<std::byte, 64> pad{};  // a block of the hash
  if (key.size() > pad.size()) {
    std::ranges::copy(sha256(key), pad.begin());
  } else {
    std::ranges::copy(key, pad.begin());
  }
  for (std::byte& byte : pad) byte ^= kInner;
  inner_.update(pad);
  for (std::byte& byte : pad) byte ^= kInnerToOuter;
  outer_.update(pad);
  OPENSSL_cleanse(pad.data(), pad.size());
}

Sha256Digest HmacSha256Key::mac(ByteView data) const {
  Sha256 inner = inner_;
  inner.update(data);
  Sha256 outer = outer_;
  outer.update(inner.finish());
  return outer.finish();
}

Sha256Digest hmac_sha256(ByteView key, ByteView data) { return Hmac(key).update(data).finish(); }

Bytes hkdf_sha256(ByteView key, std::string_view info, std::size_t length) {
  require(length <= 255 * sizeof(Sha256Digest), "HKDF-SHA-256 of that length");
  Sha256Digest extracted = Hmac(Sha256Digest{}).update(key).finish();
  Bytes out;
  Bytes block;
  for (std::byte counter{1}; out.size() < length;
       counter = static_cast<std::byte>(std::to_integer<unsigned>(counter) + 1)) {
    const Sha256Digest next =
        Hmac(extracted).update(block).update(as_bytes(info)).update({&counter, 1}).finish();
    block.assign(next.begin(), next.end());
    append(out, ByteView(next).first(std::min(next.size(), length - out.size())));
  }
  OPENSSL_cleanse(extracted.data(), extracted.size());
  return out;
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Digester::State {
  openssl::DigestContext context{EVP_MD_CTX_new()};
  std::size_t size = 0;
};

Digester::Digester(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->size = digest_size(algorithm);
  require(
      EVP_DigestInit_ex2(state_->context.get(), openssl::message_digest(algorithm), nullptr) == 1,
      "digest start");
}
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::update(ByteView data) {
  require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1, "digest update");
}

Bytes Digester::finish() {
  Bytes out(state_->size);
  require(EVP_DigestFinal_ex(state_->context.get(), uchars(std::span(out)), nullptr) == 1,
          "digest end");
  return out;
}

std::size_t digest_size(DigestAlgorithm algorithm) { return info(algorithm).size; }
const char* digest_name(DigestAlgorithm algorithm) { return info(algorithm).name; }

Bytes digest(DigestAlgorithm algorithm, ByteView data) {
  Digester digester(algorithm);
  digester.update(data);
  return digester.finish();
}

}  // namespace crypto
}  // namespace touchmark
