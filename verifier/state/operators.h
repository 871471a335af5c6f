// Who operates the service: their tokens, and what was noted of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "verifier/model/operator.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/load_notes.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

enum class OperatorError {
  kUnknownToken,  // not the token of an operator
  kExpiredToken,  // its time is over
  kBadName,       // not a name of an operator
  kBadApps,       // a ci token without an app, another role with one, or no package name
  kExists,        // there is an operator of that name
  kNoOperator,    // there is none
  kLastAdmin,     // without it, nobody could manage the service in the end
  kTooMany,       // more operators than the service keeps
};
std::string_view error_id(OperatorError error);

inline constexpr std::size_t kMaxOperators = 1000;
inline constexpr std::size_t kMaxOperatorName = 64;      // bytes
inline constexpr std::size_t kMaxAppsOfAnOperator = 32;  // of a ci token
// Who may not be imitated in the audit log: the service itself ("touchmark serve").
inline constexpr std::string_view kServiceActor = "touchmark";

struct NewOperator {
  // 1 to kMaxOperatorName letters, digits and . _ @ + -, the first a letter or digit. Names are
  // told apart without regard to case.
  std::string name;
  model::Role role = model::Role::kCi;
  std::optional<Seconds> expire_after{};  // from now; without it the token never ends
  std::vector<std::string> apps{};        // package names: one at least for ci, none for others
};

// A token is there once, when it is made; only its SHA-256 stays.
struct MadeOperator {
  model::OperatorToken entry;
  std::string token;  // "tmk_ci_..."
};

struct ResetOperators {
  MadeOperator made;
  std::vector<std::string> ended;  // names of those whose tokens ended for it
};

struct AuditLog {
  std::vector<model::AuditEntry> entries;  // the newest first
  bool intact = false;                     // no entry of the whole log was changed or taken out
  std::string problem{};                   // what was, when it is not intact
};

// Thread-safe. Fails with OperatorError or StoreError, and has then changed nothing.
class Operators {
 public:
  // What is passed by reference must outlive this.
  Operators(AuditedStore& store, Random& random);
  // Reads what the store knows.
  Result<void> load(LoadNotes& notes);

  // True when there was no operator token at load(): make and show them.
  bool first_start() const { return first_start_; }
  // Makes operator token `name` of a first start; returns the text shown once ("tmk_admin_..."). A
  // token of the same name that there was ends.
  Result<std::string> make_token(const std::string& name, model::Role role);

  // kUnknownToken, kExpiredToken.
  Result<model::OperatorToken> authenticate(std::string_view bearer) const;
  // Whether the token of `caller`, who was authenticated before, has neither ended nor expired
  // since.
  bool is_in_force(const model::OperatorToken& caller) const;

  // By name; those whose time is over as well.
  std::vector<model::OperatorToken> list() const;
  // One whose time is over gives up its name. kBadName, kBadApps, kExists, kTooMany.
  Result<MadeOperator> add(const NewOperator& wanted, const std::string& actor);
  // The token ends at once. There is always an admin without an expiry: kLastAdmin. kNoOperator.
  Result<void> revoke(const std::string& name, const std::string& actor);

  // For whoever has the data folder and no admin token: makes an admin token that never ends. With
  // a name it takes the place of that admin, and is new where there is none; without one it is
  // "admin", and the tokens of all other admins end too, since one of them may be in the wrong
  // hands. Other roles keep theirs. kBadName; kExists for the name of another role's operator.
  Result<ResetOperators> reset(const std::optional<std::string>& name);

  Result<AuditLog> audit_log(std::size_t limit);

 private:
  using Tokens = std::vector<model::OperatorToken>;

  MadeOperator make(const std::string& name, model::Role role, const std::string& actor);
  // Runs `change` (store::Transaction&, const Tokens& -> Result<void>) on what is stored, and then
  // knows what is.
  template <class Change>
  Result<void> change(const std::string& actor, const std::string& action,
                      const std::string& detail, Change change);

  AuditedStore& store_;
  Random& random_;
  bool first_start_ = false;
  Snapshot<Tokens> tokens_;
};

}  // namespace touchmark::verifier::state
