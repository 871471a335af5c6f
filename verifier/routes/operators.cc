// The routes of the operators: who they are, and who may become one.
#include "verifier/http/problem.h"
#include "verifier/model/permission.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

// Names of roles, for an error.
std::string role_names() {
  std::string out;
  for (const model::Role role : model::kRoles) {
    out += (out.empty() ? "" : ", ") + std::string(to_string(role));
  }
  return out;
}

Result<state::NewOperator> read_operator(const Json& body) {
  const auto malformed = [](const std::string& what) {
    return fail(http::HttpError::kMalformed, what);
  };
  state::NewOperator out;
  auto name = get_string(body, "name");
  if (!name) return malformed(name.error().message());
  out.name = std::move(*name);
  const auto role = model::parse_role(find_string(body, "role").value_or(""));
  if (!role) return malformed("role is not one of " + role_names());
  out.role = *role;
  if (body.contains("expire_after") && !body["expire_after"].is_null()) {
    const auto seconds = get_int(body, "expire_after", 1, kMaxExpiry);
    if (!seconds) return malformed("expire_after is not a positive number of seconds");
    out.expire_after = Seconds(*seconds);
  }
  if (!body.contains("apps")) return out;
  const Json* apps = find_array(body, "apps");
  if (apps == nullptr) return malformed("apps is not an array");
  for (const Json& app : *apps) {
    if (!app.is_string()) return malformed("an app is not a string");
    out.apps.push_back(app.get<std::string>());
  }
  return out;
}

}  // namespace

http::HttpResponse show_caller(const RouteContext& context, const http::HttpRequest& request) {
  const model::OperatorToken& caller = request.caller;
  Json answer = to_json(caller);
  answer["version"] = TOUCHMARK_VERSION;
  answer["service_pins"] = context.verifier.api_domains().service_pins();
  answer["permissions"] = Json::array();
  for (const model::PermissionRow& row : model::permissions()) {
    if (may(caller.role, row.permission)) answer["permissions"].push_back(row.name);
  }
  return json_response(answer);
}

http::HttpResponse list_operators(const RouteContext& context,
                                  const http::HttpRequest& /*request*/) {
  const UnixTime now = context.verifier.now();
  Json list = Json::array();
  for (const model::OperatorToken& entry : context.verifier.operators().list()) {
    Json one = to_json(entry);
    one["expired"] = model::is_over(entry.expires, now);
    list.push_back(std::move(one));
  }
  return json_response({{"operators", std::move(list)}});
}

http::HttpResponse add_operator(const RouteContext& context, const http::HttpRequest& request) {
  const auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  const auto wanted = read_operator(*body);
  if (!wanted) return problem(wanted.error());
  const auto made = context.verifier.operators().add(*wanted, request.caller.name);
  if (!made) return problem(made.error());
  Json answer = to_json(made->entry);
  Json fields = answer;
  fields["actor"] = request.caller.name;
  context.log.info("operator.add", fields);
  answer["token"] = made->token;
  return json_response(answer, 201);
}

http::HttpResponse revoke_operator(const RouteContext& context, const http::HttpRequest& request) {
  auto ok = context.verifier.operators().revoke(request.argument, request.caller.name);
  if (!ok) return problem(ok.error());
  context.log.info("operator.revoke", {{"name", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

}  // namespace touchmark::verifier::routes
