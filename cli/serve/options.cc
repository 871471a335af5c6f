#include "cli/serve/options.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <thread>

#include "base/clock.h"
#include "base/encoding.h"
#include "protocol/idn/unicode_host.h"
#include "verifier/http/text.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMaxThreads = 256;
constexpr unsigned kMaxCodeCacheMib = 1 << 20;

tl::unexpected<Error> bad_value(const std::string& option, const std::string& what) {
  return fail(OptionError::kBadValue, option + ": " + what);
}

// "127.0.0.1:8443", "[::1]:8443", ":8443" (every address).
Result<ListenAddress> parse_listen(const std::string& option, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad_value(option, "\"" + text + "\" is not ADDR:PORT");
  ListenAddress listen{text.substr(0, colon), 0};
  const std::string port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return bad_value(option, "\"" + port + "\" is not a port from 0 to 65535");
  }
  if (listen.address.starts_with('[') && listen.address.ends_with(']')) {
    listen.address = listen.address.substr(1, listen.address.size() - 2);
  }
  if (listen.address.empty()) listen.address = "::";
  if (listen.address == "localhost") listen.address = "127.0.0.1";
  return listen;
}

Result<std::string> parse_public_url(const std::string& text) {
  constexpr std::string_view kScheme = "https://";
  std::string_view host = text;
  if (host.ends_with('/')) host.remove_suffix(1);
  const bool https = host.starts_with(kScheme);
  if (https) host.remove_prefix(kScheme.size());
  if (https && protocol::parse_host_port(host)) return std::string(kScheme).append(host);
  const auto unicode = protocol::parse_unicode_host_port(host);
  if (https && unicode) return std::string(kScheme) + to_string(*unicode);
  return bad_value("--public-url", "\"" + text + "\" is not https://HOST[:PORT]");
}

Result<Seconds> parse_lifetime(const std::string& option, const std::string& text) {
  auto duration = parse_duration(text);
  if (!duration) return bad_value(option, duration.error().message());
  return duration;
}

// A name or value that goes into a header of HTTP (RFC 9110 section 5.6.2, kept to the safe part).
bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

fs::path default_data_folder() {
  if (::geteuid() == 0) return "/var/lib/touchmark";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    return fs::path(data) / "touchmark";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : ".") / ".local/share/touchmark";
}

// ../share/touchmark beside the running program.
fs::path default_sdk_dir() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "share/touchmark").lexically_normal();
}

Result<void> check_together(const ServeOptions& options) {
  const auto conflict = [](const std::string& message) {
    return fail(OptionError::kConflicting, message);
  };
  if (options.certificate.empty() != options.key.empty()) {
    return conflict("--cert and --key go together");
  }
  if (options.tls_terminated_by_proxy && options.service_pins.empty()) {
    return conflict(
        "--tls-terminated-by-proxy needs --service-pin: the key that clients see is the proxy's");
  }
  if (options.tls_terminated_by_proxy && options.public_urls.empty()) {
    return conflict("--tls-terminated-by-proxy needs --public-url: clients reach the proxy");
  }
  if (options.trust_forwarded_for && !options.trusted_proxies.empty()) {
    return conflict(
        "--trust-forwarded-for takes the word of whoever connects, and --trusted-proxy names them: "
        "leave one out");
  }
  if (!options.trusted_proxies.empty() && !options.tls_terminated_by_proxy) {
    return conflict(
        "--trusted-proxy needs --tls-terminated-by-proxy: a proxy that does not terminate TLS "
        "cannot "
        "add a header");
  }
  if (!options.forwarded_header.empty() && !options.trust_forwarded_for &&
      options.trusted_proxies.empty()) {
    return conflict("--forwarded-header needs --trusted-proxy: whose header it is");
  }
  if (options.trust_forwarded_for && !options.tls_terminated_by_proxy) {
    return conflict(
        "--trust-forwarded-for needs --tls-terminated-by-proxy: without a proxy clients would "
        "choose their own address");
  }
  return {};
}

Result<verifier::state::ServiceSettings> service_settings(const ServeOptions& options) {
  verifier::state::ServiceSettings out;
  for (const std::string& text : options.public_urls) {
    auto url = parse_public_url(text);
    if (!url) return pass(url);
    out.public_urls.push_back(std::move(*url));
  }
  for (const std::string& pin : options.service_pins) {
    if (!base64_digest(pin)) {
      return bad_value("--service-pin", "\"" + pin + "\" is not the padded base64 of a SHA-256");
    }
  }
  auto token_lifetime = parse_lifetime("--token-lifetime", options.token_lifetime);
  if (!token_lifetime) return pass(token_lifetime);
  auto challenge_lifetime = parse_lifetime("--challenge-lifetime", options.challenge_lifetime);
  if (!challenge_lifetime) return pass(challenge_lifetime);
  if (!is_header_name(options.token_header)) {
    return bad_value("--token-header", "\"" + options.token_header + "\" is not a header name");
  }
  if (!std::ranges::all_of(options.token_prefix, [](char c) { return c >= ' ' && c <= '~'; })) {
    return bad_value("--token-prefix", "only printable ASCII can stand in a header");
  }
  out.token_lifetime = *token_lifetime;
  out.challenge_lifetime = *challenge_lifetime;
  out.service_pins = options.service_pins;
  out.tls_terminated_by_proxy = options.tls_terminated_by_proxy;
  out.token_header = options.token_header;
  out.token_prefix = options.token_prefix;
  out.allow_host_builds = options.allow_host_builds;
  out.reveal_reasons = options.reveal_reasons;
  out.code_cache_bytes = std::size_t{options.code_cache_mib} << 20;
  out.extra_claims = options.claims;
  out.issuer = options.issuer;
  out.audience = options.audience;
  return out;
}

