// touchmark status, ready, audit list: what the service says about itself.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/verdict_text.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/profile.h"

namespace touchmark::cli::commands {
namespace {

// A value as a person reads it: text without its quotes, everything else as JSON.
std::string plain(const Json& value) {
  return io::one_line(value.is_string() ? value.get<std::string>() : dump_json(value));
}

bool is_time(const std::string& name) {
  return name == "time" || name == "first_start" || name == "last_backup";
}

std::string revocation_text(const Json& list) {
  if (!list.is_object()) return "off: revoked keys pass";
  const auto confirmed = get_int(list, "confirmed", 0, kMaxUnixTime);
  const std::string source = find_string(list, "source").value_or("?");
  if (!confirmed) return io::one_line(source + ", no list yet");
  return io::one_line(fmt::format("{}, {} entries, of {}", source,
                                  get_int(list, "entries", 0, INT64_MAX).value_or(0),
                                  io::local_time(from_unix(*confirmed))));
}

// Of the certificate that is served there now; nothing when it cannot be read.
std::optional<UnixTime> certificate_end(const std::string& url, Session& session) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  const auto served = session.server_certificate(url.substr(kScheme.size()));
  return served ? served->not_after : std::nullopt;
}

// {"android":"tee","ios":"software"} as "android=tee ios=software"; lists with spaces between.
std::string words_text(const Json& value) {
  std::string out;
  for (const auto& [name, member] : value.items()) {
    if (!member.is_string()) continue;
    out += (out.empty() ? "" : " ") + (value.is_object() ? name + "=" : "") +
           member.get<std::string>();
  }
  return io::one_line(out);
}

Outcome status(Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get("/admin/v1/status");
  if (!answer) return pass(answer);
  const auto endpoint = service::resolve_endpoint(session.environment(), session.profile());
  if (!endpoint) return pass(endpoint);
  const auto end = certificate_end(endpoint->url, session);
  if (session.json()) {
    Json json = *answer;
    json["address"] = endpoint->url;
    json["profile"] = session.profile();
    json["certificate_end"] = end ? Json(to_unix(*end)) : Json();
    return print_json(session, json);
  }
  std::vector<std::vector<std::string>> rows{
      {"address", endpoint->url},
      {"profile", session.profile()},
      {"certificate_end", end ? io::local_time(*end) : "unknown"}};
  for (const auto& [name, value] : answer->items()) {
    if (name == "warnings") continue;
    if (name == "revocation") {
      rows.push_back({name, revocation_text(value)});
      continue;
    }
    if (name == "assurance" || name == "public_urls") {
      rows.push_back({name, words_text(value)});
      continue;
    }
    if (name == "service_pins") {
      for (const std::string& pin : announced_pins(*answer)) rows.push_back({"service_pin", pin});
      continue;
    }
    if (name == "last_backup" && value.is_null()) {
      rows.push_back({name, "never: `touchmark backup FILE` makes one"});
      continue;
    }
    const bool time = is_time(name) && value.is_number_integer();
    rows.push_back(
        {name, time ? io::local_time(from_unix(value.get<std::int64_t>())) : plain(value)});
  }
  session.console().print(io::table(rows));
  print_warnings(*answer, session);
  return io::kExitOk;
}

// For health checks: it sends no token and takes any certificate where it is given an address, so
// that it runs beside the service without being set up.
Outcome ready(const std::string& url, Session& session) {
  const auto ask = [&]() -> Result<Json> {
    if (url.empty()) {
      auto client = session.connect();
      if (!client) return pass(client);
      return client->get("/readyz");
    }
    auto normal = service::normalize_url(url);
    if (!normal) return pass(normal);
    service::Endpoint endpoint;
    endpoint.url = *normal;
    endpoint.any_certificate = true;
    return session.connect_to(endpoint).get("/readyz");
  };
  auto answer = ask();
  if (!answer) return pass(answer);
  if (session.json()) return print_json(session, *answer);
  session.console().print("ready");
  return io::kExitOk;
}

Outcome audit(int limit, Session& session) {
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get(fmt::format("/admin/v1/audit?limit={}", limit));
  if (!answer) return pass(answer);
  const Json* entries = find_array(*answer, "entries");
  if (entries == nullptr)
    return fail(io::CliError::kBadAnswer, "the answer has no list of entries");
  const auto intact = answer->find("intact");
  const bool is_broken = intact != answer->end() && *intact == false;
  const io::ExitCode exit_code = is_broken ? io::kExitNo : io::kExitOk;
  if (session.json()) {
    print_json(session, *answer);
    return exit_code;
  }
  std::vector<std::vector<std::string>> rows{{"TIME", "WHO", "WHAT", "DETAIL"}};
  for (const Json& entry : *entries) {
    auto time = get_int(entry, "time", 0, INT64_MAX / 1000);
    rows.push_back(
        {time ? io::local_time(from_unix(*time)) : "?", find_string(entry, "actor").value_or("?"),
         find_string(entry, "action").value_or("?"), find_string(entry, "detail").value_or("")});
  }
  session.console().print(io::table(rows));
  if (is_broken) {
    session.console().note(
        "warning: the chain of hashes is broken: entries were changed or removed behind the "
        "service's back");
    if (const auto problem = find_string(*answer, "problem")) {
      session.console().note("  " + io::one_line(*problem));
    }
  }
  return exit_code;
}

}  // namespace

void add_status_command(line::Command& app, Dispatcher& dispatcher) {
  dispatcher.on(app.add_subcommand("status", "Show how the service is, and who you are to it"),
                status);
}

void add_ready_command(line::Command& app, Dispatcher& dispatcher) {
  auto url = std::make_shared<std::string>();
  line::Command* command = app.add_subcommand("ready", "Ask whether the service is ready to serve");
  command
      ->add_option("URL", *url,
                   "The service, whatever its certificate (default: the profile's, with its pin)")
      ->type_name("URL");
  command->footer(
      "Examples:\n"
      "  touchmark ready\n"
      "  touchmark ready https://localhost:8443   in a health check: no token, no profile");
  dispatcher.on(command, [url](Session& s) { return ready(*url, s); });
}

void add_audit_commands(line::Command& app, Dispatcher& dispatcher) {
  line::Command* group = add_group(app, "audit", "Read who changed what");
  auto limit = std::make_shared<int>(50);
  line::Command* list_app =
      group->add_subcommand("list", "List the newest entries (needs an admin token)");
  list_app->add_option("--limit", *limit, "How many, 1 to 10000 (default: 50)")
      ->range(1, 10000)
      ->type_name("N");
  dispatcher.on(list_app, [limit](Session& s) { return audit(*limit, s); });
}

}  // namespace touchmark::cli::commands
