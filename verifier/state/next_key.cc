#include "verifier/state/next_key.h"

#include "base/encoding.h"
#include "base/json.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kNextKeyName = "tls.next-key";

}  // namespace

Result<std::optional<NextKey>> read_next_key(store::Reader& reader) {
  auto stored = reader.get(kNextKeyName);
  if (!stored) return pass(stored);
  if (!*stored) return std::nullopt;
  const auto json = parse_json(as_text(**stored));
  if (!json || !json->is_object()) return std::nullopt;
  NextKey out;
  out.pin = find_string(*json, "pin").value_or("");
  if (!base64_digest(out.pin)) return std::nullopt;
  const auto announced = get_int(*json, "announced", 0, kMaxUnixTime);
  const auto version = get_int(*json, "config_version", 0, INT64_MAX);
  if (!announced || !version) return std::nullopt;
  out.announced = from_unix(*announced);
  out.config_version = *version;
  out.actor = find_string(*json, "actor").value_or("");
  out.is_kept_here = json->value("kept_here", Json(false)) == Json(true);
  return out;
}

Result<void> put_next_key(store::Transaction& transaction, const std::optional<NextKey>& next) {
  const Json json = next ? Json{{"pin", next->pin},
                                {"announced", to_unix(next->announced)},
                                {"actor", next->actor},
                                {"config_version", next->config_version},
                                {"kept_here", next->is_kept_here}}
                         : Json();
  return transaction.put(kNextKeyName, as_bytes(dump_json(json)));
}

}  // namespace touchmark::verifier::state
