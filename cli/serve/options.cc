#include "cli/serve/options.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <thread>

#include "base/encoding.h"
#include "base/text.h"
#include "protocol/idn/unicode_host.h"
#include "protocol/limits.h"
#include "verifier/http/text.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSealingKeyBytes = 32;
constexpr std::size_t kFewestHexDigits = 2 * kSealingKeyBytes;

tl::unexpected<Error> bad_value(const std::string& what) {
  return fail(OptionError::kBadValue, what);
}

bool tells_verdict(const std::string& claim) {
  return claim == "arc" || claim == "anno" || claim == "ear";
}

bool has(const std::vector<std::string>& list, const char* word) {
  return std::ranges::find(list, word) != list.end();
}

bool same_place(const ListenAddress& a, const ListenAddress& b) {
  return a.port == b.port && (a.address == b.address || is_every_address(a) || is_every_address(b));
}

// Those that cannot be read are told elsewhere.
void find_same_ports(const ServeOptions& options, std::vector<Conflict>& out) {
  std::vector<ListenAddress> seen;
  const auto look = [&](const std::string& text, const char* option, const std::string& message) {
    auto listen = parse_listen(text);
    if (!listen || listen->port == 0) return;
    for (const ListenAddress& other : seen) {
      if (same_place(*listen, other)) out.push_back({option, shown(text) + message});
    }
    seen.push_back(std::move(*listen));
  };
  for (const std::string& text : options.listen) {
    look(text, "listen", " and another address to listen on are the same, or one holds the other");
  }
  if (options.admin_listen.empty()) return;
  look(options.admin_listen, "admin-listen",
       " and --listen are the same: give operators another port");
}

void find_proxy_conflicts(const ServeOptions& options, std::vector<Conflict>& out) {
  if (options.tls_terminated_by_proxy && options.service_pins.empty()) {
    out.push_back({"tls-terminated-by-proxy",
                   "needs --service-pin: the key that clients see is the proxy's"});
  }
  if (options.tls_terminated_by_proxy && options.public_urls.empty()) {
    out.push_back({"tls-terminated-by-proxy", "needs --public-url: clients reach the proxy"});
  }
  if (options.trust_forwarded_for && !options.trusted_proxies.empty()) {
    out.push_back({"trust-forwarded-for",
                   "takes the word of whoever connects, and --trusted-proxy names them: leave one "
                   "out"});
  }
  if (!options.trusted_proxies.empty() && !options.tls_terminated_by_proxy) {
    out.push_back({"trusted-proxy",
                   "needs --tls-terminated-by-proxy: a proxy that does not terminate TLS cannot "
                   "add a header"});
  }
  if (!options.forwarded_header.empty() && !options.trust_forwarded_for &&
      options.trusted_proxies.empty()) {
    out.push_back({"forwarded-header", "needs --trusted-proxy: whose header it is"});
  }
  if (options.trust_forwarded_for && !options.tls_terminated_by_proxy) {
    out.push_back({"trust-forwarded-for",
                   "needs --tls-terminated-by-proxy: without a proxy clients would choose their "
                   "own address"});
  }
}

// The bounds of what an app takes, and what claims need.
void find_service_conflicts(const ServeOptions& options, std::vector<Conflict>& out) {
  if (options.public_urls.size() > protocol::kMaxUrls) {
    out.push_back({"public-url", std::to_string(options.public_urls.size()) +
                                     " are too many: an app takes at most " +
                                     std::to_string(protocol::kMaxUrls)});
  }
  for (const std::string& claim : options.claims) {
    if (!tells_verdict(claim) || options.reveal_reasons) continue;
    out.push_back({"claims", "\"" + claim +
                                 "\" tells the app its verdict, and needs "
                                 "--reveal-reasons"});
  }
  if (has(options.claims, "iss") && options.issuer.empty()) {
    out.push_back({"claims", "\"iss\" needs --issuer"});
  }
  if (has(options.claims, "aud") && options.audience.empty()) {
    out.push_back({"claims", "\"aud\" needs --audience"});
  }
  if (options.hardware.revocation_required && options.hardware.revocation == "off") {
    out.push_back({"revocation-required", "needs a list, and --revocation is off"});
  }
}

verifier::http::ForwardedHeader forwarded_header(const std::string& text) {
  using enum verifier::http::ForwardedHeader;
  if (same_word(text, "X-Forwarded-For")) return kXForwardedFor;
  return same_word(text, "Forwarded") ? kForwarded : kEither;
}

Result<void> read_network(const ServeOptions& options, ServePlan& plan) {
  for (const std::string& text : options.listen) {
    auto listen = parse_listen(text);
    if (!listen) return pass(listen);
    plan.listen.push_back(std::move(*listen));
  }
  if (plan.listen.empty()) return bad_value("no address to listen on");
  if (!options.admin_listen.empty()) {
    auto admins = parse_listen(options.admin_listen);
    if (!admins) return pass(admins);
    plan.admin_listen = std::move(*admins);
  }
  auto proxies = verifier::http::TrustedProxies::parse(options.trusted_proxies);
  if (!proxies) return pass(proxies);
  plan.proxies = options.trust_forwarded_for ? verifier::http::TrustedProxies::whoever_connects()
                                             : std::move(*proxies);
  plan.forwarded = forwarded_header(options.forwarded_header);
  return {};
}

