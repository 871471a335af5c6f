// The routes for releases and signing certificates.
#include <algorithm>

#include "base/encoding.h"
#include "package/model/measurement.h"
#include "verifier/http/problem.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::size_t kMaxCertificate = 8 * 1024;  // bytes, DER
constexpr std::size_t kMaxPackageName = 223;       // as long as Android takes them
constexpr std::size_t kMaxBundleSigners = 10;

Json time_or_null(const std::optional<UnixTime>& time) {
  return time ? Json(to_unix(*time)) : Json();
}

Json registration_json(const store::Registration& registration) {
  const package::Measurement& measured = registration.measurement;
  return {{"id", registration.id},
          {"line", package::one_line(measured)},
          {"form", package::to_string(measured.form)},
          {"label", measured.label},
          {"expires", time_or_null(registration.expires)},
          {"created", to_unix(registration.created)},
          {"package", measured.package_name},
          {"version_name", measured.version_name},
          {"version_code", measured.version_code}};
}

Json certificate_json(const store::SigningCertificate& certificate) {
  return {{"id", certificate.id},
          {"sha256", hex_encode(certificate.sha256)},
          {"subject", certificate.subject},
          {"package", certificate.package.empty() ? Json() : Json(certificate.package)},
          {"development", certificate.development},
          {"expires", time_or_null(certificate.expires)},
          {"created", to_unix(certificate.created)},
          {"created_by", certificate.created_by}};
}

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

struct Lifetime {
  std::optional<Seconds> expire_after;  // nothing: for ever
};

// Member expire_after: seconds, or null for ever. `required`: it may not be missing.
std::optional<Lifetime> parse_lifetime(const Json& body, bool required) {
  if (!body.is_object()) return std::nullopt;
  const auto found = body.find("expire_after");
  if (found == body.end()) return required ? std::nullopt : std::optional(Lifetime{});
  if (found->is_null()) return Lifetime{};
  const auto seconds = get_int(body, "expire_after", 0, kMaxExpiry);
  if (!seconds) return std::nullopt;
  return Lifetime{Seconds(*seconds)};
}

http::HttpResponse bad_lifetime() {
  return bad_request("expire_after is neither a number of seconds nor null");
}

}  // namespace

void Handlers::add_registration_routes() {
  const auto add = [this](std::string_view method, std::string_view path, auto handler,
                          std::uint64_t max_body = 0, bool upload = false) {
    routes_.push_back(
        {method, path, Access::kDeveloper, RunOn::kWorker, max_body, upload,
         [this, handler](const http::HttpRequest& r) { return (this->*handler)(r); }});
  };
  add("POST", "/admin/v1/registrations", &Handlers::add_registration, settings_.max_upload, true);
  add("GET", "/admin/v1/registrations/*", &Handlers::show_registration);
  add("PATCH", "/admin/v1/registrations/*", &Handlers::expire_registration, kMaxSmallBody);
  add("DELETE", "/admin/v1/registrations/*", &Handlers::remove_registration);
  add("POST", "/admin/v1/certificates", &Handlers::add_certificate, kMaxSmallBody);
  add("PATCH", "/admin/v1/certificates/*", &Handlers::expire_certificate, kMaxSmallBody);
  add("DELETE", "/admin/v1/certificates/*", &Handlers::remove_certificate);
  routes_.push_back({"GET", "/admin/v1/registrations", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest&) { return list_registrations(); }});
  routes_.push_back({"GET", "/admin/v1/certificates", Access::kDeveloper, RunOn::kWorker, 0, false,
                     [this](const http::HttpRequest&) { return list_certificates(); }});
}

http::HttpResponse Handlers::add_registration(const http::HttpRequest& request) {
  const auto seconds = query_integer(request, "expire_after", 0, 1, kMaxExpiry);
  if (!seconds) return bad_request("expire_after is not a positive number of seconds");
  std::optional<Seconds> expire_after;
  if (*seconds > 0) expire_after = Seconds(*seconds);
  const auto signers = request.query.find("bundle_signers");
  const auto bundle_signers = parse_digests(signers == request.query.end() ? "" : signers->second);
  if (!bundle_signers) return bad_request("bundle_signers is not a list of SHA-256 in hex");
  auto made = service_.register_package(request.upload_path, expire_after, *bundle_signers,
                                        request.caller.name);
  if (!made) {
    log_.warning("registration.refused",
                 {{"actor", request.caller.name}, {"error", made.error().text()}});
    // What the readers of package refuse is the upload's fault.
    return http::problem(made.error(), 422);
  }
  const Json registration = registration_json(*made);
  Json fields = registration;
  fields["actor"] = request.caller.name;
  log_.info("registration.add", fields);
  return json_response(registration, 201);
}

