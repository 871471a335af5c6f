#include "verifier/api/problem.h"

#include <boost/beast/http/status.hpp>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/configuration.h"
#include "verifier/policy/document.h"
#include "verifier/policy_admin.h"

namespace touchmark::verifier {
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
  if (error.is(ApiError::kBadDomain) || error.is(ApiError::kBadPin)) return 400;
  if (error.is(AppraisalError::kOverloaded)) return 503;
  if (error.is(policy::DocumentError::kInvalid)) return 400;
  if (error.is(PolicyError::kBadPercent) || error.is(PolicyError::kBadDevice)) return 400;
  if (error.is(PolicyError::kNoDevice)) return 404;
  if (error.is(PolicyError::kConflict) || error.is(PolicyError::kNoCanary)) return 409;
  if (error.is(PolicyError::kTooMany)) return 409;
  return std::nullopt;
}

std::optional<int> storage_status(const Error& error) {
  if (error.is(StoreError::kNotFound)) return 404;
  if (error.is(StoreError::kNoSpace) || error.is(FileError::kNoSpace)) return 507;
  if (error.is(StoreError::kBusy)) return 503;
  for (const StoreError other : {StoreError::kOpen, StoreError::kCorrupt, StoreError::kTooNew,
                                 StoreError::kIo, StoreError::kDuplicate}) {
    if (error.is(other)) return 500;
  }
  return std::nullopt;
}

}  // namespace

std::string_view error_id(HttpError error) {
  switch (error) {
    case HttpError::kMalformed:
      return "http.malformed";
    case HttpError::kUnauthorized:
      return "http.unauthorized";
    case HttpError::kForbidden:
      return "http.forbidden";
    case HttpError::kNotFound:
      return "http.not-found";
    case HttpError::kWrongMethod:
      return "http.wrong-method";
    case HttpError::kTooLarge:
      return "http.too-large";
    case HttpError::kInternal:
      return "http.internal";
    case HttpError::kBusy:
      return "http.busy";
  }
  return "http.unknown";
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

}  // namespace touchmark::verifier
