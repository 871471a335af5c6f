// The hash that chains the audit log's entries.
#pragma once

#include "crypto/crypto.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

// SHA-256 over the hash of the entry before (32 zero bytes for the first) and the canonical JSON
// [number, time, actor, action, detail].
Sha256Digest audit_hash(const Sha256Digest& before, std::int64_t number,
                        const model::AuditEntry& entry);

}  // namespace touchmark::verifier::store
