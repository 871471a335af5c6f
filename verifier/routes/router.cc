#include "verifier/routes/router.h"

#include <algorithm>

#include "base/text.h"
#include "verifier/http/problem.h"
#include "verifier/http/text.h"
#include "verifier/routes/caller.h"
#include "verifier/routes/table.h"

namespace touchmark::verifier::routes {
namespace {

bool matches(std::string_view pattern, std::string_view path, std::string& argument) {
  const bool takes_many = pattern.ends_with("/**");
  if (!takes_many && !pattern.ends_with("/*")) return pattern == path;
  pattern.remove_suffix(takes_many ? 2 : 1);
  if (!path.starts_with(pattern) || path.size() == pattern.size()) return false;
  argument = path.substr(pattern.size());
  return takes_many || argument.find('/') == std::string::npos;
}

}  // namespace

Router::Router(Verifier& verifier, http::Log& log, RouteSettings settings)
    : settings_(std::move(settings)), context_{verifier, log, settings_} {
  for (const Row& row : table()) {
    routes_.push_back({row.method, row.path, row.permission, row.run_on,
                       row.upload ? settings_.max_upload : row.max_body, row.upload,
                       [this, handler = row.handler](const http::HttpRequest& request) {
                         return handler(context_, request);
                       }});
  }
}

http::Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  for (const http::Route& route : routes_) {
    std::string argument;
    if (!matches(route.path, path, argument)) continue;
    match.is_public = route.permission == model::Permission::kPublic;
    match.allow.append(match.allow.empty() ? "" : ", ").append(route.method);
    if (route.method == "GET") match.allow += ", HEAD";
    if (route.method != (method == "HEAD" ? "GET" : method)) continue;
    match.route = &route;
    match.argument = std::move(argument);
  }
  if (!match.allow.empty()) match.allow += ", OPTIONS";
  return match;
}

Result<model::OperatorToken> Router::authorize(const http::Route& route,
                                               std::string_view authorization) const {
  if (route.permission == model::Permission::kPublic) return model::OperatorToken{};
  // The scheme without regard to case, then spaces (RFC 9110 section 11.4).
  constexpr std::string_view kScheme = "Bearer";
  const std::string_view scheme = authorization.substr(0, authorization.find(' '));
  std::string_view token = authorization.substr(scheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  if (!same_word(scheme, kScheme) || token.empty()) {
    return fail(http::HttpError::kUnauthorized,
                "this needs an operator token: Authorization: Bearer tmk_…");
  }
  auto caller = context_.verifier.operators().authenticate(token);
  if (!caller) return fail(http::HttpError::kUnauthorized, caller.error().message());
  if (auto ok = check_permission(*caller, route.permission); !ok) return pass(ok);
  return caller;
}

}  // namespace touchmark::verifier::routes