http::HttpResponse Handlers::list_registrations() {
  auto registrations = service_.registrations();
  if (!registrations) return http::problem(registrations.error());
  const Json status = service_.status();
  Json list = Json::array();
  for (const store::Registration& registration : *registrations) {
    Json one = registration_json(registration);
    one["created_by"] = registration.created_by;
    one["expired"] = registration.expires && to_unix(*registration.expires) <= status["time"];
    list.push_back(std::move(one));
  }
  return json_response({{"registrations", list}});
}

http::HttpResponse Handlers::show_registration(const http::HttpRequest& request) {
  const auto registration = service_.registration(request.argument);
  if (!registration) return http::problem(registration.error());
  Json answer = registration_json(*registration);
  answer["created_by"] = registration->created_by;
  answer["measurement"] = package::to_json(registration->measurement);
  return json_response(answer);
}

http::HttpResponse Handlers::expire_registration(const http::HttpRequest& request) {
  const auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  const auto lifetime = parse_lifetime(*body, /*required=*/true);
  if (!lifetime) return bad_lifetime();
  const auto changed = service_.set_registration_expiry(request.argument, lifetime->expire_after,
                                                        request.caller.name);
  if (!changed) return http::problem(changed.error());
  const Json answer = registration_json(*changed);
  log_.info("registration.expire",
            {{"id", changed->id}, {"expires", answer["expires"]}, {"actor", request.caller.name}});
  return json_response(answer);
}

http::HttpResponse Handlers::remove_registration(const http::HttpRequest& request) {
  auto ok = service_.remove_registration(request.argument, request.caller.name);
  if (!ok) return http::problem(ok.error());
  log_.info("registration.remove", {{"id", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

http::HttpResponse Handlers::add_certificate(const http::HttpRequest& request) {
  const auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  const auto text = get_string(*body, "certificate", kMaxCertificate * 2);
  const auto der = base64_decode(text.value_or("?"));
  if (!der) return bad_request("certificate is not the base64 of a certificate");
  const auto lifetime = parse_lifetime(*body, /*required=*/false);
  if (!lifetime) return bad_lifetime();
  const std::string package = find_string(*body, "package").value_or("");
  if (package.size() > kMaxPackageName) return bad_request("package is too long a name");
  const Json development = body->value("development", Json(false));
  if (!development.is_boolean()) return bad_request("development is not true or false");
  const auto made = service_.register_certificate(*der, package, development.get<bool>(),
                                                  lifetime->expire_after, request.caller.name);
  if (!made) return http::problem(made.error());
  const Json answer = certificate_json(*made);
  log_.info("certificate.add", answer);
  return json_response(answer, 201);
}

http::HttpResponse Handlers::list_certificates() {
  const Json status = service_.status();
  Json list = Json::array();
  for (const store::SigningCertificate& certificate : service_.certificates()) {
    Json one = certificate_json(certificate);
    one["expired"] = certificate.expires && to_unix(*certificate.expires) <= status["time"];
    list.push_back(std::move(one));
  }
  return json_response({{"certificates", list}});
}

http::HttpResponse Handlers::expire_certificate(const http::HttpRequest& request) {
  const auto body = parse_json(request.body, {.max_bytes = kMaxSmallBody, .max_depth = 4});
  if (!body) return bad_request(body.error().message());
  const auto lifetime = parse_lifetime(*body, /*required=*/true);
  if (!lifetime) return bad_lifetime();
  const auto changed = service_.set_certificate_expiry(request.argument, lifetime->expire_after,
                                                       request.caller.name);
  if (!changed) return http::problem(changed.error());
  const Json answer = certificate_json(*changed);
  log_.info("certificate.expire",
            {{"id", changed->id}, {"expires", answer["expires"]}, {"actor", request.caller.name}});
  return json_response(answer);
}

http::HttpResponse Handlers::remove_certificate(const http::HttpRequest& request) {
  auto ok = service_.remove_certificate(request.argument, request.caller.name);
  if (!ok) return http::problem(ok.error());
  log_.info("certificate.remove", {{"id", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

}  // namespace touchmark::verifier::routes
