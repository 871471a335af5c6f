#include "verifier/state/known_keys.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/jose.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kAccountName = "account";              // in the store, as keyring.cc has it
constexpr const char* kConfigurationName = "configuration";  // as api_domains.cc has it
constexpr const char* kKnownKeysName = "tls.keys";
constexpr std::size_t kMaxConfigurationBytes = 16 << 20;

std::string pin_in(const Json& json, const char* name) {
  const std::string pin = find_string(json, name).value_or("");
  return base64_digest(pin) ? pin : "";
}

std::vector<std::string> announced_pins(std::string_view jws) {
  std::vector<std::string> out;
  const auto opened = crypto::parse_jws(jws, kMaxConfigurationBytes);
  if (!opened) return out;
  const Json* service = find_object(opened->payload, "service");
  const Json* pins = service == nullptr ? nullptr : find_array(*service, "pins");
  if (pins == nullptr) return out;
  for (const Json& pin : *pins) {
    if (pin.is_string()) out.push_back(pin.get<std::string>());
  }
  return out;
}

}  // namespace

bool KnownKeys::is_announced(const std::string& pin) const {
  return std::ranges::find(announced, pin) != announced.end();
}

Result<KnownKeys> read_known_keys(store::Reader& reader) {
  KnownKeys out;
  auto account = reader.get(kAccountName);
  if (!account) return pass(account);
  out.established = account->has_value();
  if (!out.established) return out;
  auto configuration = reader.get(kConfigurationName);
  if (!configuration) return pass(configuration);
  if (*configuration) out.announced = announced_pins(as_text(**configuration));
  auto noted = reader.get(kKnownKeysName);
  if (!noted) return pass(noted);
  const auto json = *noted ? parse_json(as_text(**noted)) : Result<Json>(Json());
  out.recorded = json && json->is_object();
  if (out.recorded) {
    out.serving = pin_in(*json, "serving");
    out.backup = pin_in(*json, "backup");
    out.folder = pin_in(*json, "folder");
  } else {
    if (!out.announced.empty()) out.serving = out.announced[0];
    if (out.announced.size() > 1) out.backup = out.announced[1];
  }
  return out;
}

Result<void> put_known_keys(store::Transaction& transaction, const KnownKeys& keys) {
  const Json json{{"serving", keys.serving}, {"backup", keys.backup}, {"folder", keys.folder}};
  return transaction.put(kKnownKeysName, as_bytes(dump_json(json)));
}

Result<bool> has_apps(store::Reader& reader) {
  // One that cannot be read may be in the field all the same.
  bool unreadable = false;
  const auto note = [&](const std::string&, const Error&) { unreadable = true; };
  auto certificates = reader.certificates(note);
  if (!certificates) return pass(certificates);
  if (unreadable || !certificates->empty()) return true;
  auto registrations = reader.registrations(note);
  if (!registrations) return pass(registrations);
  return unreadable || !registrations->empty();
}

}  // namespace touchmark::verifier::state
