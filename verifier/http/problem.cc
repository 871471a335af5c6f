#include "verifier/http/problem.h"

#include <boost/beast/http/status.hpp>

#include "base/file.h"
#include "base/json.h"

namespace touchmark::verifier::http {

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
      {kHeaderTooLarge, "http.header-too-large"},
      {kTooManyFailures, "http.too-many-failures"},
      {kNotImplemented, "http.not-implemented"},
      {kBadVersion, "http.bad-version"},
  });
  return kIds[error];
}

std::optional<int> transport_status(const Error& error) {
  if (error.is(HttpError::kMalformed)) return 400;
  if (error.is(HttpError::kUnauthorized)) return 401;
  if (error.is(HttpError::kForbidden)) return 403;
  if (error.is(HttpError::kNotFound)) return 404;
  if (error.is(HttpError::kWrongMethod)) return 405;
  if (error.is(HttpError::kTooLarge)) return 413;
  if (error.is(HttpError::kInternal)) return 500;
  if (error.is(HttpError::kBusy)) return 503;
  if (error.is(HttpError::kHeaderTooLarge)) return 431;
  if (error.is(HttpError::kTooManyFailures)) return 429;
  if (error.is(HttpError::kNotImplemented)) return 501;
  if (error.is(HttpError::kBadVersion)) return 505;
  if (error.is(FileError::kNoSpace)) return 507;
  return std::nullopt;
}

HttpResponse problem_response(const Error& error, int status) {
  namespace http = boost::beast::http;
  const auto title = http::obsolete_reason(static_cast<http::status>(status));
  const Json body{{"type", "urn:touchmark:error:" + error.id()},
                  {"title", std::string(title)},
                  {"status", status},
                  {"detail", error.message()}};
  HttpResponse response{status, "application/problem+json", dump_json(body), {}};
  // Seconds (RFC 9110 section 10.2.3).
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  if (status == 429) response.headers.emplace_back("Retry-After", "10");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse problem(const Error& error) {
  return problem_response(error, transport_status(error).value_or(500));
}

}  // namespace touchmark::verifier::http
