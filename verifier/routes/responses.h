// What the handlers share: making responses, reading requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "verifier/http/http.h"

namespace touchmark::verifier::routes {

inline constexpr std::uint64_t kMaxSmallBody = 16 * 1024;
inline constexpr std::int64_t kMaxExpiry = std::int64_t{100} * 366 * 86400;  // seconds

http::HttpResponse json_response(const Json& body, int status = 200);
http::HttpResponse no_content();
http::HttpResponse bad_request(const std::string& detail);

// A whole number in the query; `missing` when the name is not there, nullopt when it is no number
// in [min, max].
std::optional<std::int64_t> query_integer(const http::HttpRequest& request, const char* name,
                                          std::int64_t missing, std::int64_t min, std::int64_t max);

}  // namespace touchmark::verifier::routes
