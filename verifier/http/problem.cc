#include "verifier/http/problem.h"

#include <boost/beast/http/status.hpp>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/policy/document.h"
#include "verifier/state/configuration.h"
#include "verifier/state/policy_admin.h"

namespace touchmark::verifier::http {
namespace {

std::optional<int> transport_status(const Error& error) {
  if (error.is(HttpError::kMalformed)) return 400;
  if (error.is(HttpError::kUnauthorized)) return 401;
  if (error.is(HttpError::kForbidden)) return 403;
  if (error.is(HttpError::kNotFound)) return 404;
  if (error.is(HttpError::kWrongMethod)) return 405;
  if (error.is(HttpError::kTooLarge)) return 413;
  if (error.is(HttpError::kInternal)) return 500;
  if (error.is(HttpError::kBusy)) return 503;
  return std::nullopt;
}

std::optional<int> service_status(const Error& error) {
  if (error.is(ServiceError::kMalformedRequest)) return 400;
  if (error.is(ServiceError::kBadCertificate)) return 400;
  if (error.is(state::ApiError::kBadDomain) || error.is(state::ApiError::kBadPin)) return 400;
  if (error.is(state::ApiError::kTooMany)) return 409;
  if (error.is(appraisal::AppraisalError::kOverloaded)) return 503;
  if (error.is(policy::DocumentError::kInvalid)) return 400;
  if (error.is(state::PolicyError::kBadPercent) || error.is(state::PolicyError::kBadDevice))
    return 400;
  if (error.is(state::PolicyError::kNoDevice)) return 404;
  if (error.is(state::PolicyError::kConflict) || error.is(state::PolicyError::kNoCanary))
    return 409;
  if (error.is(state::PolicyError::kTooMany)) return 409;
  return std::nullopt;
}

std::optional<int> storage_status(const Error& error) {
  if (error.is(store::StoreError::kNotFound)) return 404;
  if (error.is(store::StoreError::kNoSpace) || error.is(FileError::kNoSpace)) return 507;
  if (error.is(store::StoreError::kBusy)) return 503;
  for (const store::StoreError other :
       {store::StoreError::kOpen, store::StoreError::kCorrupt, store::StoreError::kTooNew,
        store::StoreError::kIo, store::StoreError::kDuplicate}) {
    if (error.is(other)) return 500;
  }
  return std::nullopt;
}

}  // namespace

std::string_view error_id(HttpError error) {
  using enum HttpError;
  static constexpr auto kIds = error_table<HttpError>({
      {kMalformed, "http.malformed"},
      {kUnauthorized, "http.unauthorized"},
      {kForbidden, "http.forbidden"},
      {kNotFound, "http.not-found"},
      {kWrongMethod, "http.wrong-method"},
      {kTooLarge, "http.too-large"},
      {kInternal, "http.internal"},
      {kBusy, "http.busy"},
  });
  return kIds[error];
}

int http_status(const Error& error, int otherwise) {
  if (const auto status = transport_status(error)) return *status;
  if (const auto status = service_status(error)) return *status;
  if (const auto status = storage_status(error)) return *status;
  return otherwise;
}

HttpResponse problem(const Error& error, int otherwise) {
  namespace http = boost::beast::http;
  const int status = http_status(error, otherwise);
  const auto title = http::obsolete_reason(static_cast<http::status>(status));
  const Json body{{"type", "urn:touchmark:error:" + error.id()},
                  {"title", std::string(title)},
                  {"status", status},
                  {"detail", error.message()}};
  HttpResponse response{status, "application/problem+json", dump_json(body), {}};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace touchmark::verifier::http
