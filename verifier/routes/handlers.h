// The routes of the service (handlers.cc, and registration_handlers.cc for what is registered):
// which request needs which role, how large its body may be, and what it does. protocol/README.md
// describes the same table from outside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/http/http.h"
#include "verifier/http/log.h"

namespace touchmark::verifier::routes {

enum class Access { kPublic, kDeveloper, kAdmin };

enum class RunOn {
  kIo,      // short, and never waits for a disk
  kWorker,  // may take long or wait for a disk
};

struct Route {
  std::string_view method;
  std::string_view path;  // a last segment "*" takes any one segment
  Access access = Access::kAdmin;
  RunOn run_on = RunOn::kWorker;
  std::uint64_t max_body = 0;
  bool upload = false;  // the body goes to a file
  std::function<http::HttpResponse(const http::HttpRequest&)> handle{};
};

struct HandlerSettings {
  std::filesystem::path sdk_dir;
  std::uint64_t max_upload = std::uint64_t{2} << 30;
};

// Thread-safe once made.
class Handlers {
 public:
  Handlers(Service& service, http::Log& log, HandlerSettings settings);

  struct Match {
    const Route* route = nullptr;  // nullptr when no route has this path
    bool path_known = false;       // some route has the path, with another method
    std::string argument;
  };
  Match find(std::string_view method, std::string_view path) const;

  // Whether the caller of `authorization` (the header's value) may use `route`.
  Result<store::OperatorToken> authorize(const Route& route, std::string_view authorization) const;

 private:
  void add_public_routes();
  void add_registration_routes();
  void add_api_routes();
  void add_operator_routes();
  void add_policy_routes();

  http::HttpResponse challenge(const http::HttpRequest& request);
  http::HttpResponse attest(const http::HttpRequest& request);
  http::HttpResponse add_registration(const http::HttpRequest& request);
  http::HttpResponse show_registration(const http::HttpRequest& request);
  http::HttpResponse expire_registration(const http::HttpRequest& request);
  http::HttpResponse remove_registration(const http::HttpRequest& request);
  http::HttpResponse list_registrations();
  http::HttpResponse add_certificate(const http::HttpRequest& request);
  http::HttpResponse expire_certificate(const http::HttpRequest& request);
  http::HttpResponse remove_certificate(const http::HttpRequest& request);
  http::HttpResponse list_certificates();
  http::HttpResponse put_api(const http::HttpRequest& request);
  http::HttpResponse remove_api(const http::HttpRequest& request);
  http::HttpResponse list_apis();
  http::HttpResponse sdk() const;
  http::HttpResponse secret(const http::HttpRequest& request);
  http::HttpResponse check_token(const http::HttpRequest& request);
  http::HttpResponse example_token(const http::HttpRequest& request);
  http::HttpResponse audit(const http::HttpRequest& request);
  http::HttpResponse ready();

  // In policy_handlers.cc.
  http::HttpResponse show_policy();
  http::HttpResponse put_policy(const http::HttpRequest& request);
  http::HttpResponse end_canary(const http::HttpRequest& request);
  http::HttpResponse replay_policy(const http::HttpRequest& request);
  http::HttpResponse list_devices(const http::HttpRequest& request);
  http::HttpResponse show_device(const http::HttpRequest& request);
  http::HttpResponse force_device(const http::HttpRequest& request);

  Service& service_;
  http::Log& log_;
  HandlerSettings settings_;
  std::vector<Route> routes_;
};

}  // namespace touchmark::verifier::routes
