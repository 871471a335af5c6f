#include "verifier/state/operators.h"

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "protocol/arc.h"
#include "protocol/device_id.h"

namespace touchmark::verifier::state {

Operators::Operators(AuditedStore& store, Random& random, const appraisal::TokenMint& mint)
    : store_(store), random_(random), mint_(mint), tokens_(std::make_shared<Tokens>()) {}

Result<void> Operators::load(LoadNotes& notes) {
  const std::size_t before = notes.size();
  auto tokens = store_.read().operator_tokens(note_rows(
      notes, "operator token", "it ended; `touchmark serve --reset-operator-tokens` makes others"));
  if (!tokens) return pass(tokens);
  first_start_ = tokens->empty() && notes.size() == before;
  tokens_.set(std::make_shared<Tokens>(std::move(*tokens)));
  return {};
}

Result<std::string> Operators::make_token(const std::string& name, model::Role role) {
  const std::string token =
      "tmk_" + std::string(to_string(role)) + "_" + base64url_encode(random_.bytes(32));
  Tokens known;
  auto stored = store_.change(
      "touchmark serve", "operator-token.make", name,
      [&](store::Transaction& transaction) -> Result<void> {
        auto put = transaction.put_operator_token({name, role, crypto::sha256(as_bytes(token))});
        if (!put) return put;
        auto tokens = transaction.operator_tokens([](const std::string&, const Error&) {});
        if (!tokens) return pass(tokens);
        known = std::move(*tokens);
        return {};
      },
      [&] { tokens_.set(std::make_shared<Tokens>(std::move(known))); });
  if (!stored) return pass(stored);
  return token;
}

std::optional<model::OperatorToken> Operators::authenticate(std::string_view bearer) const {
  // 256 random bits: their hash needs no salt, and no stretching.
  const Sha256Digest hash = crypto::sha256(as_bytes(bearer));
  std::optional<model::OperatorToken> found;
  const auto tokens = tokens_.get();
  for (const model::OperatorToken& token : *tokens) {
    if (crypto::constant_time_equal(token.token_sha256, hash)) found = token;
  }
  return found;
}

Result<AuditLog> Operators::audit_log(std::size_t limit) {
  auto entries = store_.read().audit_log(limit);
  if (!entries) return pass(entries);
  auto verified = store_.read().verify_audit();
  if (!verified && !verified.error().is(store::StoreError::kCorrupt)) return pass(verified);
  return AuditLog{std::move(*entries), verified.has_value(),
                  verified ? "" : verified.error().message()};
}

Result<TokenSecrets> Operators::token_secrets(const std::string& actor) {
  if (auto noted = store_.note(actor, "secret.read", "token secret"); !noted) return pass(noted);
  return TokenSecrets{mint_.secret(), mint_.decoy_secret()};
}

appraisal::TokenReport Operators::check_token(std::string_view token) const {
  return mint_.check(token, store_.now());
}

Result<std::string> Operators::example_token(bool valid, const std::string& ip,
                                             const std::string& actor) {
  auto noted = store_.note(actor, "token.example", valid ? "valid" : "invalid");
  if (!noted) return pass(noted);
  const crypto::EcKey key = crypto::EcKey::generate();
  const appraisal::TokenFacts facts{protocol::device_id(key), ip, std::nullopt,
                                    protocol::encode_arc({}), {}, key.public_der()};
  return mint_.mint(valid, facts, store_.now(), random_);
}

}  // namespace touchmark::verifier::state
