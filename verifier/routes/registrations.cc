// The routes for releases.
#include <algorithm>

#include "base/encoding.h"
#include "package/model/measurement.h"
#include "verifier/http/problem.h"
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

// "true" or "false"; nothing else.
std::optional<bool> query_flag(const http::HttpRequest& request, const char* name) {
  const auto found = request.query.find(name);
  if (found == request.query.end() || found->second == "false") return false;
  return found->second == "true" ? std::optional(true) : std::nullopt;
}

Json changes_of(const state::RegisteredPackage& made) {
  Json out = Json::object();
  if (!made.before) return out;
  const Json before = routes::to_json(*made.before);
  const Json after = routes::to_json(made.registration);
  for (const auto& [name, value] : after.items()) {
    if (before[name] != value) out[name] = {{"before", before[name]}, {"after", value}};
  }
  return out;
}

// What the operator should know of it, in an answer: {"id","message"} each.
Json warnings_of(const state::RegisteredPackage& made, const Status& status) {
  Json out = Json::array();
  for (const auto& warning : state::registration_warnings(
           made.registration.measurement, TOUCHMARK_VERSION, made.configuration, made.signer)) {
    out.push_back({{"id", warning.id}, {"message", warning.message}});
  }
  for (const std::string& warning : status.demand.warnings) {
    out.push_back({{"id", "policy"}, {"message", warning}});
  }
  return out;
}

// For which ABIs the SDK's library is in the package.
void add_abis(const package::Measurement& measurement, Json& answer) {
  const state::SdkAbis abis = state::sdk_abis(measurement);
  answer["sdk_abis"] = abis.with;
  answer["abis_without_sdk"] = abis.without;
}

Result<state::PackageOptions> package_options(const RouteContext& context,
                                              const http::HttpRequest& request) {
  const auto malformed = [](std::string what) {
    return fail(http::HttpError::kMalformed, std::move(what));
  };
  state::PackageOptions out;
  const auto seconds = query_integer(request, "expire_after", 0, 1, kMaxExpiry);
  if (!seconds) return malformed("expire_after is not a positive number of seconds");
  if (*seconds > 0) out.expire_after = Seconds(*seconds);
  const auto signers = request.query.find("bundle_signers");
  auto digests = parse_digests(signers == request.query.end() ? "" : signers->second);
  if (!digests) return malformed("bundle_signers is not a list of SHA-256 in hex");
  out.bundle_signers = *std::move(digests);
  if (const auto first = request.query.find("bundle_first_signer"); first != request.query.end()) {
    auto digest = parse_digests(first->second);
    if (!digest || digest->size() != 1) {
      return malformed("bundle_first_signer is not one SHA-256 in hex");
    }
    // A key that was never rotated began with itself.
    if (*digest != out.bundle_signers) out.bundle_first_signer = digest->front();
  }
  const std::pair<const char*, bool*> flags[] = {
      {"replace", &out.replace}, {"dry_run", &out.dry_run}, {"other_service", &out.other_service}};
  for (const auto& [name, value] : flags) {
    const auto flag = query_flag(request, name);
    if (!flag) return malformed(std::string(name) + " is neither true nor false");
    *value = *flag;
  }
  out.configuration = context.verifier.api_domains().configuration()->jws;
  return out;
}

}  // namespace

http::HttpResponse add_registration(const RouteContext& context, const http::HttpRequest& request) {
  const auto options = package_options(context, request);
  if (!options) return bad_request(options.error().message());
  if (options->replace) {
    // Whoever may add a release may not for that reason end one, or make one last.
    auto ok = check_permission(request.caller, model::Permission::kChangeRegistrations);
    if (!ok) return problem(ok.error());
  }
  const auto admit = [&](const package::Measurement& measurement) -> Result<void> {
    if (!context.verifier.operators().is_in_force(request.caller)) {
      return fail(state::OperatorError::kUnknownToken,
                  "the operator token ended while the package was read");
    }
    return check_app(request.caller, measurement.package_name);
  };
  auto made = context.verifier.registry().register_package(request.upload_path, *options,
                                                           request.caller.name, admit);
  if (!made) {
    context.log.warning("registration.refused",
                        {{"actor", request.caller.name}, {"error", made.error().text()}});
    // What the readers of package refuse is the upload's fault.
    return problem(made.error(), 422);
  }
  const Status status = context.verifier.status();
  Json answer = to_json(made->registration);
  answer["status"] = to_string(made->change);
  answer["warnings"] = warnings_of(*made, status);
  Json fields = answer;
  fields["actor"] = request.caller.name;
  fields["warnings"] = Json::array();
  for (const Json& warning : answer["warnings"]) {
    if (warning["id"] != "policy") fields["warnings"].push_back(warning["id"]);
  }
  answer["signer"] = state::to_string(made->signer);
  answer["signers"] = Json::array();
  for (const Sha256Digest& signer : made->registration.measurement.signers) {
    answer["signers"].push_back(hex_encode(signer));
  }
  answer["configuration"] = state::to_string(made->configuration);
  answer["dry_run"] = options->dry_run;
  answer["changes"] = changes_of(*made);
  answer["valid_token_takes"] = status.demand.takes;
  add_abis(made->registration.measurement, answer);
  if (!options->dry_run) context.log.info("registration.add", fields);
  const bool is_new = made->change == state::PackageChange::kAdded && !options->dry_run;
  return json_response(answer, is_new ? 201 : 200);
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
  add_abis(registration->measurement, answer);
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
