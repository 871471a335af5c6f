// Who operates the service: their tokens, what was noted of them, and the secrets that they read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "verifier/appraisal/token.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/load_notes.h"
#include "verifier/state/snapshot.h"

namespace touchmark::verifier::state {

struct TokenSecrets {
  Bytes secret;
  Bytes decoy_secret;
};

struct AuditLog {
  std::vector<model::AuditEntry> entries;  // the newest first
  bool intact = false;                     // no entry of the whole log was changed or taken out
  std::string problem{};                   // what was, when it is not intact
};

// Thread-safe. Fails with StoreError, and has then changed nothing.
class Operators {
 public:
  // What is passed by reference must outlive this.
  Operators(AuditedStore& store, Random& random, const appraisal::TokenMint& mint);
  // Reads what the store knows.
  Result<void> load(LoadNotes& notes);

  // True when there was no operator token at load(): make and show them.
  bool first_start() const { return first_start_; }
  // Makes operator token `name`; returns the text shown once ("tmk_admin_..."). Only its hash
  // stays. A token of the same name that there was ends.
  Result<std::string> make_token(const std::string& name, model::Role role);
  std::optional<model::OperatorToken> authenticate(std::string_view bearer) const;

  Result<AuditLog> audit_log(std::size_t limit);
  // Noted in the audit log before they are given out.
  Result<TokenSecrets> token_secrets(const std::string& actor);
  appraisal::TokenReport check_token(std::string_view token) const;
  // For trying out an API server; noted in the audit log, since a valid one opens doors.
  Result<std::string> example_token(bool valid, const std::string& ip, const std::string& actor);

 private:
  using Tokens = std::vector<model::OperatorToken>;

  AuditedStore& store_;
  Random& random_;
  const appraisal::TokenMint& mint_;
  bool first_start_ = false;
  Snapshot<Tokens> tokens_;
};

}  // namespace touchmark::verifier::state
