#include "cli/service/profile.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/domain.h"
#include "cli/service/pin.h"

namespace touchmark::cli::service {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxProfileBytes = 1U << 20;

Result<fs::path> profile_folder(const Environment& environment) {
  if (auto home = environment("TOUCHMARK_HOME")) return fs::path(*home) / "profiles";
  if (auto config = environment("XDG_CONFIG_HOME")) {
    return fs::path(*config) / "touchmark" / "profiles";
  }
  if (auto home = environment("HOME")) return fs::path(*home) / ".config/touchmark/profiles";
  return fail(io::CliError::kUsage, "there is no home folder; set HOME or TOUCHMARK_HOME");
}

Result<Endpoint> endpoint_from_json(const Json& json) {
  auto url = get_string(json, "url");
  if (!url) return pass(url);
  Endpoint endpoint;
  endpoint.url = *url;
  endpoint.token = find_string(json, "token").value_or("");
  endpoint.ca_pem = find_string(json, "ca_pem").value_or("");
  if (const Json* pins = find_array(json, "pins")) {
    for (const Json& pin : *pins) {
      auto checked = parse_pin(pin.is_string() ? pin.get<std::string>() : std::string());
      if (!checked) return pass(checked);
      endpoint.pins.push_back(*checked);
    }
  }
  return endpoint;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Result<fs::path> profile_path(const Environment& environment, const std::string& name) {
  const bool plain =
      !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
      });
  if (!plain) {
    return fail(io::CliError::kUsage,
                fmt::format("'{}' cannot be the name of a profile; use letters, "
                            "digits, '-', '_' and '.'",
                            name));
  }
  auto folder = profile_folder(environment);
  if (!folder) return pass(folder);
  return *folder / (name + ".json");
}

Result<void> save_profile(const Environment& environment, const std::string& name,
                          const Endpoint& endpoint) {
  auto path = profile_path(environment, name);
  if (!path) return pass(path);
  std::error_code error;
  fs::create_directories(path->parent_path(), error);
  if (!error) {
    fs::permissions(path->parent_path(), fs::perms::owner_all, fs::perm_options::replace, error);
  }
  if (error) {
    return fail(error == std::errc::no_space_on_device ? FileError::kNoSpace : FileError::kIo,
                fmt::format("cannot make {}: {}", path->parent_path().string(), error.message()));
  }
  const Json json = {{"url", endpoint.url},
                     {"token", endpoint.token},
                     {"pins", endpoint.pins},
                     {"ca_pem", endpoint.ca_pem}};
  return write_file_atomic(*path, as_bytes(json.dump(2) + '\n'), 0600);
}

Result<Endpoint> load_profile(const Environment& environment, const std::string& name) {
  auto path = profile_path(environment, name);
  if (!path) return pass(path);
  struct stat info {};
  if (stat(path->c_str(), &info) != 0) {
    if (name == kDefaultProfile) {
      return fail(io::CliError::kNotConfigured, "no service is set up yet");
    }
    return fail(io::CliError::kNoSuchProfile, fmt::format("there is no profile '{}'", name));
  }
  if ((info.st_mode & 077U) != 0) {
    return fail(
        io::CliError::kBadProfile,
        fmt::format("{} holds a token but may be used by others (mode {:03o}): chmod 600 it",
                    path->string(), info.st_mode & 0777U));
  }
  auto text = read_file(*path, kMaxProfileBytes);
  if (!text) return pass(text);
  auto json = parse_json(as_text(*text));
  if (!json) {
    return fail(io::CliError::kBadProfile,
                fmt::format("profile {} is damaged: {}", path->string(), json.error().message()));
  }
  auto endpoint = endpoint_from_json(*json);
  if (!endpoint) {
    return fail(io::CliError::kBadProfile, fmt::format("profile {} is damaged: {}", path->string(),
                                                       endpoint.error().message()));
  }
  return endpoint;
}

Result<Endpoint> resolve_endpoint(const Environment& environment, const std::string& profile) {
  const auto url = environment("TOUCHMARK_URL");
  const auto token = environment("TOUCHMARK_TOKEN");
  const auto pin = environment("TOUCHMARK_PIN");

  Endpoint endpoint;
  auto stored = load_profile(environment, profile);
  if (stored) {
    endpoint = *stored;
  } else if (!url || !stored.error().is(io::CliError::kNotConfigured)) {
    return pass(stored);
  }
  if (url) {
    auto normal = normalize_url(*url);
    if (!normal) return pass(normal);
    if (*normal != endpoint.url)
      endpoint = Endpoint{.url = *normal, .token = {}, .pins = {}, .ca_pem = {}};
  }
  if (token) {
    auto checked = parse_operator_token(*token);
    if (!checked) return pass(checked);
    endpoint.token = *checked;
  }
  if (pin) {
    auto checked = parse_pin(*pin);
    if (!checked) return pass(checked);
    endpoint.pins = {*checked};
  }
  if (endpoint.token.empty()) {
    return fail(io::CliError::kNotConfigured, "there is no operator token for " + endpoint.url);
  }
  return endpoint;
}

Result<std::string> parse_operator_token(std::string_view text) {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  constexpr std::size_t kMaxBytes = 4096;
  const std::string_view token = io::trim(text);
  if (token.empty() || token.size() > kMaxBytes ||
      token.find_first_not_of(kCharacters) != std::string_view::npos) {
    return fail(io::CliError::kUsage,
                "that is no operator token; copy it again from what `touchmark serve` printed");
  }
  return std::string(token);
}

Result<std::string> normalize_url(std::string_view text) {
  const std::string url = lower(io::trim(text));
  if (url.find("://") != std::string::npos && !url.starts_with("https://")) {
    return fail(
        io::CliError::kUsage,
        fmt::format("'{}' is not an https:// address; the service speaks HTTPS only", text));
  }
  auto domain = normalize_domain(url);
  if (!domain) {
    return fail(io::CliError::kUsage,
                fmt::format("'{}' is not an address; write it like https://host:8443", text));
  }
  return "https://" + *domain;
}

}  // namespace touchmark::cli::service
