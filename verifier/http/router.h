// What the server asks about a request before it reads its body: which route it takes, and whether
// its caller may. verifier/routes answers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "verifier/http/http.h"
#include "verifier/model/permission.h"

namespace touchmark::verifier::http {

enum class RunOn {
  kIo,      // short, and never waits for a disk
  kWorker,  // may wait for a disk, and takes well under a second
  kLong,    // takes seconds: at most this many at a time, and others are told to come back
};

struct Route {
  std::string_view method;
  std::string_view path;  // a last segment "*" takes any one segment, "**" one or more
  model::Permission permission = model::Permission::kChangeOperators;  // that its caller needs
  RunOn run_on = RunOn::kWorker;
  std::uint64_t max_body = 0;  // bytes
  bool upload = false;         // the body goes to a file
  std::function<HttpResponse(const HttpRequest&)> handle{};
};

// Thread-safe. Routes live as long as their router.
class Router {
 public:
  virtual ~Router() = default;

  struct Match {
    const Route* route = nullptr;  // nullptr when no route has this path and method
    std::string allow;             // the path's methods, "GET, HEAD"; empty when no route has it
    bool is_public = false;        // whether the path is for everybody
    std::string argument;
  };
  // HEAD is a method of every path that has GET, and takes its route (RFC 9110 section 9.3.2).
  virtual Match find(std::string_view method, std::string_view path) const = 0;

  // The operator whom `authorization` (the header's value) names, when their token is in force now
  // and they may use `route`; else HttpError::kUnauthorized or kForbidden.
  virtual Result<model::OperatorToken> authorize(const Route& route,
                                                 std::string_view authorization) const = 0;
};

}  // namespace touchmark::verifier::http
