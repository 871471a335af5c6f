// The routes for certificates that apps are signed with.
#include "base/encoding.h"
#include "verifier/routes/expiry.h"
#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

constexpr std::size_t kMaxCertificate = 8 * 1024;  // bytes, DER
constexpr std::size_t kMaxPackageName = 223;       // as long as Android takes them

}  // namespace

http::HttpResponse add_certificate(const RouteContext& context, const http::HttpRequest& request) {
  const auto body = read_json(request);
  if (!body) return bad_request(body.error().message());
  const auto text = get_string(*body, "certificate", kMaxCertificate * 2);
  const auto der = base64_decode(text.value_or("?"));
  if (!der) return bad_request("certificate is not the base64 of a certificate");
  const std::string first_text = find_string(*body, "first_certificate").value_or("");
  const auto first = base64_decode(first_text);
  if (!first || first_text.size() > kMaxCertificate * 2) {
    return bad_request("first_certificate is not the base64 of a certificate");
  }
  const auto lifetime = parse_lifetime(*body, /*required=*/false);
  if (!lifetime) return bad_lifetime();
  const std::string package = find_string(*body, "package").value_or("");
  if (package.size() > kMaxPackageName) return bad_request("package is too long a name");
  const Json development = body->value("development", Json(false));
  if (!development.is_boolean()) return bad_request("development is not true or false");
  const auto made = context.verifier.registry().register_certificate(
      *der, package, development.get<bool>(), lifetime->expire_after, request.caller.name, *first);
  if (!made) return problem(made.error());
  const Json answer = to_json(*made);
  context.log.info("certificate.add", answer);
  return json_response(answer, 201);
}

http::HttpResponse list_certificates(const RouteContext& context,
                                     const http::HttpRequest& request) {
  const UnixTime now = context.verifier.now();
  Json list = Json::array();
  for (const model::SigningCertificate& certificate : context.verifier.registry().certificates()) {
    if (!model::is_for_app(request.caller, certificate.package)) continue;
    Json one = to_json(certificate);
    one["expired"] = model::is_over(certificate.expires, now);
    list.push_back(std::move(one));
  }
  return json_response({{"certificates", list}});
}

http::HttpResponse expire_certificate(const RouteContext& context,
                                      const http::HttpRequest& request) {
  return set_expiry(context, request, "certificate.expire",
                    [&](std::optional<Seconds> expire_after) {
                      return context.verifier.registry().set_certificate_expiry(
                          request.argument, expire_after, request.caller.name);
                    });
}

http::HttpResponse remove_certificate(const RouteContext& context,
                                      const http::HttpRequest& request) {
  auto ok = context.verifier.registry().remove_certificate(request.argument, request.caller.name);
  if (!ok) return problem(ok.error());
  context.log.info("certificate.remove",
                   {{"id", request.argument}, {"actor", request.caller.name}});
  return no_content();
}

}  // namespace touchmark::verifier::routes
