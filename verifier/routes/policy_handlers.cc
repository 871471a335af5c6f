// The routes of the policy and of single devices.
#include "verifier/http/problem.h"
#include "verifier/policy/document.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

// A document as a JSON string may be twice its length, and more with escapes.
constexpr std::uint64_t kMaxPolicyBody = 4 * policy::kMaxDocumentBytes;
constexpr std::int64_t kMaxListedDevices = 10'000;

Result<Json> read_body(const http::HttpRequest& request) {
  return parse_json(request.body, {.max_bytes = kMaxPolicyBody, .max_depth = 4});
}

struct PolicyChange {
  std::string text;
  std::int64_t revision = 0;
  std::optional<unsigned> canary;
};

Result<PolicyChange> read_change(const http::HttpRequest& request) {
  auto body = read_body(request);
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

void Handlers::add_policy_routes() {
  routes_.push_back({"GET", "/admin/v1/policy", Access::kDeveloper, RunOn::kIo, 0, false,
                     [this](const http::HttpRequest&) { return show_policy(); }});
  routes_.push_back({"PUT", "/admin/v1/policy", Access::kAdmin, RunOn::kWorker, kMaxPolicyBody,
                     false, [this](const http::HttpRequest& r) { return put_policy(r); }});
  routes_.push_back({"POST", "/admin/v1/policy/canary", Access::kAdmin, RunOn::kWorker,
                     kMaxSmallBody, false,
                     [this](const http::HttpRequest& r) { return end_canary(r); }});
  routes_.push_back({"POST", "/admin/v1/policy/replay", Access::kDeveloper, RunOn::kWorker,
                     kMaxPolicyBody, false,
                     [this](const http::HttpRequest& r) { return replay_policy(r); }});
  routes_.push_back({"GET", "/admin/v1/devices", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest& r) { return list_devices(r); }});
  routes_.push_back({"GET", "/admin/v1/device", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest& r) { return show_device(r); }});
  routes_.push_back({"PUT", "/admin/v1/device", Access::kDeveloper, RunOn::kWorker, kMaxSmallBody,
                     false, [this](const http::HttpRequest& r) { return force_device(r); }});
}

http::HttpResponse Handlers::show_policy() {
  Json out = service_.policies().show();
  out["settings"] = service_.policy_settings();
  return json_response(out);
}

http::HttpResponse Handlers::put_policy(const http::HttpRequest& request) {
  auto change = read_change(request);
  if (!change) return bad_request(change.error().message());
  auto done =
      service_.policies().put(change->text, change->revision, change->canary, request.caller.name);
  if (!done) {
    log_.warning("policy.refused", {{"actor", request.caller.name}, {"error", done.error().id()}});
    return http::problem(done.error());
  }
  log_.info("policy.put", {{"actor", request.caller.name},
                           {"revision", (*done)["revision"]},
                           {"canary", change->canary ? Json(*change->canary) : Json()}});
  return json_response(*done);
}

http::HttpResponse Handlers::end_canary(const http::HttpRequest& request) {
  auto body = read_body(request);
  if (!body) return bad_request(body.error().message());
  const std::string action = find_string(*body, "action").value_or("");
  if (action != "promote" && action != "abort")
    return bad_request("action is not promote or abort");
  auto revision = get_int(*body, "revision", 0, INT64_MAX);
  if (!revision) return bad_request(revision.error().message());
  const auto how = action == "promote" ? state::PolicyAdmin::CanaryEnd::kPromote
                                       : state::PolicyAdmin::CanaryEnd::kAbort;
  auto done = service_.policies().end_canary(how, *revision, request.caller.name);
  if (!done) return http::problem(done.error());
  log_.info("policy." + action,
            {{"actor", request.caller.name}, {"revision", (*done)["revision"]}});
  return json_response(*done);
}

http::HttpResponse Handlers::replay_policy(const http::HttpRequest& request) {
  auto body = read_body(request);
  if (!body) return bad_request(body.error().message());
  auto text = get_string(*body, "text", policy::kMaxDocumentBytes);
  if (!text) return bad_request(text.error().message());
  std::int64_t last = store::kKeptAppraisals;
  if (body->contains("last")) {
    auto given = get_int(*body, "last", 1, store::kKeptAppraisals);
    if (!given) return bad_request(given.error().message());
    last = *given;
  }
  auto replayed = service_.policies().replay(*text, static_cast<std::size_t>(last));
  return replayed ? json_response(*replayed) : http::problem(replayed.error());
}

http::HttpResponse Handlers::list_devices(const http::HttpRequest& request) {
  const auto limit = query_integer(request, "limit", 100, 1, kMaxListedDevices);
  if (!limit) return bad_request("limit is not a number from 1 to 10000");
  auto devices = service_.policies().devices(static_cast<std::size_t>(*limit));
  return devices ? json_response(*devices) : http::problem(devices.error());
}

http::HttpResponse Handlers::show_device(const http::HttpRequest& request) {
  const auto did = request.query.find("did");
  if (did == request.query.end()) return bad_request("did is missing");
  auto device = service_.policies().device(did->second);
  return device ? json_response(*device) : http::problem(device.error());
}

http::HttpResponse Handlers::force_device(const http::HttpRequest& request) {
  auto body = read_body(request);
  if (!body) return bad_request(body.error().message());
  auto did = get_string(*body, "did", 64);
  if (!did) return bad_request(did.error().message());
  const std::string word = find_string(*body, "force").value_or("");
  policy::Force force = policy::Force::kNone;
  if (word == "pass") {
    force = policy::Force::kPass;
  } else if (word == "fail") {
    force = policy::Force::kFail;
  } else if (word != "none") {
    return bad_request("force is not pass, fail or none");
  }
  auto done = service_.policies().force(*did, force, request.caller.name);
  if (!done) return http::problem(done.error());
  Json fields = *done;
  fields["actor"] = request.caller.name;
  log_.info("device.force", fields);
  return json_response(*done);
}

}  // namespace touchmark::verifier::routes
