// The table of routes (routes/table.h) at work: finds a request's route and checks its operator.
#pragma once

#include <vector>

#include "verifier/http/router.h"
#include "verifier/routes/handlers.h"

namespace touchmark::verifier::routes {

// Thread-safe once made.
class Router final : public http::Router {
 public:
  // `verifier` and `log` must outlive this.
  Router(Verifier& verifier, http::Log& log, RouteSettings settings);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Match find(std::string_view method, std::string_view path) const override;
  Result<model::OperatorToken> authorize(const http::Route& route,
                                         std::string_view authorization) const override;

 private:
  const RouteSettings settings_;
  const RouteContext context_;
  std::vector<http::Route> routes_;
};

}  // namespace touchmark::verifier::routes
