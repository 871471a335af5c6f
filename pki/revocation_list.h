// Google's list of revoked attestation certificates, the JSON of
// https://android.googleapis.com/attestation/status:
// {"entries":{"<serial>":{"status":"REVOKED",...}}}.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::pki {

enum class RevocationStatus {
  kRevoked,
  kSuspended,
  kOther,  // a status that did not exist when this was written: not sound either
};
std::string_view to_string(RevocationStatus status);

struct RevocationEntry {
  RevocationStatus status = RevocationStatus::kRevoked;
  std::string reason;  // "KEY_COMPROMISE"; may be empty
};

enum class RevocationError { kMalformed };
std::string_view error_id(RevocationError error);

// Immutable after parse(); usable from many threads.
class RevocationList {
 public:
  static constexpr std::size_t kMaxBytes = 64 << 20;
  static Result<RevocationList> parse(std::string_view json);

  // `serial_hex`: lowercase hex without leading zeros. nullptr when not listed.
  const RevocationEntry* find(const std::string& serial_hex) const;
  std::size_t size() const { return entries_.size(); }

 private:
  std::unordered_map<std::string, RevocationEntry> entries_;
};

}  // namespace touchmark::pki
