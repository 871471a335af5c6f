// The hash that chains the audit log's entries, and the seal on the chain's end.
#pragma once

#include <optional>

#include "crypto/crypto.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

// SHA-256 over the hash of the entry before (32 zero bytes for the first) and the canonical JSON
// [number, time, actor, action, detail].
Sha256Digest audit_hash(const Sha256Digest& before, std::int64_t number,
                        const model::AuditEntry& entry);

// Where the chain ends: number 0 and 32 zero bytes for a log without entries.
struct AuditEnd {
  std::int64_t number = 0;
  Sha256Digest hash{};
  bool operator==(const AuditEnd&) const = default;
};

// As it is stored: the number (8 bytes, big endian), the hash, and HMAC-SHA-256 over a label and
// both. Without `key` nobody can make one for a log that ends elsewhere.
Bytes seal_audit_end(const AuditEnd& end, ByteView key);
// nullopt when it was not made with `key`.
std::optional<AuditEnd> open_audit_end(ByteView sealed, ByteView key);

}  // namespace touchmark::verifier::store
