// What the handlers share: making responses, reading requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "verifier/http/http.h"

namespace touchmark::verifier::routes {

inline constexpr std::int64_t kMaxExpiry = std::int64_t{100} * 366 * 86400;  // seconds

// A body of JSON, as deep as requests of operators are.
Result<Json> read_json(const http::HttpRequest& request);

http::HttpResponse json_response(const Json& body, int status = 200);
http::HttpResponse no_content();
http::HttpResponse bad_request(const std::string& detail);

// A whole number in the query; `missing` when the name is not there, nullopt when it is no number
// in [min, max].
std::optional<std::int64_t> query_integer(const http::HttpRequest& request, const char* name,
                                          std::int64_t missing, std::int64_t min, std::int64_t max);

// How long something registered lasts.
struct Lifetime {
  std::optional<Seconds> expire_after;  // nothing: it never ends
};

// Member expire_after: seconds, or null for no end. `required`: it must be there.
std::optional<Lifetime> parse_lifetime(const Json& body, bool required);
http::HttpResponse bad_lifetime();

}  // namespace touchmark::verifier::routes
