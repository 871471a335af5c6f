#include "cli/serve/option_table.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/text.h"
#include "verifier/appraisal/token.h"
#include "verifier/http/client_address.h"
#include "verifier/http/text.h"
#include "verifier/state/settings.h"

namespace touchmark::cli::serve {
namespace {

using Wrong = std::optional<std::string>;

// The member of ServeOptions, or of its hardware options, that `kMember` points to.
template <auto kMember>
auto& reach(ServeOptions& options) {
  if constexpr (std::is_invocable_v<decltype(kMember), HardwareOptions&>) {
    return options.hardware.*kMember;
  } else {
    return options.*kMember;
  }
}

// The message of a Result's error.
template <class T>
Wrong wrong(const Result<T>& result) {
  return result ? Wrong() : Wrong(result.error().message());
}

Wrong check_listen(const std::string& text) { return wrong(parse_listen(text)); }
Wrong check_public_url(const std::string& text) { return wrong(parse_public_url(text)); }
Wrong check_log_level(const std::string& text) { return wrong(parse_log_level(text)); }

Wrong check_not_empty(const std::string& text) {
  return text.empty() ? Wrong("is empty") : Wrong();
}

Wrong check_pin(const std::string& text) {
  if (base64_digest(text)) return {};
  return shown(text) + " is not the padded base64 of a SHA-256";
}

Wrong check_range(const std::string& text, Seconds least, Seconds most, const char* range) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error().message();
  if (*duration >= least && *duration <= most) return {};
  return shown(text) + " is not " + range;
}

Wrong check_token_lifetime(const std::string& text) {
  return check_range(text, Seconds(2), Seconds(86400), "between 2s and 1d");
}

Wrong check_challenge_lifetime(const std::string& text) {
  return check_range(text, Seconds(5), Seconds(3600), "between 5s and 1h");
}

Wrong check_duration(const std::string& text) { return wrong(parse_duration(text)); }

// A name or value that goes into a header of HTTP (RFC 9110 section 5.6.2, kept to the safe part).
Wrong check_header_name(const std::string& text) {
  const bool good = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return good ? Wrong() : Wrong(shown(text) + " is not a header name");
}

Wrong check_header_text(const std::string& text) {
  const bool good = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return good ? Wrong() : Wrong("only printable ASCII can stand in a header");
}

Wrong check_claim(const std::string& text) {
  if (verifier::appraisal::is_extra_claim(text)) return {};
  return shown(text) + " is not a claim that can be added";
}

Wrong check_network(const std::string& text) {
  return wrong(verifier::http::TrustedProxies::parse({text}));
}

Wrong check_forwarded_header(const std::string& text) {
  if (same_word(text, "X-Forwarded-For") || same_word(text, "Forwarded")) {
    return {};
  }
  return shown(text) + " is not X-Forwarded-For or Forwarded";
}

Wrong check_log_format(const std::string& text) {
  return text == "text" || text == "json" ? Wrong() : Wrong(shown(text) + " is not text or json");
}

Wrong check_app_id(const std::string& text) {
  if (is_app_id(text)) return {};
  return shown(text) + " is not TEAMID.BUNDLEID, as in ABCDE12345.com.example";
}

// The key itself in the place of its file's name: it must not be shown, or made a file of.
Wrong check_master_key(const std::string& text) {
  if (looks_like_a_key(text)) {
    return "that is a key, and not a file: write it into a file of mode 0600 and give that; a key "
           "on a command line or in the environment is there for others to read";
  }
  return check_not_empty(text);
}

Wrong check_number(const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto number = parse_count(text);
  if (number && *number >= least && *number <= most) return {};
  return shown(text) + " is not a whole number from " + std::to_string(least) + " to " +
         std::to_string(most);
}

Wrong check_threads(const std::string& text) { return check_number(text, 0, kMaxThreads); }
Wrong check_code_cache(const std::string& text) { return check_number(text, 0, kMaxCodeCacheMib); }
Wrong check_connections(const std::string& text) { return check_number(text, 1, kMaxConnections); }
Wrong check_upload(const std::string& text) { return check_number(text, 1, kMaxUploadBytes); }

using O = ServeOptions;
using H = HardwareOptions;
constexpr const char* kNetwork = "Network";
constexpr const char* kTokens = "Tokens";
constexpr const char* kHardware = "Hardware evidence";
constexpr const char* kLog = "Log";

constexpr auto kRows = std::to_array<OptionRow>({
    {"data", "", "FOLDER", "For database, keys and certificate; made on the first start",
     "/var/lib/touchmark for root, $STATE_DIRECTORY under systemd, else ~/.local/share/touchmark",
     &reach<&O::data>, check_not_empty, Use::kPath},
    {"master-key", "", "FILE",
     "Holds the key that seals the secrets. Never the key itself: a file, such as "
     "$CREDENTIALS_DIRECTORY/master.key",
     "systemd's credential master.key, else master.key in the data folder", &reach<&O::master_key>,
     check_master_key, Use::kPath},
    {"credentials-file", "", "FILE", "New file for new operator tokens, as JSON (mode 0600)",
     "the terminal, or operator-tokens.json in the data folder", &reach<&O::credentials_file>,
     check_not_empty, Use::kPath},
    {"reset-operator-tokens", "", "",
     "The older way to `touchmark serve reset-operator`: it replaces the developer's token too, "
     "and "
     "serves",
     "", &reach<&O::reset_operator_tokens>, nullptr, Use::kOneStart},
    {"reset-policy", "", "",
     "Put the default policy into force in place of the stored one, such as one that cannot be "
     "read",
     "", &reach<&O::reset_policy>, nullptr, Use::kOneStart},
    {"sdk-dir", "", "FOLDER", "Holds touchmark_sdk.aar", "share/touchmark beside the program",
     &reach<&O::sdk_dir>, check_not_empty, Use::kPath},

    {"listen", kNetwork, "HOST:PORT",
     "Address of this machine and port, port 0 for any free one; :8443 is every address; "
     "repeatable",
     "", &reach<&O::listen>, check_listen},
    {"admin-listen", kNetwork, "HOST:PORT", "For operators, who are then met there alone",
     "operators are met where apps are", &reach<&O::admin_listen>, check_listen},
    {"public-url", kNetwork, "URL",
     "https://HOST[:PORT] as apps reach the service; repeatable, for failover",
     "a guess that no phone reaches, and that `sdk config` refuses", &reach<&O::public_urls>,
     check_public_url},
    {"host", kNetwork, "HOST", "Further name or address in the development certificate; repeatable",
     "localhost, 127.0.0.1 and ::1", &reach<&O::hosts>, check_not_empty},
    {"cert", kNetwork, "FILE", "Certificate chain (PEM)", "a self-signed one in the data folder",
     &reach<&O::certificate>, check_not_empty, Use::kPath},
    {"key", kNetwork, "FILE", "Its private key (PEM)", "that of the self-signed one",
     &reach<&O::key>, check_not_empty, Use::kPath},
    {"service-pin", kNetwork, "PIN",
     "Further key that apps may see (base64 SHA-256 of its SPKI); repeatable",
     "the certificate's key and the backup key", &reach<&O::service_pins>, check_pin},
    {"give-up-pin", kNetwork, "PIN",
     "The key with this pin is lost for good: start with another, though apps that trust no other "
     "are locked out; repeatable",
     "none", &reach<&O::give_up_pins>, check_pin, Use::kOneStart},
    {"tls-terminated-by-proxy", kNetwork, "",
     "Apps speak TLS with a proxy: evidence is not bound to the connection", "",
     &reach<&O::tls_terminated_by_proxy>, nullptr},
    {"trusted-proxy", kNetwork, "NETWORK",
     "Network (10.0.0.0/8) or address of a proxy whose X-Forwarded-For or Forwarded tells a "
     "client's address; repeatable",
     "none", &reach<&O::trusted_proxies>, check_network},
    {"forwarded-header", kNetwork, "HEADER", "The one of the two that the proxy writes",
     "X-Forwarded-For, and Forwarded where there is none", &reach<&O::forwarded_header>,
     check_forwarded_header},
    {"trust-forwarded-for", kNetwork, "",
     "Take the word of whoever connects, and of no proxy before them: --trusted-proxy is safer", "",
     &reach<&O::trust_forwarded_for>, nullptr},
    {"max-connections", kNetwork, "COUNT", "Connections at a time; idle ones give way to new ones",
     "", &reach<&O::max_connections>, check_connections},
    {"max-upload", kNetwork, "BYTES", "Largest package", "", &reach<&O::max_upload>, check_upload},
    {"code-cache", kNetwork, "MIB",
     "Memory for the code of registered releases, which attestations then read from no disk", "",
     &reach<&O::code_cache_mib>, check_code_cache},
    {"threads", kNetwork, "COUNT", "Threads for the network", "0, one per processor",
     &reach<&O::threads>, check_threads},

    {"token-lifetime", kTokens, "DURATION", "How long a token is valid", "",
     &reach<&O::token_lifetime>, check_token_lifetime},
    {"challenge-lifetime", kTokens, "DURATION", "How long a challenge can be answered", "",
     &reach<&O::challenge_lifetime>, check_challenge_lifetime},
    {"token-header", kTokens, "HEADER", "Header that carries the token", "",
     &reach<&O::token_header>, check_header_name},
    {"token-prefix", kTokens, "PREFIX", "Before the token in that header, such as \"Bearer \"",
     "nothing", &reach<&O::token_prefix>, check_header_text},
    {"claims", kTokens, "CLAIMS",
     "To add, with commas between: iss, aud, sub, iat, jti, arc, anno, ipk, lvl, ear", "none",
     &reach<&O::claims>, check_claim},
    {"issuer", kTokens, "NAME", "Value of the claim iss", "none", &reach<&O::issuer>, nullptr},
    {"audience", kTokens, "NAME", "Value of the claim aud", "none", &reach<&O::audience>, nullptr},
    {"reveal-reasons", kTokens, "", "Tell apps the response code and the reasons: for development",
     "", &reach<&O::reveal_reasons>, nullptr},
    {"allow-host-builds", kTokens, "",
     "Accept the SDK's Linux build, which proves no phone: for the lab", "",
     &reach<&O::allow_host_builds>, nullptr},

    {"hardware-roots", kHardware, "FILE",
     "Trust these roots (PEM) beside Google's and Apple's: for the lab, whose phones are made "
     "under a root of its own",
     "Google's and Apple's alone", &reach<&H::more_roots>, check_not_empty, Use::kPath},
    {"play-integrity-keys", kHardware, "FILE",
     "The Play Console's response encryption keys: "
     "{\"PACKAGE\":{\"decryption_key\":..,\"verification_key\":..}}",
     "none, and no Play Integrity", &reach<&H::play_integrity_keys>, check_not_empty, Use::kPath},
    {"ios-app-id", kHardware, "ID",
     "TEAMID.BUNDLEID of an iOS app that is not registered itself, whose App Attest keys count; "
     "repeatable",
     "those of registered IPAs", &reach<&H::ios_app_ids>, check_app_id},
    {"revocation", kHardware, "LIST",
     "Android certificates that are revoked: a file, an https URL, \"google\" for Google's own "
     "list, or \"off\"",
     "", &reach<&H::revocation>, check_not_empty, Use::kPath},
    {"revocation-max-age", kHardware, "DURATION",
     "How long a list counts after it was last confirmed", "", &reach<&H::revocation_max_age>,
     check_duration},
    {"revocation-ca", kHardware, "FILE",
     "Trust these certificates (PEM) in place of the system's: for a mirror of the list",
     "the system's", &reach<&H::revocation_ca>, check_not_empty, Use::kPath},
    {"revocation-required", kHardware, "",
     "Find hardware.revocation-unknown where the list is missing or too old", "",
     &reach<&H::revocation_required>, nullptr},

    {"log-format", kLog, "FORMAT", "text or json", "", &reach<&O::log_format>, check_log_format},
    {"log-level", kLog, "LEVEL", "debug, info, warning or error", "", &reach<&O::log_level>,
     check_log_level},
    {"log-file", kLog, "FILE", "Append to it", "standard error", &reach<&O::log_file>,
     check_not_empty, Use::kPath},
});

std::string with(std::string_view name, char dash, bool upper) {
  std::string out(name);
  for (char& c : out) {
    if (c == '-') c = dash;
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

std::span<const OptionRow> option_table() { return kRows; }

const OptionRow* find_option(std::string_view name) {
  const auto* found = std::ranges::find(
      kRows, name, [](const OptionRow& row) { return std::string_view(row.name); });
  return found == kRows.end() ? nullptr : found;
}

std::string flag_name(const OptionRow& row) { return std::string("--") + row.name; }
std::string variable_name(const OptionRow& row) { return "TOUCHMARK_" + with(row.name, '_', true); }
std::string key_name(const OptionRow& row) { return with(row.name, '_', false); }

bool is_flag(const OptionRow& row) { return row.target.index() == 2; }
bool is_list(const OptionRow& row) { return row.target.index() == 1; }
bool is_number(const OptionRow& row) { return row.target.index() == 3; }

std::vector<std::string> values_of(const OptionRow& row, const ServeOptions& options) {
  ServeOptions all = options;  // the accessors serve for writing, too
  struct Read {
    ServeOptions& all;
    std::vector<std::string> operator()(std::string& (*at)(ServeOptions&)) const {
      const std::string& text = at(all);
      return text.empty() ? std::vector<std::string>() : std::vector{text};
    }
    std::vector<std::string> operator()(std::vector<std::string>& (*at)(ServeOptions&)) const {
      return at(all);
    }
    std::vector<std::string> operator()(bool& (*at)(ServeOptions&)) const {
      return {at(all) ? "true" : "false"};
    }
    std::vector<std::string> operator()(std::uint64_t& (*at)(ServeOptions&)) const {
      return {std::to_string(at(all))};
    }
  };
  return std::visit(Read{all}, row.target);
}

std::string default_text(const OptionRow& row) {
  if (*row.without != '\0' || is_flag(row)) return row.without;
  return join(values_of(row, ServeOptions()), ",");
}

}  // namespace touchmark::cli::serve
