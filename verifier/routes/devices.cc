// The routes of single devices.
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::int64_t kMaxListedDevices = 10'000;

// An answer's bound in memory: a record has at most 4 KiB of JSON.
constexpr std::int64_t kMaxLogged = 500;

}  // namespace

http::HttpResponse show_log(const RouteContext& context, const http::HttpRequest& request) {
  const auto after = query_integer(request, "after", 0, 0, INT64_MAX);
  const auto limit = query_integer(request, "limit", 100, 1, kMaxLogged);
  if (!after) return bad_request("after is not a number from 0");
  if (!limit) return bad_request("limit is not a number from 1 to 500");
  const auto appraisals =
      context.verifier.journal().since(*after, static_cast<std::size_t>(*limit));
  if (!appraisals) return problem(appraisals.error());
  Json list = Json::array();
  for (const auto& one : *appraisals) list.push_back(to_json(one));
  return json_response({{"appraisals", std::move(list)}});
}

http::HttpResponse list_devices(const RouteContext& context, const http::HttpRequest& request) {
  const auto limit = query_integer(request, "limit", 100, 1, kMaxListedDevices);
  if (!limit) return bad_request("limit is not a number from 1 to 10000");
  const auto devices = context.verifier.devices().list(static_cast<std::size_t>(*limit));
  if (!devices) return problem(devices.error());
  Json list = Json::array();
  for (const state::Device& device : *devices) list.push_back(to_json(device));
  return json_response({{"devices", std::move(list)}});
}

http::HttpResponse show_device(const RouteContext& context, const http::HttpRequest& request) {
  const auto name = request.query.find("did");
  if (name == request.query.end()) return bad_request("did is missing");
  const auto device = context.verifier.devices().find(name->second);
  if (!device) return problem(device.error());
  const auto appraisal = context.verifier.journal().newest(device->record.device_id);
  if (!appraisal) return problem(appraisal.error());
  Json answer = to_json(*device);
  answer["appraisal"] = nullptr;
  if (*appraisal) {
    const auto in_force = context.verifier.policy().show();
    answer["appraisal"] = explained(**appraisal, in_force->current.policy, device->force());
  }
  return json_response(answer);
}

http::HttpResponse force_device(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto name = get_string(*body, "did", 64);
  if (!name) return bad_request(name.error().message());
  const std::string word = find_string(*body, "force").value_or("");
  policy::Force force = policy::Force::kNone;
  if (word == "pass") {
    force = policy::Force::kPass;
  } else if (word == "fail") {
    force = policy::Force::kFail;
  } else if (word != "none") {
    return bad_request("force is not pass, fail or none");
  }
  auto done = context.verifier.devices().force(*name, force, request.caller.name);
  if (!done) return problem(done.error());
  const Json answer = to_json(*done);
  Json fields = answer;
  fields["actor"] = request.caller.name;
  context.log.info("device.force", fields);
  return json_response(answer);
}

}  // namespace touchmark::verifier::routes
