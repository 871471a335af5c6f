#include "verifier/http/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

namespace touchmark::verifier::http {
namespace {

// Fetched once: a fetch takes locks, and every handshake would make one.
const EVP_CIPHER* ticket_cipher() {
  static EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return kCipher;
}

int keys_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

bool init_mac(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_init(mac, key.mac.data(), key.mac.size(), parameters.data()) == 1;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): encrypt, then MAC. 0: no ticket is made, or the one that
// came is not taken; 2: it is, and the client gets a new one, as it does in TLS 1.3 whenever it has
// spent one (RFC 8446 appendix C.4).
int on_ticket(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int is_new) {
  auto* keys =
      static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), keys_index()));
  if (keys == nullptr || ticket_cipher() == nullptr) return 0;
  if (is_new != 0) {
    const TicketKeys::SharedKey key = keys->current();
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(ticket_cipher())) != 1) return 0;
    std::ranges::copy(key->name, name);
    const bool ready =
        EVP_EncryptInit_ex2(cipher, ticket_cipher(), key->cipher.data(), iv, nullptr) == 1 &&
        init_mac(mac, *key);
    return ready ? 1 : -1;
  }
  const auto [key, renew] = keys->find(std::span(name, TicketKeys::kNameBytes));
  if (!key) return 0;
  const bool ready =
      init_mac(mac, *key) &&
      EVP_DecryptInit_ex2(cipher, ticket_cipher(), key->cipher.data(), iv, nullptr) == 1;
  if (!ready) return -1;
  return renew || SSL_version(connection) >= TLS1_3_VERSION ? 2 : 1;
}

TicketKeys::SharedKey make_key() {
  auto key = std::make_shared<TicketKeys::Key>();
  const auto fill = [](auto& bytes) {
    return RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
  };
  if (!fill(key->name) || !fill(key->cipher) || !fill(key->mac)) return nullptr;
  return key;
}

}  // namespace

TicketKeys::Key::~Key() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

TicketKeys::TicketKeys(std::function<Clock::time_point()> now) : now_(std::move(now)) {}

void TicketKeys::rotate() {
  const auto now = now_();
  if (previous_ && now >= previous_until_) previous_ = nullptr;
  if (current_ && now - made_ < kTicketLifetime) return;
  // Of its own making, and not of now: after a quiet time, what is left of it is less.
  previous_until_ = made_ + 2 * kTicketLifetime;
  previous_ = current_ && now < previous_until_ ? std::move(current_) : nullptr;
  current_ = make_key();
  made_ = now;
}

TicketKeys::SharedKey TicketKeys::current() {
  const MutexLock lock(mutex_);
  rotate();
  return current_;
}

TicketKeys::Found TicketKeys::find(std::span<const std::uint8_t> name) {
  const MutexLock lock(mutex_);
  rotate();
  const auto is_of = [&](const SharedKey& key) {
    return key && std::ranges::equal(name, key->name);
  };
  if (is_of(current_)) return {current_, false};
  if (is_of(previous_)) return {previous_, true};
  return {};
}

void TicketKeys::use_in(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, keys_index(), this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  SSL_CTX_set_timeout(context, kTicketLifetime.count());
}

}  // namespace touchmark::verifier::http
