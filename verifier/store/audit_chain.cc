#include "verifier/store/audit_chain.h"

#include "base/json.h"

namespace touchmark::verifier::store {

Sha256Digest audit_hash(const Sha256Digest& before, std::int64_t number,
                        const model::AuditEntry& entry) {
  const Json fields = {number, to_unix(entry.time), entry.actor, entry.action, entry.detail};
  crypto::Sha256 hash;
  hash.update(before);
  hash.update(as_bytes(dump_json(fields)));
  return hash.finish();
}

}  // namespace touchmark::verifier::store
