#include "verifier/api/answers.h"

#include <charconv>

#include "verifier/api/problem.h"

namespace touchmark::verifier {

HttpResponse json_response(const Json& body, int status) {
  return {status, "application/json", dump_json(body), {}};
}

HttpResponse no_content() { return {204, "", "", {}}; }

HttpResponse bad_request(const std::string& detail) {
  return problem(Error(HttpError::kMalformed, detail));
}

std::optional<std::int64_t> query_integer(const HttpRequest& request, const char* name,
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

}  // namespace touchmark::verifier
