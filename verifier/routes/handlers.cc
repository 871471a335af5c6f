#include "verifier/routes/handlers.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "protocol/limits.h"
#include "verifier/http/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::size_t kMaxSdk = 256 << 20;
constexpr std::size_t kMaxAuditEntries = 10'000;

Json api_json(const store::ApiDomain& api) { return {{"domain", api.domain}, {"pins", api.pins}}; }

bool matches(std::string_view pattern, std::string_view path, std::string& argument) {
  if (!pattern.ends_with("/*")) return pattern == path;
  pattern.remove_suffix(1);
  if (!path.starts_with(pattern) || path.size() == pattern.size()) return false;
  argument = path.substr(pattern.size());
  return argument.find('/') == std::string::npos;
}

}  // namespace

Handlers::Handlers(Service& service, http::Log& log, HandlerSettings settings)
    : service_(service), log_(log), settings_(std::move(settings)) {
  add_public_routes();
  add_registration_routes();
  add_api_routes();
  add_operator_routes();
  add_policy_routes();
}

void Handlers::add_public_routes() {
  routes_.push_back({"POST", "/v1/challenge", Access::kPublic, RunOn::kIo, kMaxChallengeBody, false,
                     [this](const http::HttpRequest& r) { return challenge(r); }});
  routes_.push_back({"POST", "/v1/attest", Access::kPublic, RunOn::kIo, protocol::kMaxAttestBody,
                     false, [this](const http::HttpRequest& r) { return attest(r); }});
  routes_.push_back(
      {"GET", "/healthz", Access::kPublic, RunOn::kIo, 0, false, [](const http::HttpRequest&) {
         return json_response({{"status", "ok"}});
       }});
  routes_.push_back({"GET", "/readyz", Access::kPublic, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest&) { return ready(); }});
}

void Handlers::add_api_routes() {
  routes_.push_back({"PUT", "/admin/v1/apis", Access::kDeveloper, RunOn::kWorker, kMaxSmallBody,
                     false, [this](const http::HttpRequest& r) { return put_api(r); }});
  routes_.push_back({"GET", "/admin/v1/apis", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest&) { return list_apis(); }});
  routes_.push_back({"DELETE", "/admin/v1/apis/*", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest& r) { return remove_api(r); }});
  routes_.push_back(
      {"GET", "/admin/v1/config", Access::kDeveloper, RunOn::kIo, 0, false,
       [this](const http::HttpRequest&) {
         return http::HttpResponse{200, "application/jose", service_.configuration(), {}};
       }});
  routes_.push_back({"GET", "/admin/v1/sdk/android", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest&) { return sdk(); }});
}

void Handlers::add_operator_routes() {
  routes_.push_back({"GET", "/admin/v1/status", Access::kDeveloper, RunOn::kIo, 0, false,
                     [this](const http::HttpRequest& r) {
                       Json status = service_.status();
                       status["role"] = to_string(r.caller.role);
                       return json_response(status);
                     }});
  routes_.push_back({"GET", "/admin/v1/secret", Access::kAdmin, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest& r) { return secret(r); }});
  routes_.push_back({"GET", "/admin/v1/audit", Access::kAdmin, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest& r) { return audit(r); }});
  routes_.push_back({"POST", "/admin/v1/token/check", Access::kDeveloper, RunOn::kIo, kMaxSmallBody,
                     false, [this](const http::HttpRequest& r) { return check_token(r); }});
  routes_.push_back({"POST", "/admin/v1/token/example", Access::kDeveloper, RunOn::kWorker,
                     kMaxSmallBody, false,
                     [this](const http::HttpRequest& r) { return example_token(r); }});
}

Handlers::Match Handlers::find(std::string_view method, std::string_view path) const {
  Match match;
  for (const Route& route : routes_) {
    std::string argument;
    if (!matches(route.path, path, argument)) continue;
    match.path_known = true;
    if (route.method != method) continue;
    match.route = &route;
    match.argument = std::move(argument);
    break;
  }
  return match;
}

Result<store::OperatorToken> Handlers::authorize(const Route& route,
                                                 std::string_view authorization) const {
  if (route.access == Access::kPublic) return store::OperatorToken{};
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) {
    return fail(http::HttpError::kUnauthorized,
                "this needs an operator token: Authorization: Bearer tmk_…");
  }
  const auto caller = service_.authenticate(authorization.substr(kScheme.size()));
  if (!caller)
    return fail(http::HttpError::kUnauthorized, "the operator token is not one of this service");
  if (route.access == Access::kAdmin && caller->role != store::Role::kAdmin) {
    return fail(http::HttpError::kForbidden,
                "this needs the role admin; \"" + caller->name + "\" has the role developer");
  }
  return *caller;
}

http::HttpResponse Handlers::challenge(const http::HttpRequest& request) {
  auto answer = service_.challenge(request.body);
  if (!answer) return http::problem(answer.error());
  log_.info("challenge", {{"remote_ip", request.connection.remote_ip}});
  return {200, "application/json", std::move(*answer), {}};
}

