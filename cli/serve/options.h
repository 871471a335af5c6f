// The options of `touchmark serve`: from the command line to settings that were checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/line/command.h"
#include "cli/serve/device_evidence_options.h"
#include "verifier/http/client_address.h"
#include "verifier/http/log.h"
#include "verifier/state/settings.h"

namespace touchmark::cli::serve {

// Fewer where the system allows fewer descriptors; any other number has to fit.
inline constexpr unsigned kDefaultConnections = 4096;

// As given; the defaults are those of --help.
struct ServeOptions {
  std::string data;
  std::string listen = "127.0.0.1:8443";
  std::string admin_listen;
  std::vector<std::string> public_urls;
  std::vector<std::string> hosts;
  std::string certificate;
  std::string key;
  std::string master_key;
  std::vector<std::string> service_pins;
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
  unsigned threads = 0;
  unsigned max_connections = kDefaultConnections;
  unsigned code_cache_mib = 256;
  std::uint64_t max_upload = std::uint64_t{2} << 30;
};

void add_options(line::Command& command, ServeOptions& options);
// Those of the data folder and of the tokens that are made in it alone.
void add_data_options(line::Command& command, ServeOptions& options);

enum class OptionError {
  kBadValue,     // the message names the option
  kConflicting,  // two options that exclude, or need, each other
};
std::string_view error_id(OptionError error);

struct ListenAddress {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

// What needs no look at the disk; the rest of ServiceSettings follows from the certificate and the
// port.
struct ServePlan {
  ListenAddress listen;
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
Result<ServePlan> make_plan(const ServeOptions& options);

}  // namespace touchmark::cli::serve
