#include "verifier/state/operators.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "protocol/arc.h"
#include "protocol/device_id.h"
#include "verifier/model/expiry.h"

namespace touchmark::verifier::state {
namespace {

using model::OperatorToken;
using model::Role;

constexpr const char* kFirstStartActor = "touchmark serve";
constexpr const char* kResetActor = "touchmark serve reset-operator";
constexpr const char* kDefaultAdmin = "admin";
// As long as Android takes the name of a package.
constexpr std::size_t kMaxPackageName = 223;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_all_of(std::string_view text, std::string_view more) {
  return std::ranges::all_of(
      text, [&](char c) { return is_letter_or_digit(c) || more.find(c) != more.npos; });
}

Result<void> check_name(const std::string& name) {
  if (name.empty() || name.size() > kMaxOperatorName || !is_letter_or_digit(name.front()) ||
      !is_all_of(name, "._@+-")) {
    return fail(OperatorError::kBadName,
                "an operator's name has 1 to " + std::to_string(kMaxOperatorName) +
                    " letters, digits and . _ @ + -, and begins with a letter or digit");
  }
  if (same_word(name.substr(0, kServiceActor.size()), kServiceActor)) {
    return fail(OperatorError::kBadName,
                "\"" + name + "\" would read as the service itself in the audit log");
  }
  return {};
}

Result<void> check_apps(const NewOperator& wanted) {
  if (wanted.role != Role::kCi) {
    if (wanted.apps.empty()) return {};
    return fail(OperatorError::kBadApps, "only the role ci is for single apps; " +
                                             std::string(to_string(wanted.role)) +
                                             " is for all of them");
  }
  if (wanted.apps.empty()) {
    return fail(OperatorError::kBadApps,
                "the role ci is for single apps: name the package that it registers");
  }
  if (wanted.apps.size() > kMaxAppsOfAnOperator) {
    return fail(OperatorError::kBadApps,
                "an operator has at most " + std::to_string(kMaxAppsOfAnOperator) + " apps");
  }
  for (const std::string& app : wanted.apps) {
    if (app.empty() || app.size() > kMaxPackageName || !is_all_of(app, "._-")) {
      return fail(OperatorError::kBadApps,
                  "an app is named by its package name or bundle id, "
                  "such as com.example.app");
    }
  }
  return {};
}

bool is_lasting_admin(const OperatorToken& token) {
  return token.role == Role::kAdmin && !token.expires;
}

// For the audit log: "ci-wallet, role ci, until 2027-02-26 12:00:00 UTC, for com.example.wallet".
std::string described(const OperatorToken& token) {
  std::string out = token.name + ", role " + std::string(to_string(token.role));
  if (token.expires) out += ", until " + format_time(*token.expires) + " UTC";
  if (!token.apps.empty()) out += ", for " + join(token.apps);
  return out;
}

// What cannot be read is named at the start, and is nobody's token.
Result<std::vector<OperatorToken>> stored(store::Transaction& transaction) {
  return transaction.operator_tokens([](const std::string&, const Error&) {});
}

}  // namespace

std::string_view error_id(OperatorError error) {
  using enum OperatorError;
  static constexpr auto kIds = error_table<OperatorError>({
      {kUnknownToken, "operator.unknown-token"},
      {kExpiredToken, "operator.expired-token"},
      {kBadName, "operator.bad-name"},
      {kBadApps, "operator.bad-apps"},
      {kExists, "operator.exists"},
      {kNoOperator, "operator.not-found"},
      {kLastAdmin, "operator.last-admin"},
      {kTooMany, "operator.too-many"},
  });
  return kIds[error];
}

Operators::Operators(AuditedStore& store, Random& random)
    : store_(store), random_(random), tokens_(std::make_shared<Tokens>()) {}

Result<void> Operators::load(LoadNotes& notes) {
  const std::size_t before = notes.size();
  auto tokens = store_.read().operator_tokens(note_rows(
      notes, "operator token",
      "it ended; an admin makes another with `touchmark operator add`, and where there is no admin "
      "left, `touchmark serve reset-operator` does"));
  if (!tokens) return pass(tokens);
  first_start_ = tokens->empty() && notes.size() == before;
  tokens_.set(std::make_shared<Tokens>(std::move(*tokens)));
  return {};
}

MadeOperator Operators::make(const std::string& name, Role role, const std::string& actor) {
  MadeOperator out;
  out.token = "tmk_" + std::string(to_string(role)) + "_" + base64url_encode(random_.bytes(32));
  out.entry.name = name;
  out.entry.role = role;
  out.entry.token_sha256 = crypto::sha256(as_bytes(out.token));
  out.entry.created = store_.now();
  out.entry.created_by = actor;
  return out;
}

template <class Change>
Result<void> Operators::change(const std::string& actor, const std::string& action,
                               const std::string& detail, Change change) {
  Tokens known;
  return store_.change(
      actor, action, detail,
      [&](store::Transaction& transaction) -> Result<void> {
        auto before = stored(transaction);
        if (!before) return pass(before);
        if (auto ok = change(transaction, *before); !ok) return ok;
        auto after = stored(transaction);
        if (!after) return pass(after);
        known = std::move(*after);
        return {};
      },
      [&] { tokens_.set(std::make_shared<Tokens>(std::move(known))); });
}

Result<std::string> Operators::make_token(const std::string& name, Role role) {
  const MadeOperator made = make(name, role, kFirstStartActor);
  auto done = change(kFirstStartActor, "operator-token.make", name,
                     [&](store::Transaction& transaction, const Tokens&) {
                       return transaction.put_operator_token(made.entry);
                     });
  if (!done) return pass(done);
  return made.token;
}

Result<OperatorToken> Operators::authenticate(std::string_view bearer) const {
  // 256 random bits: their hash needs no salt, and no stretching.
  const Sha256Digest hash = crypto::sha256(as_bytes(bearer));
  std::optional<OperatorToken> found;
  const auto tokens = tokens_.get();
  for (const OperatorToken& token : *tokens) {
    if (crypto::constant_time_equal(token.token_sha256, hash)) found = token;
  }
  if (!found) {
    return fail(OperatorError::kUnknownToken, "the operator token is not one of this service");
  }
  if (model::is_over(found->expires, store_.now())) {
    return fail(OperatorError::kExpiredToken, "the token of \"" + found->name + "\" expired at " +
                                                  format_time(*found->expires) +
                                                  " UTC; an admin makes another with `touchmark "
                                                  "operator add`");
  }
  return *std::move(found);
}

bool Operators::is_in_force(const OperatorToken& caller) const {
  const auto tokens = tokens_.get();
  return std::ranges::any_of(*tokens, [&](const OperatorToken& token) {
    return token.token_sha256 == caller.token_sha256 &&
           !model::is_over(token.expires, store_.now());
  });
}

std::vector<OperatorToken> Operators::list() const { return *tokens_.get(); }

Result<MadeOperator> Operators::add(const NewOperator& wanted, const std::string& actor) {
  if (auto ok = check_name(wanted.name); !ok) return pass(ok);
  if (auto ok = check_apps(wanted); !ok) return pass(ok);
  MadeOperator made = make(wanted.name, wanted.role, actor);
  if (wanted.expire_after) made.entry.expires = made.entry.created + *wanted.expire_after;
  made.entry.apps = wanted.apps;
  std::ranges::sort(made.entry.apps);
  const auto repeated = std::ranges::unique(made.entry.apps);
  made.entry.apps.erase(repeated.begin(), repeated.end());
  auto done = change(
      actor, "operator.add", described(made.entry),
      [&](store::Transaction& transaction, const Tokens& known) -> Result<void> {
        std::size_t others = known.size();
        for (const OperatorToken& token : known) {
          if (!same_word(token.name, wanted.name)) continue;
          if (!model::is_over(token.expires, made.entry.created)) {
            return fail(OperatorError::kExists,
                        "there is an operator \"" + token.name +
                            "\"; choose another name, or end that token first with `touchmark "
                            "operator revoke " +
                            token.name + "`");
          }
          if (auto ok = transaction.remove_operator_token(token.name); !ok) return ok;
          --others;
        }
        if (others >= kMaxOperators) {
          return fail(OperatorError::kTooMany, "there are " + std::to_string(kMaxOperators) +
                                                   " operators; revoke some first");
        }
        return transaction.put_operator_token(made.entry);
      });
  if (!done) return pass(done);
  return made;
}

Result<void> Operators::revoke(const std::string& name, const std::string& actor) {
  return change(
      actor, "operator.revoke", name,
      [&](store::Transaction& transaction, const Tokens& known) -> Result<void> {
        const auto found = std::ranges::find(known, name, &OperatorToken::name);
        if (found != known.end() && is_lasting_admin(*found) &&
            std::ranges::count_if(known, is_lasting_admin) == 1) {
          return fail(OperatorError::kLastAdmin,
                      "\"" + name +
                          "\" is the only admin whose token does not expire; without it nobody "
                          "could manage this service in the end. Add another first (`touchmark "
                          "operator add NAME --role admin`). Where its token is lost, `touchmark "
                          "serve reset-operator` replaces it at the service's host");
        }
        // A row that cannot be read has a name all the same.
        auto removed = transaction.remove_operator_token(name);
        if (!removed && removed.error().is(store::StoreError::kNotFound)) {
          return fail(OperatorError::kNoOperator,
                      "there is no operator \"" + name.substr(0, kMaxOperatorName) + "\"");
        }
        return removed;
      });
}

Result<ResetOperators> Operators::reset(const std::optional<std::string>& name) {
  const std::string wanted = name.value_or(kDefaultAdmin);
  if (auto ok = check_name(wanted); !ok) return pass(ok);
  ResetOperators out{make(wanted, Role::kAdmin, kResetActor), {}};
  const auto ends = [&](const OperatorToken& token) {
    return same_word(token.name, wanted) || (!name && token.role == Role::kAdmin);
  };
  // The audit log names them, so they are known before its entry is made. Nobody else changes
  // anything meanwhile: the data folder is this process's.
  auto known = store_.read().operator_tokens([](const std::string&, const Error&) {});
  if (!known) return pass(known);
  for (const OperatorToken& token : *known) {
    if (!ends(token)) continue;
    if (token.role != Role::kAdmin) {
      return fail(OperatorError::kExists, "\"" + token.name + "\" is an operator with the role " +
                                              std::string(to_string(token.role)) +
                                              "; choose another name for the admin");
    }
    out.ended.push_back(token.name);
  }
  auto done = change(kResetActor, "operator.reset",
                     described(out.made.entry) +
                         (out.ended.empty() ? "; no token ended" : "; ended: " + join(out.ended)),
                     [&](store::Transaction& transaction, const Tokens&) -> Result<void> {
                       for (const std::string& ended : out.ended) {
                         if (auto ok = transaction.remove_operator_token(ended); !ok) return ok;
                       }
                       return transaction.put_operator_token(out.made.entry);
                     });
  if (!done) return pass(done);
  return out;
}

Result<AuditLog> Operators::audit_log(std::size_t limit) {
  auto entries = store_.read().audit_log(limit);
  if (!entries) return pass(entries);
  auto verified = store_.read().verify_audit();
  if (!verified && !verified.error().is(store::StoreError::kCorrupt)) return pass(verified);
  return AuditLog{std::move(*entries), verified.has_value(),
                  verified ? "" : verified.error().message()};
}

}  // namespace touchmark::verifier::state
