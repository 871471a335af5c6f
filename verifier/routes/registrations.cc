// The routes for releases.
#include <algorithm>

#include "base/encoding.h"
#include "package/model/measurement.h"
#include "verifier/routes/caller.h"
#include "verifier/routes/expiry.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"
#include "verifier/state/registration_warnings.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::size_t kMaxBundleSigners = 10;

// SHA-256 in hex, with commas between them.
std::optional<std::vector<Sha256Digest>> parse_digests(std::string_view text) {
  std::vector<Sha256Digest> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto bytes = hex_decode(text.substr(0, comma));
    Sha256Digest digest;
    if (!bytes || bytes->size() != digest.size() || out.size() == kMaxBundleSigners) return {};
    std::ranges::copy(*bytes, digest.begin());
    out.push_back(digest);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace

http::HttpResponse add_registration(const RouteContext& context, const http::HttpRequest& request) {
  const auto seconds = query_integer(request, "expire_after", 0, 1, kMaxExpiry);
  if (!seconds) return bad_request("expire_after is not a positive number of seconds");
  std::optional<Seconds> expire_after;
  if (*seconds > 0) expire_after = Seconds(*seconds);
  const auto signers = request.query.find("bundle_signers");
  const auto bundle_signers = parse_digests(signers == request.query.end() ? "" : signers->second);
  if (!bundle_signers) return bad_request("bundle_signers is not a list of SHA-256 in hex");
  const auto admit = [&](const package::Measurement& measurement) -> Result<void> {
    if (!context.verifier.operators().is_in_force(request.caller)) {
      return fail(state::OperatorError::kUnknownToken,
                  "the operator token ended while the package was read");
    }
    return check_app(request.caller, measurement.package_name);
  };
  auto made = context.verifier.registry().register_package(
      request.upload_path, expire_after, *bundle_signers, request.caller.name, admit);
  if (!made) {
    context.log.warning("registration.refused",
                        {{"actor", request.caller.name}, {"error", made.error().text()}});
    // What the readers of package refuse is the upload's fault.
    return problem(made.error(), 422);
  }
  Json answer = to_json(*made);
  Json fields = answer;
  fields["actor"] = request.caller.name;
  answer["warnings"] = Json::array();
  fields["warnings"] = Json::array();
  for (const auto& warning : state::registration_warnings(made->measurement, TOUCHMARK_VERSION)) {
    answer["warnings"].push_back({{"id", warning.id}, {"message", warning.message}});
    fields["warnings"].push_back(warning.id);
  }
  context.log.info("registration.add", fields);
  const Status status = context.verifier.status();
  answer["valid_token_takes"] = status.demand.takes;
  for (const std::string& warning : status.demand.warnings) {
    answer["warnings"].push_back({{"id", "policy"}, {"message", warning}});
  }
  return json_response(answer, 201);
}

http::HttpResponse list_registrations(const RouteContext& context,
                                      const http::HttpRequest& request) {
  const UnixTime now = context.verifier.now();
  Json list = Json::array();
  for (const model::Registration& registration : context.verifier.registry().registrations()) {
    if (!model::is_for_app(request.caller, registration.measurement.package_name)) continue;
    Json one = to_json(registration);
    one["created_by"] = registration.created_by;
    one["expired"] = model::is_over(registration.expires, now);
    list.push_back(std::move(one));
  }
  return json_response({{"registrations", list}});
}

http::HttpResponse show_registration(const RouteContext& context,
                                     const http::HttpRequest& request) {
  auto registration = context.verifier.registry().registration(request.argument);
  if (registration && !model::is_for_app(request.caller, registration->measurement.package_name)) {
    registration = state::Registry::no_registration(request.argument);
  }
  if (!registration) return problem(registration.error());
  Json answer = to_json(*registration);
  answer["created_by"] = registration->created_by;
  answer["measurement"] = package::to_json(registration->measurement);
  return json_response(answer);
}

http::HttpResponse expire_registration(const RouteContext& context,
                                       const http::HttpRequest& request) {
  return set_expiry(context, request, "registration.expire",
                    [&](std::optional<Seconds> expire_after) {
                      return context.verifier.registry().set_registration_expiry(
                          request.argument, expire_after, request.caller.name);
                    });
}

http::HttpResponse remove_registration(const RouteContext& context,
                                       const http::HttpRequest& request) {
  auto ok = context.verifier.registry().remove_registration(request.argument, request.caller.name);
  if (!ok) return problem(ok.error());
  context.log.info("registration.remove",
                   {{"id", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

}  // namespace touchmark::verifier::routes
