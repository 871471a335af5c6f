// What registrations and certificates have in common: they end when an operator says.
#pragma once

#include <string_view>

#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {

// Answers a PATCH that sets when something ends. `set`: (expire_after) -> Result<T>, for a T that
// to_json() knows; `event`: the log's name for it.
template <class Set>
http::HttpResponse set_expiry(const RouteContext& context, const http::HttpRequest& request,
                              std::string_view event, Set set) {
  const auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  const auto lifetime = parse_lifetime(*body, /*required=*/true);
  if (!lifetime) return bad_lifetime();
  const auto changed = set(lifetime->expire_after);
  if (!changed) return problem(changed.error());
  const Json answer = to_json(*changed);
  context.log.info(
      event, {{"id", changed->id}, {"expires", answer["expires"]}, {"actor", request.caller.name}});
  return json_response(answer);
}

}  // namespace touchmark::verifier::routes
