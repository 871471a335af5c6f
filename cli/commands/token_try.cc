// touchmark token try URL: every kind of token, sent to an API.
#include "cli/commands/token_try.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/commands/offline_check.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "net/http_client.h"

namespace touchmark::cli::commands {
namespace {

constexpr int kRefused = 401;

struct Tried {
  const TokenKind* kind = nullptr;
  int status = 0;       // 0: there was no answer
  std::string problem;  // what is wrong with it, or why there was none; "" for as it must be
};

Result<HeaderLine> parse_header(const std::string& line) {
  const std::size_t colon = line.find(':');
  const std::string name(io::trim(line.substr(0, colon)));
  if (colon == std::string::npos || name.empty()) {
    return fail(io::CliError::kUsage,
                fmt::format("--bind is NAME: VALUE, not \"{}\"", io::one_line(line)));
  }
  return HeaderLine{name, std::string(io::trim(line.substr(colon + 1)))};
}

// libcurl's spelling of an empty header is a semicolon.
std::vector<std::string> curl_lines(const std::vector<HeaderLine>& headers) {
  std::vector<std::string> out;
  for (const auto& [name, value] : headers) {
    out.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  return out;
}

std::string judge(const TokenKind& kind, const net::HttpAnswer& answer) {
  if (kind.is_served()) {
    return answer.status == kRefused ? "a valid token was refused" : "";
  }
  if (answer.status != kRefused) {
    return answer.status < 300 ? "it was served" : fmt::format("{} in place of 401", answer.status);
  }
  if (io::trim(answer.body) != "{}") return "the body is not {}: it may say too much";
  return "";
}

Json as_json(const std::vector<Tried>& tried, const std::string& url) {
  Json rows = Json::array();
  for (const Tried& one : tried) {
    rows.push_back({{"kind", one.kind->name},
                    {"expected", one.kind->is_served() ? Json("served") : Json(kRefused)},
                    {"status", one.status == 0 ? Json() : Json(one.status)},
                    {"problem", one.problem.empty() ? Json() : Json(one.problem)}});
  }
  const auto wrong =
      std::ranges::count_if(tried, [](const Tried& one) { return !one.problem.empty(); });
  return {{"url", url}, {"tried", std::move(rows)}, {"wrong", wrong}};
}

void print(const std::vector<Tried>& tried, Session& session) {
  std::vector<std::vector<std::string>> rows{{"TOKEN", "WHAT", "MUST GET", "GOT", ""}};
  for (const Tried& one : tried) {
    rows.push_back({std::string(one.kind->name), std::string(one.kind->what),
                    one.kind->is_served() ? "served" : std::to_string(kRefused),
                    one.status == 0 ? "-" : std::to_string(one.status),
                    one.problem.empty() ? "ok" : io::one_line(one.problem)});
  }
  session.console().print(io::table(rows));
}

std::vector<TokenKind> fitting_kinds(const TriedApi& api) {
  std::vector<TokenKind> kinds = token_kinds();
  std::erase_if(kinds, [&](const TokenKind& kind) { return !kind.fits(api); });
  return kinds;
}

// RFC 9110 requests one below the other, as editors of .http files take them.
std::string http_file(const TryOptions& options, const TriedApi& api, Session& session) {
  SystemRandom random;
  std::string out;
  for (const TokenKind& kind : fitting_kinds(api)) {
    out += fmt::format("### {}: {} ({})\n{} {}\n", kind.name, kind.what,
                       kind.is_served() ? "served" : "401", options.method, options.url);
    for (const auto& [name, value] : request_headers(kind, api, session.now(), random)) {
      out += name + ": " + value + "\n";
    }
    out += "\n";
  }
  return out;
}

// Postman Collection v2.1.
std::string postman_file(const TryOptions& options, const TriedApi& api, Session& session) {
  SystemRandom random;
  Json items = Json::array();
  for (const TokenKind& kind : fitting_kinds(api)) {
    Json headers = Json::array();
    for (const auto& [name, value] : request_headers(kind, api, session.now(), random)) {
      headers.push_back({{"key", name}, {"value", value}});
    }
    const std::string expected = kind.is_served() ? "pm.expect(pm.response.code).to.not.equal(401);"
                                                  : "pm.expect(pm.response.code).to.equal(401);";
    const std::string test =
        fmt::format("pm.test(\"{}\", function () {{ {} }});", kind.what, expected);
    items.push_back(
        {{"name", kind.name},
         {"request", {{"method", options.method}, {"header", headers}, {"url", options.url}}},
         {"event",
          Json::array(
              {{{"listen", "test"},
                {"script", {{"type", "text/javascript"}, {"exec", Json::array({test})}}}}})}});
  }
  const Json collection{
      {"info",
       {{"name", "Touchmark tokens"},
        {"schema", "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}},
      {"item", items}};
  return collection.dump(2) + "\n";
}

Outcome write_collection(const TryOptions& options, const TriedApi& api, Session& session) {
  const std::string text = options.format == "postman" ? postman_file(options, api, session)
                                                       : http_file(options, api, session);
  if (auto ok = write_file_atomic(options.output, as_bytes(text), 0600); !ok) return pass(ok);
  if (session.json()) return print_json(session, {{"file", options.output}});
  session.console().print(fmt::format(
      "wrote {}, which its owner alone may read: it has a valid token, for five minutes",
      options.output));
  return io::kExitOk;
}

}  // namespace

Result<TriedApi> tried_api(const ApiOptions& options, Session& session) {
  TriedApi api;
  api.header = options.header;
  api.prefix = options.prefix;
  api.audience = options.audience;
  api.issuer = options.issuer;
  api.level = options.level;
  for (const std::string& line : options.bound) {
    auto header = parse_header(line);
    if (!header) return pass(header);
    api.bound.push_back(std::move(*header));
  }
  if (!options.secret_file.empty()) {
    auto keys = secrets_from_file(options.secret_file);
    if (!keys) return pass(keys);
    api.keys = std::move(*keys);
    return api;
  }
  auto client = session.connect();
  if (!client) return pass(client);
  auto answer = client->get("/admin/v1/secret");
  if (!answer) return pass(answer);
  auto keys = secrets_in_answer(*answer);
  if (!keys) return fail(io::CliError::kBadAnswer, "the answer has no secret");
  api.keys = std::move(*keys);
  return api;
}

Outcome try_tokens(const TryOptions& options, Session& session) {
  if (options.output.empty() != options.format.empty()) {
    return fail(io::CliError::kUsage, "--format and --output go together");
  }
  auto api = tried_api(options.api, session);
  if (!api) return pass(api);
  if (!options.output.empty()) return write_collection(options, *api, session);
  SystemRandom random;
  const auto client = net::curl_http_client({.ca_file = options.ca, .plain_http = true});
  const std::vector<TokenKind> kinds = fitting_kinds(*api);
  std::vector<Tried> tried;
  for (const TokenKind& kind : kinds) {
    const auto headers = request_headers(kind, *api, session.now(), random);
    const auto answer = client->send(
        {.method = options.method, .url = options.url, .headers = curl_lines(headers)});
    if (!answer && tried.empty()) return pass(answer);
    tried.push_back(answer ? Tried{&kind, answer->status, judge(kind, *answer)}
                           : Tried{&kind, 0, answer.error().message()});
  }
  const auto wrong =
      std::ranges::count_if(tried, [](const Tried& one) { return !one.problem.empty(); });
  if (session.json()) {
    print_json(session, as_json(tried, options.url));
  } else {
    print(tried, session);
    session.console().print(wrong == 0 ? fmt::format("all {} as they must be", tried.size())
                                       : fmt::format("{} of {} are wrong", wrong, tried.size()));
  }
  return wrong == 0 ? io::kExitOk : io::kExitNo;
}

}  // namespace touchmark::cli::commands