http::HttpResponse Handlers::attest(const http::HttpRequest& request) {
  auto answer = service_.attest(request.body, request.connection);
  if (!answer) {
    log_.warning("attest.refused", {{"remote_ip", request.connection.remote_ip},
                                    {"error", answer.error().id()},
                                    {"detail", answer.error().message()}});
    return http::problem(answer.error());
  }
  Json ids = Json::array();
  Json details = Json::array();
  for (const protocol::Finding& finding : answer->verdict.findings) {
    const std::string id(protocol::to_string(finding.id));
    if (ids.empty() || ids.back() != id) ids.push_back(id);
    if (!finding.detail.empty()) details.push_back(id + ": " + finding.detail);
  }
  log_.info("attest", {{"did", answer->verdict.did},
                       {"package", answer->verdict.package_name},
                       {"passed", answer->verdict.passed},
                       {"assurance", answer->verdict.assurance},
                       {"findings", ids},
                       {"details", details},
                       {"arc", answer->verdict.arc},
                       {"remote_ip", request.connection.remote_ip}});
  return {200, "application/json", std::move(answer->body), {}};
}

http::HttpResponse Handlers::ready() {
  auto ok = service_.ready();
  if (ok) return json_response({{"status", "ok"}});
  log_.error("not_ready", {{"error", ok.error().text()}});
  http::HttpResponse response = http::problem(ok.error());
  response.status = 503;
  return response;
}

http::HttpResponse Handlers::put_api(const http::HttpRequest& request) {
  auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  auto domain = get_string(*body, "domain", 512);
  if (!domain) return bad_request(domain.error().message());
  const Json* pins = find_array(*body, "pins");
  if (pins == nullptr) return bad_request("pins is not an array");
  store::ApiDomain api{*domain, {}};
  for (const Json& pin : *pins) {
    if (!pin.is_string()) return bad_request("a pin is not a string");
    api.pins.push_back(pin.get<std::string>());
  }
  auto stored = service_.put_api(api, request.caller.name);
  if (!stored) return http::problem(stored.error());
  Json answer = api_json(*stored);
  answer["config_version"] = service_.status()["config_version"];
  Json fields = answer;
  fields["actor"] = request.caller.name;
  log_.info("api.put", fields);
  return json_response(answer);
}

http::HttpResponse Handlers::list_apis() {
  auto apis = service_.apis();
  if (!apis) return http::problem(apis.error());
  Json list = Json::array();
  for (const store::ApiDomain& api : *apis) list.push_back(api_json(api));
  return json_response({{"apis", list}});
}

http::HttpResponse Handlers::remove_api(const http::HttpRequest& request) {
  auto ok = service_.remove_api(request.argument, request.caller.name);
  if (!ok) return http::problem(ok.error());
  log_.info("api.remove", {{"domain", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

http::HttpResponse Handlers::sdk() const {
  const std::filesystem::path path = settings_.sdk_dir / "touchmark_sdk.aar";
  auto content = read_file(path, kMaxSdk);
  if (!content && content.error().is(FileError::kNotFound)) {
    return http::problem(Error(http::HttpError::kNotFound,
                               "this service holds no Android SDK: put " + path.string() +
                                   " there, or start it with --sdk-dir"));
  }
  if (!content) return http::problem(content.error());
  return {200, "application/octet-stream", std::string(as_text(*content)), {}};
}

http::HttpResponse Handlers::secret(const http::HttpRequest& request) {
  auto secrets = service_.token_secrets(request.caller.name);
  if (!secrets) return http::problem(secrets.error());
  log_.info("secret.read", {{"actor", request.caller.name}});
  return json_response({{"alg", "HS256"},
                        {"secret", base64_encode(secrets->secret)},
                        {"decoy_secret", base64_encode(secrets->decoy_secret)}});
}

http::HttpResponse Handlers::check_token(const http::HttpRequest& request) {
  auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  auto token = get_string(*body, "token", kMaxSmallBody);
  if (!token) return bad_request(token.error().message());
  const TokenReport report = service_.check_token(*token);
  return json_response({{"status", to_string(report.status)}, {"claims", report.claims}});
}

http::HttpResponse Handlers::example_token(const http::HttpRequest& request) {
  auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  if (!body->is_object() || !body->contains("valid") || !(*body)["valid"].is_boolean()) {
    return bad_request("valid is not true or false");
  }
  const bool valid = (*body)["valid"].get<bool>();
  auto token = service_.example_token(valid, request.connection.remote_ip, request.caller.name);
  if (!token) return http::problem(token.error());
  log_.info("token.example", {{"actor", request.caller.name}, {"valid", valid}});
  return json_response({{"token", *token}});
}

http::HttpResponse Handlers::audit(const http::HttpRequest& request) {
  const auto limit = query_integer(request, "limit", 100, 1, kMaxAuditEntries);
  if (!limit) return bad_request("limit is not a number from 1 to 10000");
  auto log = service_.audit_log(static_cast<std::size_t>(*limit));
  if (!log) return http::problem(log.error());
  return json_response(*log);
}

}  // namespace touchmark::verifier::routes
