#include "relying-party/gateway/options.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/toml/document.h"
#include "protocol/host_port.h"

namespace touchmark::relying::gateway {
namespace {

constexpr std::size_t kMaxFile = 256 * 1024;
constexpr std::size_t kMaxSecretFile = 4096;
constexpr std::size_t kMaxUnixPath = 100;  // of sockaddr_un's 108
constexpr std::uint16_t kHttpPort = 80;
constexpr unsigned kMaxThreads = 256;
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kVariables = "TOUCHMARK_GATEWAY_";
constexpr const char* kConfigVariable = "TOUCHMARK_GATEWAY_CONFIG";
constexpr std::string_view kCheckBegin = "TOUCHMARK_";

constexpr auto kRows = std::to_array<OptionRow>({
    {"listen", "ADDR:PORT", "Serve as a reverse proxy here (unix:PATH for a socket)", "no proxy",
     true},
    {"upstream", "URL", "Where its requests go: http://HOST[:PORT] or unix:PATH", "none", false},
    {"decision-listen", "ADDR:PORT", "Answer other proxies' questions here (unix:PATH too)", "none",
     true},
    {"metrics-listen", "ADDR:PORT", "Serve /metrics and /healthz here", "none", false},
    {"trusted-proxy", "NETWORK", "Believe X-Forwarded-For and -Proto of these peers", "nobody",
     true},
    {"threads", "N", "Threads", "one for each core", false},
    {"max-connections", "N", "Connections at once", "4096", false},
    {"header-bytes", "N", "The longest header of a request or an answer, 1024 to 1048576", "16384",
     false},
    {"idle-timeout", "DURATION", "How long a client may wait before its next request", "60s",
     false},
    {"header-timeout", "DURATION", "How long a request's header may take", "10s", false},
    {"progress-timeout", "DURATION", "How long nothing may move of a body or an answer", "60s",
     false},
    {"upgraded-timeout", "DURATION", "The same of a WebSocket", "1h", false},
    {"connect-timeout", "DURATION", "How long an upstream may take to accept a connection", "5s",
     false},
    {"drain-timeout", "DURATION", "At the end: how long requests may still take", "10s", false},
    {"log-file", "FILE", "Append the log here", "standard error", false},
    {"log-format", "FORMAT", "How a line of the log is written: text or json", "text", false},
    {"log-level", "LEVEL", "debug (with each decision), info, warning or error", "info", false},
});

std::string variable_name(const OptionRow& row) {
  std::string out(kVariables);
  for (const char* c = row.name; *c != '\0'; ++c) {
    out += *c == '-' ? '_' : static_cast<char>(*c - ('a' <= *c && *c <= 'z' ? 'a' - 'A' : 0));
  }
  return out;
}

std::string key_name(const OptionRow& row) {
  std::string out(row.name);
  std::ranges::replace(out, '-', '_');
  return out;
}

tl::unexpected<Error> bad(const std::string& where, const std::string& problem) {
  return fail(OptionError::kBadValue, where + ": " + problem);
}

std::vector<std::string> parts(std::string_view text) {
  std::vector<std::string> out;
  while (const auto part = take_part(text, ',')) {
    std::string_view one = *part;
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    out.emplace_back(one);
  }
  return out;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// A value and where it was given, for messages.
struct Value {
  std::vector<std::string> texts;
  std::string where;
};

class PlanReader {
 public:
  PlanReader(const Given& flags, const SettingsText& environment)
      : flags_(flags), environment_(environment) {
    values_.resize(kRows.size());
  }

  Result<Plan> read(const std::string& file) {
    if (auto ok = read_file_of_options(file); !ok) return pass(ok);
    read_environment();
    read_flags();
    if (auto ok = take_addresses(); !ok) return pass(ok);
    if (auto ok = take_numbers(); !ok) return pass(ok);
    if (auto ok = take_durations(); !ok) return pass(ok);
    if (auto ok = take_log(); !ok) return pass(ok);
    if (auto ok = take_check(); !ok) return pass(ok);
    for (const auto& [table, where] : rule_tables_) {
      if (auto ok = read_rule(*table, where); !ok) return pass(ok);
    }
    if (auto ok = find_missing(); !ok) return pass(ok);
    return std::move(plan_);
  }

 private:
  // --- Sources -----------------------------------------------------------------------------------

  Result<void> read_file_of_options(const std::string& file) {
    const auto named = environment_.find(std::string_view(kConfigVariable));
    file_ = !file.empty() ? file : named != environment_.end() ? named->second : "";
    if (file_.empty()) return {};
    const auto bytes = read_file(file_, kMaxFile);
    if (!bytes) return fail(OptionError::kBadFile, bytes.error().message());
    auto table = toml_text::parse(as_text(*bytes));
    if (!table) {
      return fail(OptionError::kBadFile, place(table.error().line) + ": " + table.error().message);
    }
    document_ = std::move(*table);
    for (const auto& [key, node] : document_) {
      if (auto ok = read_entry(key, node); !ok) return ok;
    }
    return {};
  }

  std::string place(std::uint32_t line) const { return file_ + ":" + std::to_string(line); }
  std::string place(const toml::key& key) const {
    return place(key.source().begin.line) + ": " + std::string(key.str());
  }

  Result<void> unknown(const toml::key& key, const std::vector<std::string>& known) const {
    const std::string near =
        key.str().size() < 64 ? nearest(key.str(), known).value_or("") : std::string();
    return fail(OptionError::kUnknown, place(key) + ": unknown key" +
                                           (near.empty() ? "" : "; did you mean " + near + "?"));
  }

  Result<void> read_entry(const toml::key& key, const toml::node& node) {
    if (key.str() == "check") return read_check(key, node);
    if (key.str() == "rule") return read_rules(key, node);
    for (std::size_t i = 0; i < kRows.size(); ++i) {
      if (key_name(kRows[i]) != key.str()) continue;
      auto texts = texts_of(key, node);
      if (!texts) return pass(texts);
      if (texts->size() != 1 && !kRows[i].is_list) return bad(place(key), "takes one value");
      values_[i] = {std::move(*texts), place(key)};
      return {};
    }
    std::vector<std::string> known{"check", "rule"};
    for (const OptionRow& row : kRows) known.push_back(key_name(row));
    return unknown(key, known);
  }

  Result<std::vector<std::string>> texts_of(const toml::key& key, const toml::node& node) const {
    std::vector<std::string> out;
    const auto take = [&out](const toml::node& one) {
      if (const auto* text = one.as_string()) {
        out.push_back(text->get());
      } else if (const auto* number = one.as_integer()) {
        out.push_back(std::to_string(number->get()));
      } else {
        return false;
      }
      return true;
    };
    bool good = true;
    if (const auto* array = node.as_array()) {
      for (const toml::node& one : *array) good = good && take(one);
    } else {
      good = take(node);
    }
    if (!good) return bad(place(key), "is neither text nor a whole number, nor an array of texts");
    return out;
  }

  Result<void> read_check(const toml::key& key, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) return bad(place(key), "is not a table");
    std::vector<std::string> known{"secret_file", "decoy_secret_file", "approov_secret_file"};
    for (const std::string& name : setting_names()) {
      known.push_back(lower(std::string_view(name).substr(kCheckBegin.size())));
    }
    for (const auto& [name, value] : *table) {
      if (std::ranges::find(known, name.str()) == known.end()) return unknown(name, known);
      auto text = check_text(name, value);
      if (!text) return pass(text);
      std::string setting(name.str());
      if (setting.ends_with("_file")) {
        auto bytes = read_file(*text, kMaxSecretFile);
        if (!bytes) return bad(place(name), bytes.error().message());
        text = touchmark::to_string(ByteView(*bytes));
        setting.resize(setting.size() - std::string_view("_file").size());
      }
      for (char& c : setting) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      check_[std::string(kCheckBegin) + setting] = std::move(*text);
    }
    return {};
  }

  // A number may have a fraction there: the leeway.
  Result<std::string> check_text(const toml::key& key, const toml::node& node) const {
    if (const auto* real = node.as_floating_point()) {
      std::string text = std::to_string(real->get());
      return text;
    }
    auto texts = texts_of(key, node);
    if (!texts) return pass(texts);
    return join(*texts, ",");
  }

  Result<void> read_rules(const toml::key& key, const toml::node& node) {
    const auto* array = node.as_array();
    if (array == nullptr) return bad(place(key), "is not an array of tables: write [[rule]]");
    for (const toml::node& one : *array) {
      const auto* table = one.as_table();
      if (table == nullptr) return bad(place(key), "is not an array of tables: write [[rule]]");
      rule_tables_.emplace_back(table, place(one.source().begin.line));
    }
    return {};
  }

  void read_environment() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
      const std::string name = variable_name(kRows[i]);
      const auto at = environment_.find(name);
      if (at == environment_.end() || at->second.empty()) continue;
      values_[i] = {kRows[i].is_list ? parts(at->second) : std::vector{at->second}, name};
    }
  }