Result<verifier::state::ServiceSettings> service_settings(const ServeOptions& options) {
  verifier::state::ServiceSettings out;
  for (const std::string& text : options.public_urls) {
    auto url = parse_public_url(text);
    if (!url) return pass(url);
    out.public_urls.push_back(std::move(*url));
  }
  auto token_lifetime = parse_duration(options.token_lifetime);
  if (!token_lifetime) return pass(token_lifetime);
  auto challenge_lifetime = parse_duration(options.challenge_lifetime);
  if (!challenge_lifetime) return pass(challenge_lifetime);
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

}  // namespace

std::string_view error_id(OptionError error) {
  using enum OptionError;
  static constexpr auto kIds = error_table<OptionError>({
      {kBadValue, "option.bad-value"},
      {kConflicting, "option.conflicting"},
      {kUnknown, "option.unknown"},
      {kBadFile, "option.bad-file"},
  });
  return kIds[error];
}

std::string to_string(const ListenAddress& listen) {
  const bool is_v6 = listen.address.find(':') != std::string::npos;
  return (is_v6 ? "[" + listen.address + "]" : listen.address) + ":" + std::to_string(listen.port);
}

bool is_every_address(const ListenAddress& listen) {
  return listen.address == "::" || listen.address == "0.0.0.0";
}

Result<ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad_value(shown(text) + " is not HOST:PORT");
  ListenAddress listen{text.substr(0, colon), 0};
  const std::string port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return bad_value(shown(port) + " is not a port from 0 to 65535");
  }
  if (listen.address.starts_with('[') && listen.address.ends_with(']')) {
    listen.address = listen.address.substr(1, listen.address.size() - 2);
  }
  if (listen.address.empty() || listen.address == "*") listen.address = "::";
  if (listen.address == "localhost") listen.address = "127.0.0.1";
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(listen.address, not_an_address);
  if (not_an_address) {
    return bad_value(shown(listen.address) + " is not an IP address; :" + port +
                     " is every address");
  }
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
  return bad_value(shown(text) + " is not https://HOST[:PORT]");
}

Result<verifier::http::LogLevel> parse_log_level(const std::string& text) {
  if (text == "debug") return verifier::http::LogLevel::kDebug;
  if (text == "info") return verifier::http::LogLevel::kInfo;
  if (text == "warning") return verifier::http::LogLevel::kWarning;
  if (text == "error") return verifier::http::LogLevel::kError;
  return bad_value(shown(text) + " is not debug, info, warning or error");
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool looks_like_a_key(std::string_view text) {
  const auto base64 = base64_decode(text);
  if (base64 && base64->size() == kSealingKeyBytes) return true;
  return text.size() >= kFewestHexDigits && hex_decode(text).has_value();
}

std::vector<Conflict> find_conflicts(const ServeOptions& options) {
  std::vector<Conflict> out;
  if (options.certificate.empty() != options.key.empty()) {
    const bool has_key = options.certificate.empty();
    out.push_back({has_key ? "key" : "cert",
                   has_key ? "needs --cert: they go together" : "needs --key: they go together"});
  }
  find_same_ports(options, out);
  find_proxy_conflicts(options, out);
  find_service_conflicts(options, out);
  return out;
}

fs::path default_data_folder() {
  // systemd's StateDirectory=; the first, where it names several.
  if (const char* state = std::getenv("STATE_DIRECTORY"); state != nullptr && *state == '/') {
    const std::string_view all(state);
    return all.substr(0, all.find(':'));
  }
  if (::geteuid() == 0) return "/var/lib/touchmark";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    return fs::path(data) / "touchmark";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : ".") / ".local/share/touchmark";
}

fs::path default_sdk_dir() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "share/touchmark").lexically_normal();
}

Result<ServePlan> make_plan(const ServeOptions& options) {
  for (const Conflict& conflict : find_conflicts(options)) {
    return fail(OptionError::kConflicting, "--" + conflict.option + ": " + conflict.message);
  }
  ServePlan plan;
  if (auto ok = read_network(options, plan); !ok) return pass(ok);
  auto service = service_settings(options);
  if (!service) return pass(service);
  plan.service = std::move(*service);
  auto level = parse_log_level(options.log_level);
  if (!level) return pass(level);
  plan.log_level = *level;
  plan.log_format = options.log_format == "json" ? verifier::http::LogFormat::kJson
                                                 : verifier::http::LogFormat::kText;
  // Its place in the data folder does not matter yet: a wrong option makes no folder.
  if (auto ok = revocation_settings(options.hardware, {}); !ok) return pass(ok);
  plan.threads = options.threads != 0 ? static_cast<unsigned>(options.threads)
                                      : std::max(1U, std::thread::hardware_concurrency());
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
