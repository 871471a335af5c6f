// The options of `touchmark gateway` and who said so: a flag before the environment
// (TOUCHMARK_GATEWAY_LISTEN), the environment before the file, the file before the default. The
// settings of the check itself have the names of protocol/token-check.md in the environment, and
// the same without TOUCHMARK_ in the file's table [check].
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "relying-party/cpp/guard.h"
#include "relying-party/gateway/path.h"
#include "verifier/http/client_address.h"
#include "verifier/http/log.h"

namespace touchmark::relying::gateway {

enum class OptionError {
  kBadFile,   // a configuration file that cannot be read, or is not TOML
  kUnknown,   // a key that is none
  kBadValue,  // a value that an option cannot have
  kMissing,   // an option that another needs
};
std::string_view error_id(OptionError error);

// HOST:PORT, or the path of a unix socket.
struct Address {
  std::string host{};
  std::uint16_t port = 0;
  std::string path{};
  bool operator==(const Address&) const = default;
};
std::string to_string(const Address& address);
// "127.0.0.1:8080", "[::1]:8080", ":8080" (every address), "unix:/run/gateway.sock".
std::optional<Address> parse_listen(std::string_view text);
// "http://127.0.0.1:3000", "http://api.example", "unix:/run/api.sock".
std::optional<Address> parse_upstream(std::string_view text);

struct Rule {
  PathRule path;
  Route route;
  std::optional<std::size_t> upstream;  // of Plan::upstreams; nullopt: the first
};

struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::chrono::seconds idle{60};        // waiting for a request
  std::chrono::seconds header{10};      // from its first byte to the end of its header
  std::chrono::seconds progress{60};    // between two pieces of a body, and for an answer to begin
  std::chrono::seconds upgraded{3600};  // in which nothing moves on a connection that was upgraded
  std::chrono::seconds connect{5};      // to an upstream
  std::chrono::seconds drain{10};       // at the end, for requests that are under way
};

// What a start needs.
struct Plan {
  std::vector<Address> listen;           // reverse proxy
  std::vector<Address> decision_listen;  // decisions for another proxy
  std::optional<Address> metrics_listen;
  std::vector<Address> upstreams;
  std::vector<Rule> rules;
  Settings check;
  Limits limits;
  verifier::http::TrustedProxies proxies;
  unsigned threads = 1;
  std::size_t max_connections = 4096;
  std::string log_file;
  verifier::http::LogFormat log_format = verifier::http::LogFormat::kText;
  verifier::http::LogLevel log_level = verifier::http::LogLevel::kInfo;
  std::vector<std::string> warnings;
};

// An option of the gateway itself. `name` is its flag without dashes.
struct OptionRow {
  const char* name;
  const char* value;  // what stands for it: "ADDR:PORT"
  const char* help;
  const char* without;  // the default, in words
  bool is_list;
};
std::span<const OptionRow> option_rows();
// The values that the command line gave, by name.
using Given = std::vector<std::pair<std::string, std::vector<std::string>>>;

// `file`: --config, or else TOUCHMARK_GATEWAY_CONFIG, where there is one. `environment`: what
// begins with TOUCHMARK_.
Result<Plan> read_plan(const std::string& file, const Given& flags,
                       const SettingsText& environment);

}  // namespace touchmark::relying::gateway
