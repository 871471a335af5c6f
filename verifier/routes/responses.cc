#include "verifier/routes/responses.h"

#include <charconv>

#include "verifier/http/problem.h"
#include "verifier/routes/handlers.h"

namespace touchmark::verifier::routes {

Result<Json> read_json(const http::HttpRequest& request) {
  return parse_json(request.body, {.max_bytes = kMaxPolicyBody, .max_depth = 4});
}

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

}  // namespace touchmark::verifier::routes