  void read_flags() {
    for (const auto& [name, texts] : flags_) {
      const auto row = std::ranges::find(kRows, name, &OptionRow::name);
      if (row == kRows.end() || texts.empty()) continue;
      std::vector<std::string> all;
      for (const std::string& text : texts) {
        if (!row->is_list) {
          all = {text};
          continue;
        }
        for (std::string& part : parts(text)) all.push_back(std::move(part));
      }
      values_[static_cast<std::size_t>(row - kRows.begin())] = {std::move(all), "--" + name};
    }
  }

  const Value& value(std::string_view name) const {
    const auto row = std::ranges::find(kRows, name, &OptionRow::name);
    return values_[static_cast<std::size_t>(row - kRows.begin())];
  }

  // --- Values ------------------------------------------------------------------------------------

  Result<std::vector<Address>> listens(const char* name) const {
    std::vector<Address> out;
    for (const std::string& text : value(name).texts) {
      const auto address = parse_listen(text);
      if (!address) {
        return bad(value(name).where, "is " + shown(text) + ": use ADDR:PORT or unix:PATH");
      }
      out.push_back(*address);
    }
    return out;
  }

  Result<void> take_addresses() {
    auto listen = listens("listen");
    if (!listen) return pass(listen);
    plan_.listen = std::move(*listen);
    auto decisions = listens("decision-listen");
    if (!decisions) return pass(decisions);
    plan_.decision_listen = std::move(*decisions);
    const auto metrics = listens("metrics-listen");
    if (!metrics) return pass(metrics);
    if (!metrics->empty()) plan_.metrics_listen = metrics->front();
    for (const std::string& text : value("upstream").texts) {
      const auto upstream = parse_upstream(text);
      if (!upstream) return bad_upstream(value("upstream").where, text);
      plan_.upstreams.push_back(*upstream);
    }
    auto proxies = verifier::http::TrustedProxies::parse(value("trusted-proxy").texts);
    if (!proxies) return bad(value("trusted-proxy").where, proxies.error().message());
    plan_.proxies = std::move(*proxies);
    return {};
  }

