#include "verifier/state/key_sets.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "protocol/arc.h"
#include "protocol/device_id.h"

namespace touchmark::verifier::state {
namespace {

using appraisal::LongLivedToken;
using appraisal::TokenKey;
using appraisal::TokenKeys;
using appraisal::TokenKeySet;
using appraisal::TokenKeyState;

constexpr const char* kStored = "secret.token-keys";
constexpr std::size_t kMaxNameBytes = 32;
constexpr std::size_t kMaxSets = 32;
constexpr std::size_t kMaxKeys = 16;
constexpr std::size_t kMaxLongLived = 1000;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kKidBytes = 6;
constexpr Seconds kLongest{std::int64_t{3653} * 86400};
constexpr auto kLongLivedAlgorithm = crypto::SigningAlgorithm::kEs256;

Result<Bytes> get_key(const Json& json, const char* name) {
  auto text = get_string(json, name, std::size_t{16} << 10);
  if (!text) return pass(text);
  return base64_decode(*text);
}

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kMaxNameBytes && is_letter(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

Result<void> check_key_set_name(const std::string& name) {
  if (is_name(name)) return {};
  return fail(KeySetError::kBadName,
              "\"" + name.substr(0, kMaxNameBytes) +
                  "\" is no name: use 1 to 32 of a-z, 0-9 and -, and begin with a letter");
}

Result<TokenKeySet*> find_set(TokenKeys& keys, const std::string& name) {
  const auto at = std::ranges::find(keys.sets, name, &TokenKeySet::name);
  if (at != keys.sets.end()) return &*at;
  return fail(KeySetError::kNoKeySet,
              "there is no keyset \"" + name.substr(0, kMaxNameBytes) + "\"");
}

// --- As it is stored: JSON, sealed ---------------------------------------------------------------

Json to_json(const TokenKey& key) {
  Json out{{"kid", key.kid()},
           {"alg", key.algorithm()},
           {"state", to_string(key.state)},
           {"made", to_unix(key.made)},
           {"actor", key.actor}};
  if (const auto* secrets = key.secrets()) {
    out["key"] = base64_encode(secrets->secret);
  } else {
    out["key"] = base64_encode(key.pair()->key.private_der());
    out["decoy"] = base64_encode(key.pair()->decoy.private_der());
  }
  return out;
}

Json to_json(const LongLivedToken& token) {
  return {{"name", token.name},
          {"kid", token.kid},
          {"key", base64_encode(token.key.public_der())},
          {"made", to_unix(token.made)},
          {"expires", to_unix(token.expires)},
          {"actor", token.actor}};
}

Json to_json(const TokenKeys& keys) {
  Json sets = Json::array();
  for (const TokenKeySet& set : keys.sets) {
    Json members = Json::array();
    for (const TokenKey& key : set.keys) members.push_back(to_json(key));
    sets.push_back({{"name", set.name}, {"keys", std::move(members)}});
  }
  Json long_lived = Json::array();
  for (const LongLivedToken& token : keys.long_lived) long_lived.push_back(to_json(token));
  return {{"sets", std::move(sets)}, {"long_lived", std::move(long_lived)}};
}

tl::unexpected<Error> unreadable(const std::string& what) {
  return fail(KeySetError::kUnreadable, "the token keys in the database: " + what);
}

Result<UnixTime> time_of(const Json& json, const char* name) {
  auto seconds = get_int(json, name, 0, kMaxUnixTime);
  if (!seconds) return pass(seconds);
  return from_unix(*seconds);
}

Result<TokenKey> key_from(const Json& json) {
  auto kid = get_string(json, "kid");
  auto alg = get_string(json, "alg");
  auto state = get_string(json, "state");
  auto made = time_of(json, "made");
  auto actor = get_string(json, "actor");
  auto key = get_key(json, "key");
  if (!kid || !alg || !state || !made || !actor || !key) return unreadable("a key lacks a member");
  const auto parsed_state = appraisal::parse_token_key_state(*state);
  if (!parsed_state) return unreadable("a key is in no state that is known");
  const auto finished = [&](TokenKey out) {
    out.state = *parsed_state;
    out.made = *made;
    out.actor = *actor;
    return out;
  };
  if (*alg == "HS256") {
    if (key->size() != kSecretBytes) return unreadable("a secret has another length");
    return finished(TokenKey::of_secret(*kid, std::move(*key)));
  }
  const auto algorithm = crypto::parse_signing_algorithm(*alg);
  auto decoy = get_key(json, "decoy");
  if (!algorithm || !decoy) return unreadable("a key is for no algorithm that is known");
  auto first = crypto::SigningKey::from_private_der(*algorithm, *key);
  auto second = crypto::SigningKey::from_private_der(*algorithm, *decoy);
  if (!first) return pass(first);
  if (!second) return pass(second);
  return finished(
      TokenKey::of_pair(*kid, appraisal::SigningPair{std::move(*first), std::move(*second)}));
}

Result<LongLivedToken> long_lived_from(const Json& json) {
  auto name = get_string(json, "name");
  auto kid = get_string(json, "kid");
  auto spki = get_key(json, "key");
  auto made = time_of(json, "made");
  auto expires = time_of(json, "expires");
  auto actor = get_string(json, "actor");
  if (!name || !kid || !spki || !made || !expires || !actor) {
    return unreadable("a long-lived token lacks a member");
  }
  auto key = crypto::SigningKey::from_public_der(kLongLivedAlgorithm, *spki);
  if (!key) return pass(key);
  return LongLivedToken{*name, *kid, std::move(*key), *made, *expires, *actor};
}

Result<TokenKeySet> set_from(const Json& json) {
  auto name = get_string(json, "name");
  const Json* keys = find_array(json, "keys");
  if (!name || keys == nullptr) return unreadable("a keyset lacks a member");
  TokenKeySet out{*name, {}};
  for (const Json& one : *keys) {
    auto key = key_from(one);
    if (!key) return pass(key);
    out.keys.push_back(std::move(*key));
  }
  if (out.in_state(TokenKeyState::kSigning) == nullptr) {
    return unreadable("no key of \"" + *name + "\" signs");
  }
  return out;
}

Result<TokenKeys> keys_from(const Json& json) {
  TokenKeys out;
  const Json* sets = find_array(json, "sets");
  const Json* long_lived = find_array(json, "long_lived");
  if (sets == nullptr || long_lived == nullptr) return unreadable("a list is missing");
  for (const Json& one : *sets) {
    auto set = set_from(one);
    if (!set) return pass(set);
    out.sets.push_back(std::move(*set));
  }
  for (const Json& one : *long_lived) {
    auto token = long_lived_from(one);
    if (!token) return pass(token);
    out.long_lived.push_back(std::move(*token));
  }
  if (out.sets.empty() || out.sets.front().name != TokenKeys::kDefault) {
    return unreadable("there is no default keyset");
  }
  return out;
}

}  // namespace

std::string_view error_id(KeySetError error) {
  using enum KeySetError;
  static constexpr auto kIds = error_table<KeySetError>({
      {kBadName, "keyset.bad-name"},
      {kExists, "keyset.exists"},
      {kNoKeySet, "keyset.not-found"},
      {kNoKey, "keyset.no-key"},
      {kHasNext, "keyset.has-next"},
      {kNoNext, "keyset.no-next"},
      {kSigning, "keyset.signing"},
      {kInUse, "keyset.in-use"},
      {kTooMany, "keyset.too-many"},
      {kNoSecret, "keyset.no-secret"},
      {kNoLongLived, "keyset.no-long-lived"},
      {kBadLifetime, "keyset.bad-lifetime"},
      {kUnreadable, "keyset.unreadable"},
  });
  return kIds[error];
}

KeySets::KeySets(AuditedStore& store, const Keyring& keyring, const appraisal::TokenMint& mint,
                 Random& random)
    : store_(store),
      keyring_(keyring),
      mint_(mint),
      random_(random),
      keys_(std::make_shared<TokenKeys>(appraisal::keys_of_secret(keyring.token_secret))) {}

Result<void> KeySets::load() {
  auto sealed = store_.read().get(kStored);
  if (!sealed) return pass(sealed);
  if (!*sealed) {
    TokenKeys first = appraisal::keys_of_secret(keyring_.token_secret);
    first.sets.front().keys.front().made = keyring_.first_start;
    keys_.set(std::make_shared<TokenKeys>(std::move(first)));
    return {};
  }
  auto plain = crypto::open_sealed(keyring_.token_keys_key, kStored, **sealed);
  if (!plain) return pass(plain);
  auto json = parse_json(as_text(*plain));
  if (!json) return unreadable(json.error().message());
  auto keys = keys_from(*json);
  if (!keys) return pass(keys);
  keys_.set(std::make_shared<TokenKeys>(std::move(*keys)));
  return {};
}

template <class Edit>
Result<KeySets::Shared> KeySets::change(const std::string& actor, const std::string& action,
                                        const std::string& detail, Edit edit) {
  const MutexLock lock(changing_);
  auto next = std::make_shared<TokenKeys>(*keys_.get());
  if (auto ok = edit(*next); !ok) return pass(ok);
  const Bytes sealed =
      crypto::seal(keyring_.token_keys_key, kStored, as_bytes(dump_json(to_json(*next))), random_);
  const auto done = store_.change(
      actor, action, detail,
      [&](store::Transaction& transaction) { return transaction.put(kStored, sealed); },
      [&] { keys_.set(next); });
  if (!done) return pass(done);
  return Shared(next);
}

std::string KeySets::new_kid() { return "k" + hex_encode(random_.bytes(kKidBytes)); }

Result<KeySets::Shared> KeySets::add(const std::string& name,
                                     const std::optional<crypto::SigningAlgorithm>& algorithm,
                                     const std::string& actor) {
  if (auto ok = check_key_set_name(name); !ok) return pass(ok);
  TokenKey key = TokenKey::make(new_kid(), algorithm, random_.bytes(kSecretBytes));
  key.made = store_.now();
  key.actor = actor;
  return change(actor, "keyset.add", name + ", " + std::string(key.algorithm()),
                [&](TokenKeys& keys) -> Result<void> {
                  if (keys.find(name) != nullptr) {
                    return fail(KeySetError::kExists, "there is a keyset \"" + name + "\" already");
                  }
                  if (keys.sets.size() >= kMaxSets) {
                    return fail(KeySetError::kTooMany, "there are 32 keysets, which is the most");
                  }
                  keys.sets.push_back({name, {std::move(key)}});
                  return {};
                });
}

Result<KeySets::Shared> KeySets::rotate(const std::string& name,
                                        const std::optional<std::string>& algorithm,
                                        const std::string& actor) {
  const auto present = keys();
  const TokenKeySet* set = present->find(name);
  const std::string wanted = algorithm ? *algorithm
                             : set != nullptr
                                 ? std::string(set->in_state(TokenKeyState::kSigning)->algorithm())
                                 : "";
  // Made before anything waits for it: an RSA key takes its time.
  TokenKey key = TokenKey::make(new_kid(), crypto::parse_signing_algorithm(wanted),
                                random_.bytes(kSecretBytes));
  key.state = TokenKeyState::kNext;
  key.made = store_.now();
  key.actor = actor;
  return change(
      actor, "keyset.rotate", name + ", " + key.kid(), [&](TokenKeys& keys) -> Result<void> {
        auto found = find_set(keys, name);
        if (!found) return pass(found);
        if (const TokenKey* next = (*found)->in_state(TokenKeyState::kNext)) {
          return fail(KeySetError::kHasNext,
                      "the key " + next->kid() +
                          " waits to sign: promote it, or remove it, before you make another");
        }
        if ((*found)->keys.size() >= kMaxKeys) {
          return fail(KeySetError::kTooMany,
                      "the keyset has 16 keys, which is the most: remove those whose tokens have "
                      "expired");
        }
        (*found)->keys.push_back(std::move(key));
        return {};
      });
}

Result<KeySets::Shared> KeySets::promote(const std::string& name, const std::string& actor) {
  return change(actor, "keyset.promote", name, [&](TokenKeys& keys) -> Result<void> {
    auto found = find_set(keys, name);
    if (!found) return pass(found);
    if ((*found)->in_state(TokenKeyState::kNext) == nullptr) {
      return fail(KeySetError::kNoNext, "no key of \"" + name + "\" waits to sign");
    }
    for (TokenKey& key : (*found)->keys) {
      if (key.state == TokenKeyState::kSigning) {
        key.state = TokenKeyState::kOld;
      } else if (key.state == TokenKeyState::kNext) {
        key.state = TokenKeyState::kSigning;
      }
    }
    return {};
  });
}

Result<KeySets::Shared> KeySets::remove_key(const std::string& name, const std::string& kid,
                                            const std::string& actor) {
  return change(actor, "keyset.remove-key", name + ", " + (kid.empty() ? "without a kid" : kid),
                [&](TokenKeys& keys) -> Result<void> {
                  auto found = find_set(keys, name);
                  if (!found) return pass(found);
                  auto& members = (*found)->keys;
                  const auto at = std::ranges::find(members, kid, &TokenKey::kid);
                  if (at == members.end()) {
                    return fail(KeySetError::kNoKey, "the keyset \"" + name + "\" has no key " +
                                                         (kid.empty() ? "without a kid" : kid));
                  }
                  if (at->state == TokenKeyState::kSigning) {
                    return fail(KeySetError::kSigning,
                                "the key signs: rotate the keyset first, and promote its next key");
                  }
                  members.erase(at);
                  return {};
                });
}

Result<KeySets::Shared> KeySets::remove(const std::string& name, bool in_use,
                                        const std::string& actor) {
  return change(actor, "keyset.remove", name, [&](TokenKeys& keys) -> Result<void> {
    auto found = find_set(keys, name);
    if (!found) return pass(found);
    if (in_use || name == TokenKeys::kDefault) {
      return fail(KeySetError::kInUse,
                  in_use ? "an API domain has its tokens from \"" + name + "\""
                         : "the default keyset stays: API domains have their tokens from it");
    }
    std::erase_if(keys.sets, [&](const TokenKeySet& set) { return set.name == name; });
    return {};
  });
}

Result<std::vector<TokenKey>> KeySets::secrets(const std::string& name, const std::string& actor) {
  const auto present = keys();
  const TokenKeySet* set = present->find(name);
  if (set == nullptr) {
    return fail(KeySetError::kNoKeySet,
                "there is no keyset \"" + name.substr(0, kMaxNameBytes) + "\"");
  }
  std::vector<TokenKey> out;
  std::ranges::copy_if(set->keys, std::back_inserter(out),
                       [](const TokenKey& key) { return key.secrets() != nullptr; });
  if (out.empty()) {
    return fail(KeySetError::kNoSecret,
                "the keyset \"" + name +
                    "\" has no secret: API servers check its tokens by /.well-known/jwks.json");
  }
  std::ranges::stable_partition(
      out, [](const TokenKey& key) { return key.state == TokenKeyState::kSigning; });
  if (auto noted = store_.note(actor, "secret.read", "token secret of " + name); !noted) {
    return pass(noted);
  }
  return out;
}

appraisal::TokenReport KeySets::check_token(std::string_view token) const {
  return appraisal::check_token(*keys(), token, store_.now());
}

Result<std::string> KeySets::example_token(bool valid, const std::string& key_set,
                                           const std::string& ip, const std::string& actor) {
  const auto present = keys();
  if (present->find(key_set) == nullptr) {
    return fail(KeySetError::kNoKeySet,
                "there is no keyset \"" + key_set.substr(0, kMaxNameBytes) + "\"");
  }
  auto noted = store_.note(actor, "token.example", valid ? "valid" : "invalid");
  if (!noted) return pass(noted);
  const crypto::EcKey key = crypto::EcKey::generate();
  const appraisal::TokenFacts facts{protocol::device_id(key), ip, std::nullopt,
                                    protocol::encode_arc({}), {}, key.public_der()};
  return mint_.mint(present->signing(key_set), valid, facts, store_.now(), random_);
}

Result<MadeLongLived> KeySets::make_long_lived(const std::string& name, Seconds lifetime,
                                               const std::string& actor) {
  if (auto ok = check_key_set_name(name); !ok) return pass(ok);
  if (lifetime < Seconds(1) || lifetime > kLongest) {
    return fail(KeySetError::kBadLifetime,
                "a long-lived token lasts between a second and ten years");
  }
  const auto signing = crypto::SigningKey::generate(kLongLivedAlgorithm);
  const std::string kid = new_kid();
  const UnixTime now = store_.now();
  const TokenKey signer = TokenKey::of_pair(kid, {signing, signing});
  const Json claims{{"exp", to_unix(now + lifetime)},
                    {"iat", to_unix(now)},
                    {"jti", base64url_encode(random_.bytes(16))},
                    {"sub", name}};
  auto half = crypto::SigningKey::from_public_der(kLongLivedAlgorithm, signing.public_der());
  if (!half) return pass(half);
  MadeLongLived out{{name, kid, std::move(*half), now, now + lifetime, actor},
                    signer.sign(true, dump_json(claims))};
  auto done =
      change(actor, "token.long-lived", name + ", " + kid, [&](TokenKeys& keys) -> Result<void> {
        std::erase_if(keys.long_lived,
                      [&](const LongLivedToken& one) { return one.expires <= now; });
        if (std::ranges::find(keys.long_lived, name, &LongLivedToken::name) !=
            keys.long_lived.end()) {
          return fail(KeySetError::kExists,
                      "there is a long-lived token \"" + name + "\": revoke it first");
        }
        if (keys.long_lived.size() >= kMaxLongLived) {
          return fail(KeySetError::kTooMany, "there are 1000 long-lived tokens, which is the most");
        }
        keys.long_lived.push_back(out.entry);
        return {};
      });
  if (!done) return pass(done);
  return out;
}

Result<void> KeySets::revoke_long_lived(const std::string& name, const std::string& actor) {
  auto done = change(actor, "token.long-lived-revoked", name, [&](TokenKeys& keys) -> Result<void> {
    const auto removed =
        std::erase_if(keys.long_lived, [&](const auto& one) { return one.name == name; });
    if (removed > 0) return {};
    return fail(KeySetError::kNoLongLived,
                "there is no long-lived token \"" + name.substr(0, kMaxNameBytes) + "\"");
  });
  if (!done) return pass(done);
  return {};
}

}  // namespace touchmark::verifier::state
