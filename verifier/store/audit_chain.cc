#include "verifier/store/audit_chain.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"

namespace touchmark::verifier::store {
namespace {

constexpr std::string_view kEndLabel = "touchmark audit end v1\n";
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kEndBytes = kNumberBytes + sizeof(Sha256Digest);

Sha256Digest end_mac(ByteView end, ByteView key) {
  Bytes input = to_bytes(as_bytes(kEndLabel));
  append(input, end);
  return crypto::hmac_sha256(key, input);
}

}  // namespace

Sha256Digest audit_hash(const Sha256Digest& before, std::int64_t number,
                        const model::AuditEntry& entry) {
  const Json fields = {number, to_unix(entry.time), entry.actor, entry.action, entry.detail};
  crypto::Sha256 hash;
  hash.update(before);
  hash.update(as_bytes(dump_json(fields)));
  return hash.finish();
}

Bytes seal_audit_end(const AuditEnd& end, ByteView key) {
  Bytes out;
  append_big_endian(out, static_cast<std::uint64_t>(end.number));
  append(out, end.hash);
  append(out, end_mac(out, key));
  return out;
}

std::optional<AuditEnd> open_audit_end(ByteView sealed, ByteView key) {
  if (sealed.size() != kEndBytes + sizeof(Sha256Digest)) return std::nullopt;
  const ByteView end = sealed.first(kEndBytes);
  if (!crypto::constant_time_equal(end_mac(end, key), sealed.subspan(kEndBytes))) {
    return std::nullopt;
  }
  AuditEnd out;
  out.number = static_cast<std::int64_t>(big_endian(end.first(kNumberBytes)));
  std::ranges::copy(end.subspan(kNumberBytes), out.hash.begin());
  return out;
}

}  // namespace touchmark::verifier::store
