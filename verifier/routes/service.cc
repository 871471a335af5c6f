// The routes of what the service tells of itself: status, secrets, tokens, audit log.
#include "base/encoding.h"
#include "verifier/routes/caller.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::size_t kMaxAuditEntries = 10'000;

}  // namespace

http::HttpResponse show_status(const RouteContext& context, const http::HttpRequest& request) {
  Json answer = to_json(context.verifier.status());
  answer["name"] = request.caller.name;
  answer["role"] = to_string(request.caller.role);
  return json_response(answer);
}

http::HttpResponse show_diagnosis(const RouteContext& context,
                                  const http::HttpRequest& /*request*/) {
  return json_response(to_json(context.verifier.diagnose()));
}

http::HttpResponse read_secret(const RouteContext& context, const http::HttpRequest& request) {
  auto secrets = context.verifier.operators().token_secrets(request.caller.name);
  if (!secrets) return problem(secrets.error());
  context.log.info("secret.read", {{"actor", request.caller.name}});
  return json_response({{"alg", "HS256"},
                        {"secret", base64_encode(secrets->secret)},
                        {"decoy_secret", base64_encode(secrets->decoy_secret)}});
}

http::HttpResponse show_audit_log(const RouteContext& context, const http::HttpRequest& request) {
  const auto limit = query_integer(request, "limit", 100, 1, kMaxAuditEntries);
  if (!limit) return bad_request("limit is not a number from 1 to 10000");
  auto log = context.verifier.operators().audit_log(static_cast<std::size_t>(*limit));
  if (!log) return problem(log.error());
  return json_response(to_json(*log));
}

http::HttpResponse check_token(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto token = get_string(*body, "token", kMaxSmallBody);
  if (!token) return bad_request(token.error().message());
  const appraisal::TokenReport report = context.verifier.operators().check_token(*token);
  return json_response({{"status", to_string(report.status)}, {"claims", report.claims}});
}

http::HttpResponse make_example_token(const RouteContext& context,
                                      const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  if (!body->is_object() || !body->contains("valid") || !(*body)["valid"].is_boolean()) {
    return bad_request("valid is not true or false");
  }
  const bool valid = (*body)["valid"].get<bool>();
  if (valid) {
    // It opens doors. An invalid one opens none.
    auto ok = check_permission(request.caller, model::Permission::kMakeValidTokens);
    if (!ok) return problem(ok.error());
  }
  auto token = context.verifier.operators().example_token(valid, request.connection.remote_ip,
                                                          request.caller.name);
  if (!token) return problem(token.error());
  context.log.info("token.example", {{"actor", request.caller.name}, {"valid", valid}});
  return json_response({{"token", *token}});
}

}  // namespace touchmark::verifier::routes
