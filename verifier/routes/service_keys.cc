// The routes for the service's own TLS key: how it stands, and its change.
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

http::HttpResponse answer(const RouteContext& context, const Result<state::ServiceKeysState>& state,
                          int status = 200) {
  if (!state) return problem(state.error());
  Json next;
  if (state->next) {
    next = {{"pin", state->next->pin},
            {"announced", to_unix(state->next->announced)},
            {"announced_by", state->next->actor},
            {"config_version", state->next->config_version},
            {"kept_here", state->next->is_kept_here}};
  }
  return json_response({{"pins", state->pins},
                        {"next", next},
                        {"behind_proxy", context.verifier.settings().tls_terminated_by_proxy},
                        {"devices",
                         {{"since", to_unix(state->since)},
                          {"seen", state->devices.seen},
                          {"know_it", state->devices.up_to_date}}}},
                       status);
}

}  // namespace

http::HttpResponse show_service_keys(const RouteContext& context,
                                     const http::HttpRequest& /*request*/) {
  return answer(context, context.verifier.service_keys().show());
}

http::HttpResponse announce_service_key(const RouteContext& context,
                                        const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  if (!body->is_object()) return bad_request("the body is not an object");
  const auto given = body->find("pin");
  std::optional<std::string> pin;
  if (given != body->end() && !given->is_null()) {
    if (!given->is_string()) return bad_request("pin is not a text");
    pin = given->get<std::string>();
  }
  auto state = context.verifier.service_keys().announce(pin, request.caller.name);
  if (state) {
    context.log.info("tls.next_key", {{"actor", request.caller.name}, {"pin", state->next->pin}});
  }
  return answer(context, state, 201);
}

http::HttpResponse cancel_service_key(const RouteContext& context,
                                      const http::HttpRequest& request) {
  const auto done = context.verifier.service_keys().cancel(request.caller.name);
  if (!done) return problem(done.error());
  return no_content();
}

http::HttpResponse promote_service_key(const RouteContext& context,
                                       const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  if (!body->is_object()) return bad_request("the body is not an object");
  const auto given = body->find("anyway");
  if (given != body->end() && !given->is_boolean()) {
    return bad_request("anyway is not true or false");
  }
  const bool anyway = given != body->end() && given->get<bool>();
  return answer(context, context.verifier.service_keys().promote(anyway, request.caller.name));
}

}  // namespace touchmark::verifier::routes
