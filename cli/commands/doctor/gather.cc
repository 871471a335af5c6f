#include "cli/commands/doctor/gather.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

#include "base/encoding.h"
#include "cli/io/error.h"
#include "cli/service/profile.h"
#include "protocol/host_port.h"
#include "protocol/messages/configuration.h"
#include "verifier/policy/document.h"

namespace touchmark::cli::commands::doctor {
namespace {

namespace policy = verifier::policy;

// How long one server may take to show its certificate. Many may have to be asked.
constexpr std::chrono::seconds kServerPatience{10};
constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kMaxConfiguration = std::size_t{1} << 20;

bool is_ip_address(const std::string& text) {
  in6_addr room{};
  return inet_pton(AF_INET, text.c_str(), &room) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &room) == 1;
}

tl::unexpected<Error> no_such_answer(const std::string& path, std::string_view what) {
  return fail(io::CliError::kBadAnswer, fmt::format("the answer to GET {} {}", path, what));
}

std::string text_in(const Json& json, const char* name) {
  return find_string(json, name).value_or("");
}

bool flag_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t count_in(const Json& json, const char* name) {
  return static_cast<std::uint64_t>(get_int(json, name, 0, INT64_MAX).value_or(0));
}

std::optional<std::int64_t> number_in(const Json& json, const char* name) {
  const auto value = get_int(json, name, 0, INT64_MAX);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<UnixTime> time_in(const Json& json, const char* name) {
  const auto value = get_int(json, name, 0, kMaxUnixTime);
  return value ? std::optional(from_unix(*value)) : std::nullopt;
}

std::vector<std::string> texts_in(const Json& json, const char* name) {
  std::vector<std::string> out;
  const Json* list = find_array(json, name);
  if (list == nullptr) return out;
  for (const Json& one : *list) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

StatusFacts read_status(const Json& json) {
  StatusFacts out{.version = text_in(json, "version"),
                  .name = text_in(json, "name"),
                  .role = text_in(json, "role"),
                  .first_start = time_in(json, "first_start").value_or(UnixTime{}),
                  .public_urls = texts_in(json, "public_urls"),
                  .revocation = {},
                  .tells_backup = json.contains("last_backup"),
                  .last_backup = time_in(json, "last_backup")};
  if (const Json* list = find_object(json, "revocation")) {
    out.revocation = {.source = text_in(*list, "source"),
                      .fresh = flag_in(*list, "fresh"),
                      .confirmed = time_in(*list, "confirmed"),
                      .problem = find_string(*list, "problem")};
  }
  return out;
}

ProcessFacts read_process(const Json& json) {
  ProcessFacts out{.data = text_in(json, "data"),
                   .data_mode = number_in(json, "data_mode"),
                   .data_problem = find_string(json, "data_problem"),
                   .free_bytes = count_in(json, "free_bytes"),
                   .total_bytes = count_in(json, "total_bytes"),
                   .free_files = {},
                   .master_key_apart = flag_in(json, "master_key_apart"),
                   .token_files = texts_in(json, "token_files"),
                   .descriptor_limit = count_in(json, "descriptor_limit"),
                   .open_descriptors = count_in(json, "open_descriptors"),
                   .max_connections = count_in(json, "max_connections"),
                   .wanted_connections = count_in(json, "wanted_connections")};
  if (number_in(json, "free_files")) out.free_files = count_in(json, "free_files");
  return out;
}

DiagnosisFacts read_diagnosis(const Json& json) {
  DiagnosisFacts out{.store_problem = find_string(json, "store_problem"),
                     .unreadable = {},
                     .public_url_problems = texts_in(json, "public_url_problems"),
                     .hardware_roots = number_in(json, "hardware_roots").value_or(0),
                     .process = {}};
  if (const Json* list = find_array(json, "unreadable")) {
    for (const Json& one : *list) {
      out.unreadable.push_back(
          {text_in(one, "what"), text_in(one, "error"), text_in(one, "advice")});
    }
  }
  if (const Json* process = find_object(json, "process")) out.process = read_process(*process);
  return out;
}

Result<PolicyFacts> read_policy(const Json& json) {
  PolicyFacts out;
  auto current = policy::parse_policy(text_in(json, "text"), policy::DocumentAge::kStored);
  if (!current) return pass(current);
  out.current = std::move(*current);
  if (const Json* canary = find_object(json, "canary")) {
    auto candidate = policy::parse_policy(text_in(*canary, "text"), policy::DocumentAge::kStored);
    if (!candidate) return pass(candidate);
    out.candidate = std::move(*candidate);
  }
  if (const Json* settings = find_object(json, "settings")) {
    out.host_builds = flag_in(*settings, "allow_host_builds");
    out.reveal_reasons = flag_in(*settings, "reveal_reasons");
    out.behind_proxy = text_in(*settings, "channel_binding") == "proxy";
  }
  return out;
}

ApiFacts read_api(const Json& json) {
  ApiFacts out{.domain = text_in(json, "domain"),
               .pins = texts_in(json, "pins"),
               .retiring = {},
               .server = {}};
  if (const Json* retiring = find_array(json, "retiring")) {
    for (const Json& one : *retiring) {
      out.retiring.push_back({text_in(one, "pin"), time_in(one, "until").value_or(UnixTime{})});
    }
  }
  return out;
}

LastingFacts read_lasting(const Json& json, std::string name) {
  return {std::move(name), time_in(json, "created").value_or(UnixTime{}), time_in(json, "expires")};
}

AppFacts read_app(const Json& json) {
  const std::string name =
      fmt::format("{}-{}[{}] ({})", text_in(json, "package"), text_in(json, "version_name"),
                  count_in(json, "version_code"), text_in(json, "id"));
  return {read_lasting(json, name), find_string(json, "sdk_version")};
}

LastingFacts read_signer(const Json& json) {
  const std::string package = find_string(json, "package").value_or("every app");
  return read_lasting(
      json, fmt::format("{} for {} ({})", text_in(json, "subject"), package, text_in(json, "id")));
}

LastingFacts read_operator(const Json& json) {
  return read_lasting(json, fmt::format("{} ({})", text_in(json, "name"), text_in(json, "role")));
}

// What one request of several tells, or why it tells nothing.
class Asker {
 public:
  explicit Asker(service::AdminClient& client) : client_(client) {}

  // `read`: const Json& -> T or Result<T>.
  template <class T, class Read>
  Result<T> get(const std::string& path, Read read) {
    auto answer = client_.get(path);
    if (!answer) return pass(answer);
    return read(*answer);
  }

  // Each object of the array `name` of the answer.
  template <class T>
  Result<std::vector<T>> list(const std::string& path, const char* name,
                              T (*read)(const Json& json)) {
    auto answer = client_.get(path);
    if (!answer) return pass(answer);
    const Json* rows = find_array(*answer, name);
    if (rows == nullptr) return no_such_answer(path, fmt::format("has no {}", name));
    std::vector<T> out;
    for (const Json& row : *rows) {
      if (row.is_object()) out.push_back(read(row));
    }
    return out;
  }

  // The pins of the service in the configuration that apps get, for whoever they are made.
  Result<std::vector<std::string>> service_pins() {
    const auto jws = client_.download("/admin/v1/config?allow_local=1", kMaxConfiguration);
    if (!jws) return pass(jws);
    const auto configuration = protocol::decode_configuration(*jws);
    if (!configuration) return pass(configuration);
    std::vector<std::string> out;
    for (const Sha256Digest& pin : configuration->service_pins) out.push_back(base64_encode(pin));
    return out;
  }

 private:
  service::AdminClient& client_;
};

// Of [before, after] by this machine and `there` by the service, whose clocks count seconds.
std::int64_t seconds_ahead(UnixTime there, UnixTime before, UnixTime after) {
  if (there + Seconds(1) < before) return (there - before).count();
  if (there > after + Seconds(1)) return (there - after).count();
  return 0;
}

class Gathering {
 public:
  Gathering(const Question& question, Session& session) : question_(question), session_(session) {}

  // Each by its domain, some at a time: those that are silent take long.
  void look_at(const std::vector<Server*>& servers) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&]() noexcept {
      for (std::size_t i = next++; i < servers.size(); i = next++) {
        try {
          *servers[i] = look_at(servers[i]->domain);
        } catch (const std::exception& failure) {
          servers[i]->problem = failure.what();
        }
      }
    };
    std::vector<std::jthread> helpers;
    try {
      while (helpers.size() + 1 < std::min(servers.size(), kAtOnce)) helpers.emplace_back(work);
    } catch (const std::system_error&) {
      // Those that there are do it.
    }
    work();
  }

  Server look_at(const std::string& domain) const {
    Server out{.domain = domain};
    const auto host = protocol::parse_host_port(domain);
    const auto found = question_.addresses.find(host ? host->host : domain);
    const std::string address = found == question_.addresses.end() ? "" : found->second;
    auto certificate = session_.server_certificate_within(kServerPatience, domain, address);
    if (certificate) {
      out.certificate = std::move(*certificate);
    } else {
      out.problem = certificate.error().message();
    }
    return out;
  }

  // Those that `status` names, yet to be looked at.
  static void name_public_servers(Facts& facts) {
    for (const std::string& url : facts.status->public_urls) {
      const auto host = protocol::parse_service_url(url);
      if (!host) {
        facts.public_servers.push_back({.domain = url, .problem = "it is not a URL of a service"});
        continue;
      }
      const std::string domain = protocol::to_string(*host);
      facts.public_servers.push_back(domain == facts.own.domain ? facts.own : Server{domain});
    }
  }

  void look_at_apis(Facts& facts) {
    std::vector<Server*> servers;
    add_apis(facts, servers);
    look_at(servers);
  }

  void look_at_servers(Facts& facts) {
    name_public_servers(facts);
    std::vector<Server*> servers;
    for (Server& server : facts.public_servers) {
      if (!server.certificate && server.problem.empty()) servers.push_back(&server);
    }
    add_apis(facts, servers);
    look_at(servers);
  }

 private:
  static void add_apis(Facts& facts, std::vector<Server*>& servers) {
    if (!facts.apis) return;
    for (ApiFacts& api : *facts.apis) {
      api.server.domain = api.domain;
      servers.push_back(&api.server);
    }
  }

  const Question& question_;
  Session& session_;
};

}  // namespace

