#include "verifier/policy/facts_json.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"

namespace touchmark::verifier::policy {
namespace {

constexpr std::size_t kMaxWords = 100;
constexpr std::size_t kMaxFindings = 512;

constexpr Assurance kLevels[] = {Assurance::kSoftware, Assurance::kPlatform, Assurance::kTee,
                                 Assurance::kSecureChip};
constexpr BootState kBootStates[] = {BootState::kVerified, BootState::kSelfSigned,
                                     BootState::kUnverified, BootState::kFailed};

void put(Json& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

void put(Json& out, const char* name, const std::vector<std::string>& words) {
  if (!words.empty()) out[name] = words;
}

void put(Json& out, const char* name, const std::optional<std::uint32_t>& number) {
  if (number) out[name] = *number;
}

Json to_json(const AndroidFacts& facts) {
  Json out = Json::object();
  if (facts.boot) {
    out["boot"] = {{"locked", facts.boot->locked},
                   {"state", to_string(facts.boot->state)},
                   {"key", hex_encode(facts.boot->key)}};
  }
  put(out, "os_version", facts.os_version);
  put(out, "os_patch_level", facts.os_patch_level);
  put(out, "vendor_patch_level", facts.vendor_patch_level);
  put(out, "boot_patch_level", facts.boot_patch_level);
  put(out, "attestation_version", facts.attestation_version);
  put(out, "keymint_version", facts.keymint_version);
  return out;
}

Json to_json(const AppAttestFacts& facts) {
  Json out{{"production", facts.production}};
  put(out, "validation_category", facts.validation_category);
  return out;
}

Json to_json(const PlayFacts& facts) {
  Json out = Json::object();
  put(out, "app_recognition", facts.app_recognition);
  put(out, "device_recognition", facts.device_recognition);
  put(out, "app_licensing", facts.app_licensing);
  put(out, "recent_device_activity", facts.recent_device_activity);
  put(out, "apps_detected", facts.apps_detected);
  put(out, "play_protect", facts.play_protect);
  put(out, "sdk_version", facts.sdk_version);
  if (facts.test_response) out["test_response"] = true;
  return out;
}

// Reads the members of one object, and keeps the first thing that is wrong.
class Reader {
 public:
  Reader(const Json& object, std::string path, std::optional<Error>& error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object.is_object()) wrong("", "is not an object");
  }

  void text(const char* name, std::string& out) {
    if (const Json* value = find(name)) {
      if (!value->is_string()) return wrong(name, "is not text");
      out = value->get<std::string>();
    }
  }
  void boolean(const char* name, bool& out) {
    if (const Json* value = find(name)) {
      if (!value->is_boolean()) return wrong(name, "is not true or false");
      out = value->get<bool>();
    }
  }
  template <class Number>
  void number(const char* name, Number& out) {
    if (const Json* value = find(name)) {
      if (!value->is_number_unsigned() ||
          value->get<std::uint64_t>() > std::numeric_limits<Number>::max()) {
        return wrong(name, "is not a whole number in range");
      }
      out = value->get<Number>();
    }
  }
  void number(const char* name, std::optional<std::uint32_t>& out) {
    if (find(name) != nullptr) number(name, out.emplace());
  }
  void words(const char* name, std::vector<std::string>& out) {
    if (const Json* value = find(name)) {
      const bool good = value->is_array() && value->size() <= kMaxWords &&
                        std::ranges::all_of(*value, [](const Json& e) { return e.is_string(); });
      if (!good) return wrong(name, "is not an array of text");
      out = value->get<std::vector<std::string>>();
    }
  }
  // A member whose value is what to_string() gives for one of `all`.
  template <class Enum, std::size_t N>
  void one_of(const char* name, const Enum (&all)[N], Enum& out) {
    std::string word;
    text(name, word);
    if (word.empty()) return;
    const auto* found = std::ranges::find(all, word, [](Enum e) { return to_string(e); });
    if (found == std::end(all)) return wrong(name, "\"" + word.substr(0, 40) + "\" is unknown");
    out = *found;
  }
  void hex(const char* name, Bytes& out) {
    std::string digits;
    text(name, digits);
    auto bytes = hex_decode(digits);
    if (!bytes) return wrong(name, "is not hexadecimal");
    out = std::move(*bytes);
  }
  // The object below `name`, to be read by `read(Reader&)`.
  template <class Read>
  void object(const char* name, Read read) {
    if (const Json* value = find(name)) {
      Reader inner(*value, path_ + name + ".", error_);
      read(inner);
      inner.finish();
    }
  }
  void finish() {
    if (!object_.is_object()) return;
    for (const auto& [name, value] : object_.items()) {
      if (std::ranges::find(known_, name) == known_.end()) wrong(name, "is no fact");
    }
  }

 private:
  const Json* find(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  void wrong(const std::string& name, const std::string& what) {
    if (!error_) error_ = Error(FactsError::kMalformed, path_ + name.substr(0, 40) + " " + what);
  }

  const Json& object_;
  std::string path_;
  std::optional<Error>& error_;
  std::vector<std::string> known_;
};

void read_boot(Reader& in, BootFacts& out) {
  in.boolean("locked", out.locked);
  in.one_of("state", kBootStates, out.state);
  in.hex("key", out.key);
}

void read_android(Reader& in, AndroidFacts& out) {
  in.object("boot", [&](Reader& boot) { read_boot(boot, out.boot.emplace()); });
  in.number("os_version", out.os_version);
  in.number("os_patch_level", out.os_patch_level);
  in.number("vendor_patch_level", out.vendor_patch_level);
  in.number("boot_patch_level", out.boot_patch_level);
  in.number("attestation_version", out.attestation_version);
  in.number("keymint_version", out.keymint_version);
}

void read_app_attest(Reader& in, AppAttestFacts& out) {
  in.boolean("production", out.production);
  in.number("validation_category", out.validation_category);
}

void read_play(Reader& in, PlayFacts& out) {
  in.text("app_recognition", out.app_recognition);
  in.words("device_recognition", out.device_recognition);
  in.text("app_licensing", out.app_licensing);
  in.words("recent_device_activity", out.recent_device_activity);
  in.words("apps_detected", out.apps_detected);
  in.text("play_protect", out.play_protect);
  in.boolean("test_response", out.test_response);
  in.number("sdk_version", out.sdk_version);
}

}  // namespace

std::string_view error_id(FactsError error) {
  using enum FactsError;
  static constexpr auto kIds = error_table<FactsError>({
      {kMalformed, "facts.malformed"},
  });
  return kIds[error];
}

Json to_json(const Facts& facts) {
  Json out{{"assurance", to_string(facts.assurance)}, {"version_code", facts.version_code}};
  put(out, "platform", facts.platform);
  put(out, "os_version", facts.os_version);
  put(out, "manufacturer", facts.manufacturer);
  put(out, "model", facts.model);
  put(out, "installer", facts.installer);
  put(out, "package", facts.package_name);
  put(out, "sdk_version", facts.sdk_version);
  put(out, "did", facts.device_id);
  put(out, "ip", facts.ip);
  if (facts.development_key) out["development_key"] = true;
  if (facts.android) out["android"] = to_json(*facts.android);
  if (facts.app_attest) out["app_attest"] = to_json(*facts.app_attest);
  if (facts.play) out["play"] = to_json(*facts.play);
  return out;
}

Result<Facts> facts_from_json(const Json& json) {
  Facts out;
  std::optional<Error> error;
  Reader in(json, "", error);
  in.text("platform", out.platform);
  in.text("os_version", out.os_version);
  in.text("manufacturer", out.manufacturer);
  in.text("model", out.model);
  in.text("installer", out.installer);
  in.text("package", out.package_name);
  in.number("version_code", out.version_code);
  in.text("sdk_version", out.sdk_version);
  in.text("did", out.device_id);
  in.text("ip", out.ip);
  in.boolean("development_key", out.development_key);
  in.one_of("assurance", kLevels, out.assurance);
  in.object("android", [&](Reader& android) { read_android(android, out.android.emplace()); });
  in.object("app_attest",
            [&](Reader& attest) { read_app_attest(attest, out.app_attest.emplace()); });
  in.object("play", [&](Reader& play) { read_play(play, out.play.emplace()); });
  in.finish();
  if (error) return tl::unexpected(std::move(*error));
  return out;
}

Json to_json(const std::vector<protocol::Finding>& findings) {
  Json out = Json::array();
  for (const protocol::Finding& finding : findings) {
    out.push_back({{"id", protocol::to_string(finding.id)}, {"detail", finding.detail}});
  }
  return out;
}

Result<std::vector<protocol::Finding>> findings_from_json(const Json& json) {
  const auto malformed = [](const std::string& message) {
    return fail(FactsError::kMalformed, "findings: " + message);
  };
  if (!json.is_array() || json.size() > kMaxFindings) return malformed("not an array");
  std::vector<protocol::Finding> out;
  for (const Json& one : json) {
    const auto id = find_string(one, "id");
    if (!id) return malformed("one has no id");
    const protocol::FindingInfo* info = protocol::find_finding(*id);
    if (info == nullptr) return malformed("\"" + id->substr(0, 40) + "\" is unknown");
    out.push_back({info->number, find_string(one, "detail").value_or("")});
  }
  return out;
}

}  // namespace touchmark::verifier::policy
