#include "verifier/routes/responses.h"

#include <charconv>

#include "verifier/http/problem.h"

namespace touchmark::verifier::routes {

http::HttpResponse json_response(const Json& body, int status) {
  return {status, "application/json", dump_json(body), {}};
}

http::HttpResponse no_content() { return {204, "", "", {}}; }

http::HttpResponse bad_request(const std::string& detail) {
  return http::problem(Error(http::HttpError::kMalformed, detail));
}

std::optional<std::int64_t> query_integer(const http::HttpRequest& request, const char* name,
                                          std::int64_t missing, std::int64_t min,
                                          std::int64_t max) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return missing;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return std::nullopt;
  }
  return value;
}

}  // namespace touchmark::verifier::routes