Result<std::map<std::string, std::string>> read_addresses(const std::vector<std::string>& options) {
  std::map<std::string, std::string> out;
  for (const std::string& text : options) {
    const std::size_t equals = text.find('=');
    const auto host = protocol::parse_host_port(text.substr(0, equals));
    const std::string address = equals == text.npos ? "" : text.substr(equals + 1);
    if (!host || host->port || !is_ip_address(address)) {
      return fail(io::CliError::kUsage,
                  fmt::format("'{}' is not HOST=ADDRESS, such as api.example.com=192.0.2.1", text));
    }
    out[host->host] = address;
  }
  return out;
}

Result<Facts> gather_apis(const Question& question, const std::string& only, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto apis = Asker(*client).list<ApiFacts>("/admin/v1/apis", "apis", read_api);
  if (!apis) return pass(apis);
  if (!only.empty()) {
    std::erase_if(*apis, [&](const ApiFacts& api) { return api.domain != only; });
    if (apis->empty()) {
      return fail(io::CliError::kNotFound,
                  fmt::format("no API has the domain {}; `touchmark api list` shows those that "
                              "are protected",
                              only));
    }
  }
  Facts facts{.version = TOUCHMARK_VERSION};
  facts.now = session.now();
  facts.apis = *std::move(apis);
  Gathering(question, session).look_at_apis(facts);
  return facts;
}