  static tl::unexpected<Error> bad_upstream(const std::string& where, const std::string& text) {
    return bad(where, "is " + shown(text) + ": use http://HOST[:PORT] or unix:PATH");
  }

  Result<void> take_number(const char* name, std::uint64_t least, std::uint64_t most,
                           std::uint64_t& out) const {
    if (value(name).texts.empty()) return {};
    const auto number = parse_count(value(name).texts.front());
    if (!number || *number < least || *number > most) {
      return bad(value(name).where, "is " + shown(value(name).texts.front()) +
                                        ": use a whole number from " + std::to_string(least) +
                                        " to " + std::to_string(most));
    }
    out = *number;
    return {};
  }

  Result<void> take_numbers() {
    std::uint64_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxThreads);
    if (auto ok = take_number("threads", 1, kMaxThreads, threads); !ok) return ok;
    plan_.threads = static_cast<unsigned>(threads);
    if (auto ok = take_number("max-connections", 1, 1'000'000, plan_.max_connections); !ok) {
      return ok;
    }
    return take_number("header-bytes", 1024, 1024 * 1024, plan_.limits.header_bytes);
  }

  Result<void> take_duration(const char* name, std::chrono::seconds& out) const {
    if (value(name).texts.empty()) return {};
    const auto duration = parse_duration(value(name).texts.front());
    if (!duration) return bad(value(name).where, duration.error().message());
    out = *duration;
    return {};
  }

  Result<void> take_durations() {
    const std::pair<const char*, std::chrono::seconds*> all[] = {
        {"idle-timeout", &plan_.limits.idle},         {"header-timeout", &plan_.limits.header},
        {"progress-timeout", &plan_.limits.progress}, {"upgraded-timeout", &plan_.limits.upgraded},
        {"connect-timeout", &plan_.limits.connect},   {"drain-timeout", &plan_.limits.drain}};
    for (const auto& [name, out] : all) {
      if (auto ok = take_duration(name, *out); !ok) return ok;
    }
    return {};
  }

  Result<void> take_log() {
    using namespace verifier::http;
    const auto text = [this](const char* name) {
      return value(name).texts.empty() ? std::string() : value(name).texts.front();
    };
    plan_.log_file = text("log-file");
    const std::string format = text("log-format");
    if (format == "json") {
      plan_.log_format = LogFormat::kJson;
    } else if (!format.empty() && format != "text") {
      return bad(value("log-format").where, "is " + shown(format) + ": use text or json");
    }
    const std::string level = text("log-level");
    if (level.empty()) return {};
    const std::pair<const char*, LogLevel> levels[] = {{"debug", LogLevel::kDebug},
                                                       {"info", LogLevel::kInfo},
                                                       {"warning", LogLevel::kWarning},
                                                       {"error", LogLevel::kError}};
    for (const auto& [name, found] : levels) {
      if (level != name) continue;
      plan_.log_level = found;
      return {};
    }
    return bad(value("log-level").where,
               "is " + shown(level) + ": use debug, info, warning or error");
  }

  // --- The check ---------------------------------------------------------------------------------

  Result<void> take_check() {
    std::vector<std::string> own{kConfigVariable};
    for (const OptionRow& row : kRows) own.push_back(variable_name(row));
    SettingsText all = check_;
    for (const auto& [name, text] : environment_) all[name] = text;
    auto settings = read_settings(
        all, [this](const std::string& warning) { plan_.warnings.push_back(warning); }, own);
    if (!settings) return pass(settings);
    plan_.check = std::move(*settings);
    return {};
  }

  Result<void> read_rule(const toml::table& table, const std::string& where) {
    Route route;
    std::optional<PathRule> path;
    std::optional<std::size_t> upstream;
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      Result<void> ok;
      if (name == "path") {
        const auto text = node.value<std::string>();
        path = text ? PathRule::parse(*text) : std::nullopt;
        if (!path) {
          ok = bad(place(key),
                   "is no path of a rule: write it decoded, such as \"/v1/rates\" or \"/v1/*\"");
        }
      } else if (name == "upstream") {
        ok = read_rule_upstream(key, node, upstream);
      } else {
        ok = read_demand(key, node, route);
      }
      if (!ok) return ok;
    }
    if (!path) return fail(OptionError::kMissing, where + ": a rule without a path");
    route.pattern = path->text();
    plan_.rules.push_back({std::move(*path), std::move(route), upstream});
    return {};
  }

  Result<void> read_rule_upstream(const toml::key& key, const toml::node& node,
                                  std::optional<std::size_t>& out) {
    const auto text = node.value<std::string>();
    const auto address = text ? parse_upstream(*text) : std::nullopt;
    if (!address) return bad_upstream(place(key), text.value_or("no text"));
    if (plan_.upstreams.empty()) {
      return fail(OptionError::kMissing, place(key) + ": there is no upstream for other paths");
    }
    const auto at = std::ranges::find(plan_.upstreams, *address);
    out = static_cast<std::size_t>(at - plan_.upstreams.begin());
    if (at == plan_.upstreams.end()) plan_.upstreams.push_back(*address);
    return {};
  }

  Result<void> read_demand(const toml::key& key, const toml::node& node, Route& route) const {
    const std::string_view name = key.str();
    if (name == "mode") {
      const auto text = node.value<std::string>();
      route.mode = text ? mode_named(*text) : std::nullopt;
      if (!route.mode) return bad(place(key), "use \"enforce\", \"report\" or \"off\"");
      return {};
    }
    if (name == "percent") {
      const auto* number = node.as_integer();
      if (number == nullptr || number->get() < 0 || number->get() > 100) {
        return bad(place(key), "use a whole number from 0 to 100");
      }
      route.percent = static_cast<unsigned>(number->get());
      return {};
    }
    if (name == "level") {
      const auto text = node.value<std::string>();
      route.level = text ? level_named(*text) : std::nullopt;
      if (!route.level) {
        return bad(place(key), "use \"software\", \"platform\", \"tee\" or \"secure-chip\"");
      }
      return {};
    }
    if (name == "single_use") {
      const auto* is_on = node.as_boolean();
      if (is_on == nullptr) return bad(place(key), "use true or false");
      route.single_use = is_on->get();
      return {};
    }
    if (name == "binding_headers") return read_rule_binding(key, node, route);
    return unknown(
        key, {"path", "mode", "percent", "level", "single_use", "binding_headers", "upstream"});
  }

  Result<void> read_rule_binding(const toml::key& key, const toml::node& node, Route& route) const {
    const auto texts = texts_of(key, node);
    if (!texts) return pass(texts);
    route.binding_headers.emplace();
    if (texts->empty()) return {};  // nothing is asked for here
    auto names = parse_header_names(place(key), join(*texts, ","));
    if (!names) return pass(names);
    for (const std::string& name : *names) {
      if (same_word(name, plan_.check.token_header)) {
        return bad(place(key), "names the header of the token, and no token is bound to itself");
      }
    }
    route.binding_headers = std::move(*names);
    return {};
  }

  Result<void> find_missing() const {
    if (plan_.listen.empty() && plan_.decision_listen.empty()) {
      return fail(OptionError::kMissing,
                  "nothing to listen on: give --listen with --upstream, or --decision-listen");
    }
    if (!plan_.listen.empty() && plan_.upstreams.empty()) {
      return fail(OptionError::kMissing,
                  "there is no --upstream, where the requests of --listen would go");
    }
    return {};
  }

  const Given& flags_;
  const SettingsText& environment_;
  std::string file_;
  toml::table document_;
  std::vector<Value> values_;  // as kRows
  SettingsText check_;
  std::vector<std::pair<const toml::table*, std::string>> rule_tables_;
  Plan plan_;
};