Result<void> read_network(const ServeOptions& options, ServePlan& plan) {
  auto listen = parse_listen("--listen", options.listen);
  if (!listen) return pass(listen);
  plan.listen = std::move(*listen);
  if (!options.admin_listen.empty()) {
    auto admins = parse_listen("--admin-listen", options.admin_listen);
    if (!admins) return pass(admins);
    if (admins->port != 0 && admins->port == plan.listen.port &&
        admins->address == plan.listen.address) {
      return fail(OptionError::kConflicting,
                  "--admin-listen and --listen are the same: give operators another port");
    }
    plan.admin_listen = std::move(*admins);
  }
  auto proxies = verifier::http::TrustedProxies::parse(options.trusted_proxies);
  if (!proxies) return bad_value("--trusted-proxy", proxies.error().message());
  plan.proxies = options.trust_forwarded_for ? verifier::http::TrustedProxies::whoever_connects()
                                             : std::move(*proxies);
  if (verifier::http::same_word(options.forwarded_header, "X-Forwarded-For")) {
    plan.forwarded = verifier::http::ForwardedHeader::kXForwardedFor;
  } else if (verifier::http::same_word(options.forwarded_header, "Forwarded")) {
    plan.forwarded = verifier::http::ForwardedHeader::kForwarded;
  } else if (!options.forwarded_header.empty()) {
    return bad_value("--forwarded-header",
                     "\"" + options.forwarded_header + "\" is not X-Forwarded-For or Forwarded");
  }
  return {};
}

Result<verifier::http::LogLevel> parse_log_level(const std::string& text) {
  if (text == "debug") return verifier::http::LogLevel::kDebug;
  if (text == "info") return verifier::http::LogLevel::kInfo;
  if (text == "warning") return verifier::http::LogLevel::kWarning;
  if (text == "error") return verifier::http::LogLevel::kError;
  return bad_value("--log-level", "\"" + text + "\" is not debug, info, warning or error");
}

void add_token_options(line::Command& command, ServeOptions& options) {
  const auto group = [](line::Option* option) { option->group("Tokens"); };
  group(command.add_option("--token-lifetime", options.token_lifetime, "How long a token is valid")
            ->show_default());
  group(command
            .add_option("--challenge-lifetime", options.challenge_lifetime,
                        "How long a challenge can be answered")
            ->show_default());
  group(command.add_option("--token-header", options.token_header, "Header that carries the token")
            ->show_default());
  group(command.add_option("--token-prefix", options.token_prefix,
                           "Text before the token in that header, such as \"Bearer \""));
  group(command
            .add_option("--claims", options.claims,
                        "Claims to add: iss, aud, sub, iat, jti, arc, anno, ipk, lvl, ear")
            ->delimiter(','));
  group(command.add_option("--issuer", options.issuer, "Value of the claim iss"));
  group(command.add_option("--audience", options.audience, "Value of the claim aud"));
  group(command.add_flag("--reveal-reasons", options.reveal_reasons,
                         "Tell apps the response code and the reasons: for development"));
  group(command.add_flag("--allow-host-builds", options.allow_host_builds,
                         "Accept the SDK's Linux build, which proves no phone: for the lab"));
}

