// The routes of what the service tells of itself: status, audit log.
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

http::HttpResponse show_audit_log(const RouteContext& context, const http::HttpRequest& request) {
  const auto limit = query_integer(request, "limit", 100, 1, kMaxAuditEntries);
  if (!limit) return bad_request("limit is not a number from 1 to 10000");
  auto log = context.verifier.operators().audit_log(static_cast<std::size_t>(*limit));
  if (!log) return problem(log.error());
  return json_response(to_json(*log));
}

}  // namespace touchmark::verifier::routes