std::optional<Address> unix_address(std::string_view text) {
  text.remove_prefix(kUnix.size());
  if (!text.starts_with('/') || text.size() > kMaxUnixPath || text.find('\0') != text.npos) {
    return std::nullopt;
  }
  return Address{{}, 0, std::string(text)};
}

}  // namespace

std::string_view error_id(OptionError error) {
  using enum OptionError;
  static constexpr auto kIds = error_table<OptionError>({
      {kBadFile, "gateway-option.bad-file"},
      {kUnknown, "gateway-option.unknown"},
      {kBadValue, "gateway-option.bad-value"},
      {kMissing, "gateway-option.missing"},
  });
  return kIds[error];
}

std::string to_string(const Address& address) {
  if (!address.path.empty()) return std::string(kUnix) + address.path;
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::optional<Address> parse_listen(std::string_view text) {
  if (text.starts_with(kUnix)) return unix_address(text);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = parse_count(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "::";
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  if (error || !port || *port > 65535) return std::nullopt;
  return Address{std::string(host), static_cast<std::uint16_t>(*port), {}};
}

std::optional<Address> parse_upstream(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  if (text.starts_with(kUnix)) return unix_address(text);
  if (!text.starts_with(kHttp)) return std::nullopt;
  text.remove_prefix(kHttp.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto host = protocol::parse_host_port(text);
  if (!host) return std::nullopt;
  return Address{host->host, host->port.value_or(kHttpPort), {}};
}

std::span<const OptionRow> option_rows() { return kRows; }

Result<Plan> read_plan(const std::string& file, const Given& flags,
                       const SettingsText& environment) {
  return PlanReader(flags, environment).read(file);
}

}  // namespace touchmark::relying::gateway
