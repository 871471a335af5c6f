// The options of `touchmark serve` as values, and the settings that follow from them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/serve/device_evidence_options.h"
#include "verifier/http/client_address.h"
#include "verifier/http/log.h"
#include "verifier/state/settings.h"

namespace touchmark::cli::serve {

// Fewer where the system allows fewer descriptors; any other number has to fit.
inline constexpr std::uint64_t kDefaultConnections = 4096;
inline constexpr std::uint64_t kMaxConnections = 1'000'000;
inline constexpr std::uint64_t kMaxThreads = 256;
inline constexpr std::uint64_t kMaxCodeCacheMib = 1 << 20;
inline constexpr std::uint64_t kMaxUploadBytes = std::uint64_t{1} << 40;

// As given; the defaults are those of --help. option_table.h has a row for each.
struct ServeOptions {
  std::string data;
  std::vector<std::string> listen{"127.0.0.1:8443"};
  std::string admin_listen;
  std::vector<std::string> public_urls;
  std::vector<std::string> hosts;
  std::string certificate;
  std::string key;
  std::string master_key;
  std::vector<std::string> service_pins;
  std::vector<std::string> give_up_pins;
  std::string credentials_file;
  bool reset_operator_tokens = false;
  bool reset_policy = false;

  std::string token_lifetime = "300s";
  std::string challenge_lifetime = "120s";
  std::string token_header = "Touchmark-Token";
  std::string token_prefix;
  std::vector<std::string> claims;
  std::string issuer;
  std::string audience;
  bool reveal_reasons = false;
  bool allow_host_builds = false;

  HardwareOptions hardware;

  bool tls_terminated_by_proxy = false;
  std::vector<std::string> trusted_proxies;
  std::string forwarded_header;
  bool trust_forwarded_for = false;

  std::string sdk_dir;
  std::string log_format = "text";
  std::string log_level = "info";
  std::string log_file;
  std::uint64_t threads = 0;
  std::uint64_t max_connections = kDefaultConnections;
  std::uint64_t code_cache_mib = 256;
  std::uint64_t max_upload = std::uint64_t{2} << 30;
};

enum class OptionError {
  kBadValue,     // a value that an option cannot have
  kConflicting,  // two options that exclude, or need, each other
  kUnknown,      // no option of this name
  kBadFile,      // a configuration file that cannot be read, or is not TOML
};
std::string_view error_id(OptionError error);

struct ListenAddress {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool operator==(const ListenAddress&) const = default;
};
// "127.0.0.1:8443", "[::1]:8443".
std::string to_string(const ListenAddress& listen);
bool is_every_address(const ListenAddress& listen);

// One value each; the messages of kBadValue do not name the option.
// "127.0.0.1:8443", "[::1]:8443", ":8443" (every address).
Result<ListenAddress> parse_listen(const std::string& text);
// "https://host[:port]", its host in the one spelling of protocol::HostPort.
Result<std::string> parse_public_url(const std::string& text);
Result<verifier::http::LogLevel> parse_log_level(const std::string& text);
std::optional<std::uint64_t> parse_count(std::string_view text);
// The 32 bytes of a master key in base64 or hex, where the name of a file should stand.
bool looks_like_a_key(std::string_view text);

// Two options that exclude, or need, each other: the one to look at, and why.
struct Conflict {
  std::string option;  // "trusted-proxy"
  std::string message;
};
std::vector<Conflict> find_conflicts(const ServeOptions& options);

// What needs no look at the disk; the rest of ServiceSettings follows from the certificate and the
// port.
struct ServePlan {
  std::vector<ListenAddress> listen;
  std::optional<ListenAddress> admin_listen;
  verifier::http::TrustedProxies proxies;
  verifier::http::ForwardedHeader forwarded = verifier::http::ForwardedHeader::kEither;
  std::filesystem::path data;
  std::filesystem::path sdk_dir;
  std::optional<std::filesystem::path> master_key;
  std::vector<std::string> certificate_hosts;
  verifier::http::LogFormat log_format = verifier::http::LogFormat::kText;
  verifier::http::LogLevel log_level = verifier::http::LogLevel::kInfo;
  unsigned threads = 1;
  verifier::state::ServiceSettings service;
};
// Of options whose values were checked one by one (option_table.h) and that do not conflict.
Result<ServePlan> make_plan(const ServeOptions& options);

std::filesystem::path default_data_folder();
// ../share/touchmark beside the running program.
std::filesystem::path default_sdk_dir();

}  // namespace touchmark::cli::serve
