// What apps ask, and what load balancers do.
#include <utility>

#include "verifier/routes/handlers.h"
#include "verifier/routes/json.h"
#include "verifier/routes/problem.h"
#include "verifier/routes/responses.h"

namespace touchmark::verifier::routes {
namespace {

// Of a message that may quote what a client sent.
constexpr std::size_t kMaxLoggedDetail = 256;

}  // namespace

http::HttpResponse challenge(const RouteContext& context, const http::HttpRequest& request) {
  auto answer = context.verifier.attestation().challenge(request.body);
  if (!answer) return problem(answer.error());
  context.log.client(http::LogLevel::kInfo, "challenge",
                     http::LogFields().text("remote_ip", request.connection.remote_ip));
  return {200, "application/json", std::move(*answer), {}};
}

namespace {

http::HttpResponse refused(const RouteContext& context, const model::Connection& connection,
                           const Error& error) {
  context.log.client(http::LogLevel::kWarning, "attest.refused",
                     {{"remote_ip", connection.remote_ip},
                      {"error", error.id()},
                      {"detail", error.message().substr(0, kMaxLoggedDetail)}});
  return problem(error);
}

http::HttpResponse judged(const RouteContext& context, const appraisal::Evidence& evidence,
                          const model::Connection& connection) {
  auto answer = context.verifier.attestation().attest(evidence, connection);
  if (!answer) return refused(context, connection, answer.error());
  JsonWriter ids;
  JsonWriter details;
  ids.begin_array();
  details.begin_array();
  std::string_view last;
  for (const protocol::Finding& finding : answer->record.findings) {
    const std::string_view id = protocol::to_string(finding.id);
    if (id != std::exchange(last, id)) ids.text(id);
    if (!finding.detail.empty()) details.text(std::string(id) + ": " + finding.detail);
  }
  http::LogFields fields;
  fields.text("arc", answer->record.arc)
      .text("assurance", answer->record.assurance)
      .literal("details", details.end_array().take())
      .text("did", answer->record.device_id)
      .literal("findings", ids.end_array().take())
      .text("package", answer->record.package_name)
      .boolean("passed", answer->record.passed)
      .text("remote_ip", connection.remote_ip);
  // What passes is never dropped; of what is refused, anybody can send as much as they like.
  if (answer->record.passed) {
    context.log.write(http::LogLevel::kInfo, "attest", fields);
  } else {
    context.log.client(http::LogLevel::kInfo, "attest", fields);
  }
  http::HttpResponse response{200, "application/json", std::move(answer->body), {}};
  response.earned_nothing = !answer->record.passed;
  return response;
}

}  // namespace

http::HttpResponse attest(const RouteContext& context, const http::HttpRequest& request) {
  auto evidence = context.verifier.attestation().read(request.body);
  if (!evidence) return refused(context, request.connection, evidence.error());
  if (!Attestation::waits_for_disk(*evidence)) {
    return judged(context, *evidence, request.connection);
  }
  http::HttpResponse later;
  later.rest = [&context, &request,
                evidence = std::make_shared<appraisal::Evidence>(std::move(*evidence))] {
    return judged(context, *evidence, request.connection);
  };
  return later;
}

http::HttpResponse health(const RouteContext& /*context*/, const http::HttpRequest& /*request*/) {
  return json_response({{"status", "ok"}});
}

http::HttpResponse readiness(const RouteContext& context, const http::HttpRequest& /*request*/) {
  auto ok = context.verifier.ready();
  if (ok) return json_response({{"status", "ok"}});
  context.log.error("not_ready", {{"error", ok.error().text()}});
  http::HttpResponse response = problem(ok.error());
  response.status = 503;
  return response;
}

}  // namespace touchmark::verifier::routes
