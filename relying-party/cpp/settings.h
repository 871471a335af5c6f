// The settings of the check, from text by the names of protocol/token-check.md: an environment, or
// a configuration that has those names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "relying-party/cpp/verdict.h"

namespace touchmark::relying {

enum class SettingError {
  kBadValue,  // a value that the setting cannot have
  kEmpty,     // a setting that is there, and empty
  kMissing,   // neither a secret nor a JWKS, or a setting that another needs
  kUnknown,   // a letter or two from the name of a setting
};
std::string_view error_id(SettingError error);

enum class Mode : std::uint8_t { kEnforce, kReport, kOff };
std::string_view to_string(Mode mode);
std::optional<Mode> mode_named(std::string_view text);

struct SecretSetting {
  std::optional<std::string> kid{};
  Bytes secret;
  Bytes decoy_secret;  // given, or derived
};

struct RedisAddress {
  std::string host;
  std::uint16_t port = 6379;
  unsigned database = 0;
};

struct Settings {
  std::vector<SecretSetting> secrets{};
  std::string jwks{};  // URL or path; empty: none
  Mode mode = Mode::kEnforce;
  unsigned percent = 100;
  std::string token_header = "Touchmark-Token";
  std::string token_prefix{};
  std::vector<std::string> binding_headers{};
  std::optional<std::string> audience{};
  std::optional<std::string> issuer{};
  std::optional<Level> level{};
  double leeway = 0;  // seconds
  bool single_use = false;
  std::optional<RedisAddress> redis{};  // where tokens are spent; memory when there is none
  bool replay_failure_is_open = false;

  std::vector<Bytes> approov_secrets{};
  std::vector<std::string> approov_binding_headers{};
  std::string firebase_project{};  // the project's number; empty: none
  std::string firebase_jwks{};
};

using SettingsText = std::map<std::string, std::string, std::less<>>;

// `warn` hears of names that begin with TOUCHMARK_ and that nothing reads; `also_known`: names of
// the caller's own. An error's message begins with the setting's name and holds no secret.
Result<Settings> read_settings(const SettingsText& source,
                               const std::function<void(const std::string&)>& warn = {},
                               const std::vector<std::string>& also_known = {});
// Of this process's environment, what begins with TOUCHMARK_ in any case.
SettingsText settings_of_environment();

// The names of all settings.
const std::vector<std::string>& setting_names();

// One value each, for the settings of a route; `name` is for the message.
Result<unsigned> parse_percent(std::string_view name, std::string_view text);
Result<std::vector<std::string>> parse_header_names(std::string_view name, std::string_view text);
bool is_http_token(std::string_view text);  // RFC 9110 section 5.6.2

}  // namespace touchmark::relying
