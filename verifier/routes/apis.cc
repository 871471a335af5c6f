// The routes for API domains, and for the configuration that apps get.
#include "protocol/limits.h"
#include "verifier/http/problem.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

// Members before and overlap, both optional.
Result<state::ApiDomains::Replacement> read_replacement(const Json& body) {
  state::ApiDomains::Replacement out;
  if (const auto overlap = body.find("overlap"); overlap != body.end()) {
    auto seconds = get_int(body, "overlap", 0, kMaxExpiry);
    if (!seconds) return pass(seconds);
    out.overlap = Seconds(*seconds);
  }
  const auto before = body.find("before");
  if (before == body.end()) return out;
  const auto wrong = [] { return fail(JsonError::kWrongType, "before is not a list of pins"); };
  if (before->is_null()) {
    out.before.emplace(std::nullopt);
    return out;
  }
  if (!before->is_array()) return wrong();
  std::vector<std::string> pins;
  for (const Json& pin : *before) {
    if (!pin.is_string()) return wrong();
    pins.push_back(pin.get<std::string>());
  }
  out.before.emplace(std::move(pins));
  return out;
}

}  // namespace

http::HttpResponse put_api(const RouteContext& context, const http::HttpRequest& request) {
  auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  auto domain = get_string(*body, "domain", 512);
  if (!domain) return bad_request(domain.error().message());
  const Json* pins = find_array(*body, "pins");
  if (pins == nullptr) return bad_request("pins is not an array");
  model::ApiDomain api{*domain, {}};
  for (const Json& pin : *pins) {
    if (!pin.is_string()) return bad_request("a pin is not a string");
    api.pins.push_back(pin.get<std::string>());
  }
  auto replacement = read_replacement(*body);
  if (!replacement) return bad_request(replacement.error().message());
  if (body->contains("keyset")) {
    auto key_set = get_string(*body, "keyset", protocol::kMaxKeySetName);
    if (!key_set) return bad_request(key_set.error().message());
    if (context.verifier.key_sets().keys()->find(*key_set) == nullptr) {
      return problem(
          Error(state::KeySetError::kNoKeySet,
                "there is no keyset \"" + *key_set + "\"; `touchmark keyset add` makes one"));
    }
    if (*key_set == appraisal::TokenKeys::kDefault) key_set->clear();
    replacement->key_set = std::move(*key_set);
  }
  auto stored = context.verifier.api_domains().put(api, *replacement, request.caller.name);
  if (!stored) return problem(stored.error());
  Json answer = to_json(stored->api);
  answer["config_version"] = stored->config_version;
  if (!stored->not_renewed.empty()) answer["not_renewed"] = stored->not_renewed;
  Json fields = answer;
  fields["actor"] = request.caller.name;
  context.log.info("api.put", fields);
  return json_response(answer);
}

http::HttpResponse list_apis(const RouteContext& context, const http::HttpRequest& /*request*/) {
  auto apis = context.verifier.api_domains().list();
  if (!apis) return problem(apis.error());
  Json list = Json::array();
  for (const model::ApiDomain& api : *apis) list.push_back(to_json(api));
  return json_response({{"apis", list}});
}

http::HttpResponse remove_api(const RouteContext& context, const http::HttpRequest& request) {
  auto ok = context.verifier.api_domains().remove(request.argument, request.caller.name);
  if (!ok) return problem(ok.error());
  context.log.info("api.remove", {{"domain", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

http::HttpResponse show_configuration(const RouteContext& context,
                                      const http::HttpRequest& request) {
  const auto allow_local = query_integer(request, "allow_local", 0, 0, 1);
  if (!allow_local) return bad_request("allow_local is not 0 or 1");
  const auto problems = context.verifier.public_url_problems();
  if (*allow_local == 0 && !problems.empty()) {
    return problem(Error(state::ConfigurationError::kLocalUrl, problems.front()));
  }
  const auto configuration = context.verifier.api_domains().configuration();
  if (configuration->jws.empty()) {
    return problem(Error(state::ApiError::kTooMany,
                         "there is no configuration: the APIs and pins are more than an app takes; "
                         "remove some with `touchmark api remove`"));
  }
  return {200, "application/jose", configuration->jws, {}};
}

}  // namespace touchmark::verifier::routes
