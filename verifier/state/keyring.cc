#include "verifier/state/keyring.h"

#include <charconv>

#include "base/encoding.h"
#include "verifier/state/settings.h"

namespace touchmark::verifier::state {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr const char* kAccount = "account";
constexpr const char* kFirstStart = "first-start";
constexpr const char* kTokenSecret = "secret.token";
constexpr const char* kChallengeKey = "secret.challenge";
constexpr const char* kConfigKey = "secret.config-key";

tl::unexpected<Error> missing(const char* name) {
  return fail(store::StoreError::kCorrupt, std::string("the database lacks \"") + name + "\"");
}

Result<Bytes> get_required(store::Store& store, const char* name) {
  auto value = store.get(name);
  if (!value) return pass(value);
  if (!*value) return missing(name);
  return std::move(**value);
}

Result<Bytes> get_secret(store::Store& store, const char* name, ByteView master_key) {
  auto sealed = get_required(store, name);
  if (!sealed) return pass(sealed);
  auto plain = crypto::open_sealed(master_key, name, *sealed);
  if (!plain) {
    return fail(crypto::CryptoError::kSealBroken,
                std::string("\"") + name + "\" was not sealed under this master key, or changed");
  }
  return plain;
}

Keyring make(const Clock& clock, Random& random) {
  return {hex_encode(random.bytes(8)),
          clock.now(),
          random.bytes(kKeyBytes),
          random.bytes(kKeyBytes),
          crypto::EcKey::generate(),
          random.bytes(kKeyBytes),
          true};
}

// The audit key is sealed into one text with the token secret, which the service cannot start
// without: taking it out, so that the log looks as if it had never been sealed, takes the master
// key.
Bytes token_text(const Keyring& keyring) {
  Bytes out = keyring.token_secret;
  append(out, keyring.audit_key);
  return out;
}

Result<void> add_audit_key(Keyring& keyring, store::Store& store, ByteView master_key,
                           Random& random) {
  keyring.audit_key = random.bytes(kKeyBytes);
  return store.write([&](store::Transaction& transaction) -> Result<void> {
    const Bytes sealed = crypto::seal(master_key, kTokenSecret, token_text(keyring), random);
    if (auto ok = transaction.put(kTokenSecret, sealed); !ok) return ok;
    return transaction.seal_audit_end(keyring.audit_key);
  });
}

Result<void> save(const Keyring& keyring, store::Store& store, ByteView master_key,
                  Random& random) {
  return store.write([&](store::Transaction& transaction) -> Result<void> {
    const auto put_secret = [&](const char* name, ByteView plain) {
      return transaction.put(name, crypto::seal(master_key, name, plain, random));
    };
    const std::string first_start = std::to_string(to_unix(keyring.first_start));
    if (auto ok = transaction.put(kAccount, as_bytes(keyring.account)); !ok) return ok;
    if (auto ok = transaction.put(kFirstStart, as_bytes(first_start)); !ok) return ok;
    if (auto ok = put_secret(kTokenSecret, token_text(keyring)); !ok) return ok;
    if (auto ok = put_secret(kChallengeKey, keyring.challenge_key); !ok) return ok;
    if (auto ok = put_secret(kConfigKey, keyring.config_key.private_der()); !ok) return ok;
    return transaction.seal_audit_end(keyring.audit_key);
  });
}

Result<Keyring> load(const std::string& account, store::Store& store, ByteView master_key,
                     Random& random) {
  auto first_start = get_required(store, kFirstStart);
  if (!first_start) return pass(first_start);
  std::int64_t seconds = 0;
  const std::string_view text = as_text(*first_start);
  const auto [end, parsed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed != std::errc{} || end != text.data() + text.size()) {
    return fail(store::StoreError::kCorrupt,
                std::string("\"") + kFirstStart + "\" in the database is not a time");
  }
  auto token_secret = get_secret(store, kTokenSecret, master_key);
  if (!token_secret) return pass(token_secret);
  auto challenge_key = get_secret(store, kChallengeKey, master_key);
  if (!challenge_key) return pass(challenge_key);
  auto config_der = get_secret(store, kConfigKey, master_key);
  if (!config_der) return pass(config_der);
  auto config_key = crypto::EcKey::from_private_der(*config_der);
  if (!config_key) return pass(config_key);
  Bytes audit_key;
  if (token_secret->size() == 2 * kKeyBytes) {
    audit_key.assign(token_secret->begin() + kKeyBytes, token_secret->end());
    token_secret->resize(kKeyBytes);
  }
  if (token_secret->size() != kKeyBytes || challenge_key->size() != kKeyBytes) {
    return fail(store::StoreError::kCorrupt, "a secret in the database has another length");
  }
  Keyring keyring{account,
                  from_unix(seconds),
                  std::move(*token_secret),
                  std::move(*challenge_key),
                  std::move(*config_key),
                  std::move(audit_key),
                  false};
  if (keyring.audit_key.empty()) {
    if (auto ok = add_audit_key(keyring, store, master_key, random); !ok) return pass(ok);
  }
  return keyring;
}

void derive_keys(Keyring& keyring, ByteView master_key) {
  keyring.backup_key = Keyring::backup_key_of(master_key);
  keyring.token_keys_key = crypto::hkdf_sha256(master_key, "touchmark token keys key 1", kKeyBytes);
}

}  // namespace

Bytes Keyring::backup_key_of(ByteView master_key) {
  return crypto::hkdf_sha256(master_key, "touchmark backup key 1", kKeyBytes);
}

Result<Keyring> Keyring::open(store::Store& store, ByteView master_key, const Clock& clock,
                              Random& random) {
  if (master_key.size() != kKeyBytes) {
    return fail(SettingsError::kBadSettings,
                "the master key has " + std::to_string(master_key.size()) + " bytes, not 32");
  }
  auto account = store.get(kAccount);
  if (!account) return pass(account);
  if (*account) {
    auto loaded = load(std::string(as_text(**account)), store, master_key, random);
    if (loaded) derive_keys(*loaded, master_key);
    return loaded;
  }
  Keyring made = make(clock, random);
  derive_keys(made, master_key);
  if (auto ok = save(made, store, master_key, random); !ok) return pass(ok);
  return made;
}

}  // namespace touchmark::verifier::state
