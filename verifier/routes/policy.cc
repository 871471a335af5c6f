// The routes of the appraisal policy.
#include "verifier/policy/document.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

struct PolicyChange {
  std::string text;
  std::int64_t revision = 0;
  std::optional<unsigned> canary;
};

Result<PolicyChange> read_change(const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return pass(body);
  auto text = get_string(*body, "text", policy::kMaxDocumentBytes);
  if (!text) return pass(text);
  auto revision = get_int(*body, "revision", 0, INT64_MAX);
  if (!revision) return pass(revision);
  PolicyChange out{std::move(*text), *revision, std::nullopt};
  if (body->contains("canary") && !(*body)["canary"].is_null()) {
    auto canary = get_int(*body, "canary", 1, 99);
    if (!canary) return pass(canary);
    out.canary = static_cast<unsigned>(*canary);
  }
  return out;
}

}  // namespace

http::HttpResponse show_policy(const RouteContext& context, const http::HttpRequest& /*request*/) {
  Json out = to_json(*context.verifier.policy().show());
  out["settings"] = to_json(context.verifier.settings());
  return json_response(out);
}

http::HttpResponse put_policy(const RouteContext& context, const http::HttpRequest& request) {
  auto change = read_change(request);
  if (!change) return bad_request(change.error().message());
  auto done = context.verifier.policy().put(change->text, change->revision, change->canary,
                                            request.caller.name);
  if (!done) {
    context.log.warning("policy.refused",
                        {{"actor", request.caller.name}, {"error", done.error().id()}});
    return problem(done.error());
  }
  context.log.info("policy.put", {{"actor", request.caller.name},
                                  {"revision", done->revision},
                                  {"canary", change->canary ? Json(*change->canary) : Json()}});
  Json answer = to_json(*done);
  const auto policy = context.verifier.policy().compile(change->text);
  if (policy) {
    const policy::Demand demand = context.verifier.demand(*policy);
    answer["valid_token_takes"] = demand.takes;
    for (const std::string& warning : demand.warnings) {
      context.log.warning("policy.lax", {{"warning", warning}});
      answer["warnings"].push_back({{"line", 0}, {"column", 0}, {"key", ""}, {"message", warning}});
    }
  }
  return json_response(answer);
}

http::HttpResponse end_canary(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  const std::string action = find_string(*body, "action").value_or("");
  if (action != "promote" && action != "abort")
    return bad_request("action is not promote or abort");
  auto revision = get_int(*body, "revision", 0, INT64_MAX);
  if (!revision) return bad_request(revision.error().message());
  const auto how = action == "promote" ? state::PolicyRollout::CanaryEnd::kPromote
                                       : state::PolicyRollout::CanaryEnd::kAbort;
  auto done = context.verifier.policy().end_canary(how, *revision, request.caller.name);
  if (!done) return problem(done.error());
  context.log.info("policy." + action, {{"actor", request.caller.name}, {"revision", *done}});
  return json_response({{"revision", *done}});
}

http::HttpResponse replay_policy(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto text = get_string(*body, "text", policy::kMaxDocumentBytes);
  if (!text) return bad_request(text.error().message());
  std::int64_t last = model::kKeptAppraisals;
  if (body->contains("last")) {
    auto given = get_int(*body, "last", 1, model::kKeptAppraisals);
    if (!given) return bad_request(given.error().message());
    last = *given;
  }
  const auto proposed = context.verifier.policy().compile(*text);
  if (!proposed) return problem(proposed.error());
  const auto replayed =
      context.verifier.journal().replay(*proposed, static_cast<std::size_t>(last));
  return replayed ? json_response(to_json(*replayed)) : problem(replayed.error());
}

}  // namespace touchmark::verifier::routes