Result<Facts> gather(const Question& question, Session& session) {
  const auto endpoint = service::resolve_endpoint(session.environment(), session.profile());
  if (!endpoint) return pass(endpoint);
  auto client = session.connect();
  if (!client) return pass(client);
  Gathering gathering(question, session);
  Facts facts{.version = TOUCHMARK_VERSION, .url = endpoint->url, .limits = question.limits};
  facts.own = gathering.look_at(endpoint->url.substr(endpoint->url.find("://") + 3));
  Asker asker(*client);
  const UnixTime before = session.now();
  std::optional<UnixTime> there;
  facts.status = asker.get<StatusFacts>("/admin/v1/status", [&](const Json& json) {
    there = time_in(json, "time");
    return read_status(json);
  });
  facts.now = session.now();
  if (there) facts.clock_ahead = seconds_ahead(*there, before, facts.now);
  const auto all_else_is = [&](const Error& error) {
    facts.diagnosis = tl::unexpected<Error>(error);
    facts.policy = tl::unexpected<Error>(error);
    facts.pins = tl::unexpected<Error>(error);
    facts.apis = tl::unexpected<Error>(error);
    facts.apps = tl::unexpected<Error>(error);
    facts.signers = tl::unexpected<Error>(error);
    facts.operators = tl::unexpected<Error>(error);
    facts.audit = tl::unexpected<Error>(error);
  };
  if (!facts.status) {
    all_else_is(facts.status.error());
    return facts;
  }
  facts.diagnosis = asker.get<DiagnosisFacts>("/admin/v1/diagnosis", read_diagnosis);
  facts.policy = asker.get<PolicyFacts>("/admin/v1/policy", read_policy);
  facts.pins = asker.service_pins();
  facts.apis = asker.list<ApiFacts>("/admin/v1/apis", "apis", read_api);
  facts.apps = asker.list<AppFacts>("/admin/v1/registrations", "registrations", read_app);
  facts.signers = asker.list<LastingFacts>("/admin/v1/certificates", "certificates", read_signer);
  facts.operators = asker.list<LastingFacts>("/admin/v1/operators", "operators", read_operator);
  facts.audit = asker.get<AuditFacts>("/admin/v1/audit?limit=1", [](const Json& json) {
    return AuditFacts{flag_in(json, "intact"), text_in(json, "problem")};
  });
  gathering.look_at_servers(facts);
  return facts;
}

}  // namespace touchmark::cli::commands::doctor
