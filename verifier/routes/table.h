// The routes of the service: one table. tests/structure/test_openapi.py keeps protocol/openapi.yaml
// equal to it.
#pragma once

#include <span>

#include "verifier/http/router.h"
#include "verifier/routes/handlers.h"

namespace touchmark::verifier::routes {

struct Row {
  std::string_view method;
  std::string_view path;  // a last segment "*" takes any one segment, "**" one or more
  model::Permission permission;
  http::RunOn run_on;
  std::uint64_t max_body;  // bytes; of an upload it is RouteSettings::max_upload
  bool upload;             // the body goes to a file
  Handler* handler;
};

std::span<const Row> table();

}  // namespace touchmark::verifier::routes