void add_network_options(line::Command& command, ServeOptions& options) {
  const auto group = [](line::Option* option) { option->group("Network"); };
  group(command.add_option("--listen", options.listen, "ADDR:PORT; port 0 takes any free one")
            ->show_default());
  group(command.add_option("--admin-listen", options.admin_listen,
                           "ADDR:PORT for operators, who are then met there alone"));
  group(command.add_option("--public-url", options.public_urls,
                           "https://HOST[:PORT] as apps reach the service; repeat for failover"));
  group(command.add_option("--host", options.hosts,
                           "Further name or address in the development certificate; repeatable"));
  group(command.add_option("--cert", options.certificate,
                           "Certificate chain (PEM) instead of the self-signed one"));
  group(command.add_option("--key", options.key, "Its private key (PEM)"));
  group(
      command.add_option("--service-pin", options.service_pins,
                         "Further key that apps may see (base64 SHA-256 of its SPKI); repeatable"));
  group(command.add_flag("--tls-terminated-by-proxy", options.tls_terminated_by_proxy,
                         "Apps speak TLS with a proxy: evidence is not bound to the connection"));
  command.add_flag("--tls-ended-by-proxy", options.tls_terminated_by_proxy, "The old spelling")
      ->group("");
  group(command.add_option("--trusted-proxy", options.trusted_proxies,
                           "Network (10.0.0.0/8) or address of a proxy whose X-Forwarded-For or "
                           "Forwarded tells a client's address; repeatable"));
  group(command.add_option("--forwarded-header", options.forwarded_header,
                           "The one of the two that the proxy writes; without it X-Forwarded-For, "
                           "and Forwarded where there is none"));
  group(command.add_flag("--trust-forwarded-for", options.trust_forwarded_for,
                         "Take the word of whoever connects, and of no proxy before them: "
                         "--trusted-proxy is safer"));
  group(command
            .add_option("--max-connections", options.max_connections,
                        "Connections at a time; idle ones give way to new ones")
            ->show_default());
  group(command.add_option("--max-upload", options.max_upload, "Largest package in bytes")
            ->show_default());
  group(command
            .add_option("--code-cache", options.code_cache_mib,
                        "MiB of memory for the code of registered releases, which attestations "
                        "then read from no disk")
            ->show_default());
  group(command.add_option("--threads", options.threads,
                           "Threads for the network; 0: one per processor"));
}

void add_log_options(line::Command& command, ServeOptions& options) {
  const auto group = [](line::Option* option) { option->group("Log"); };
  group(command.add_option("--log-format", options.log_format, "text or json")->show_default());
  group(command.add_option("--log-level", options.log_level, "debug, info, warning or error")
            ->show_default());
  group(command.add_option("--log-file", options.log_file, "Append to FILE instead of stderr"));
}

}  // namespace

std::string_view error_id(OptionError error) {
  using enum OptionError;
  static constexpr auto kIds = error_table<OptionError>({
      {kBadValue, "option.bad-value"},
      {kConflicting, "option.conflicting"},
  });
  return kIds[error];
}

void add_options(line::Command& command, ServeOptions& options) {
  command.add_option("--data", options.data,
                     "Folder for database, keys and certificate; made on the first start");
  command.add_option("--master-key", options.master_key,
                     "File of the key that seals the secrets, if not in the data folder");
  command.add_option("--credentials-file", options.credentials_file,
                     "New file for new operator tokens, as JSON (mode 0600). Without it they go to "
                     "the terminal or, where there is none, to operator-tokens.json in the data "
                     "folder");
  command.add_flag("--reset-operator-tokens", options.reset_operator_tokens,
                   "Replace the admin and developer tokens; the old ones end");
  command.add_flag("--reset-policy", options.reset_policy,
                   "Put the default policy into force in place of the stored one, such as one that "
                   "cannot be read");
  command.add_option("--sdk-dir", options.sdk_dir, "Folder that holds touchmark_sdk.aar");
  add_network_options(command, options);
  add_token_options(command, options);
  add_hardware_options(command, options.hardware);
  add_log_options(command, options);
}

Result<ServePlan> make_plan(const ServeOptions& options) {
  if (auto ok = check_together(options); !ok) return pass(ok);
  ServePlan plan;
  if (auto ok = read_network(options, plan); !ok) return pass(ok);
  auto service = service_settings(options);
  if (!service) return pass(service);
  plan.service = std::move(*service);
  auto level = parse_log_level(options.log_level);
  if (!level) return pass(level);
  plan.log_level = *level;
  if (options.log_format != "text" && options.log_format != "json") {
    return bad_value("--log-format", "\"" + options.log_format + "\" is not text or json");
  }
  plan.log_format = options.log_format == "json" ? verifier::http::LogFormat::kJson
                                                 : verifier::http::LogFormat::kText;
  if (options.threads > kMaxThreads) return bad_value("--threads", "at most 256");
  if (options.code_cache_mib > kMaxCodeCacheMib) {
    return bad_value("--code-cache", "at most " + std::to_string(kMaxCodeCacheMib) + " MiB");
  }
  // Its place in the data folder does not matter yet: a wrong option makes no folder.
  if (auto ok = revocation_settings(options.hardware, {}); !ok) return pass(ok);
  if (options.max_connections == 0) return bad_value("--max-connections", "at least 1");
  plan.threads =
      options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  plan.data = options.data.empty() ? default_data_folder() : fs::path(options.data);
  plan.sdk_dir = options.sdk_dir.empty() ? default_sdk_dir() : fs::path(options.sdk_dir);
  if (!options.master_key.empty()) plan.master_key = options.master_key;
  plan.certificate_hosts = {"localhost", "127.0.0.1", "::1"};
  for (const std::string& host : options.hosts) {
    if (std::ranges::find(plan.certificate_hosts, host) == plan.certificate_hosts.end()) {
      plan.certificate_hosts.push_back(host);
    }
  }
  return plan;
}

}  // namespace touchmark::cli::serve
