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

#include "verifier/api/http.h"
#include "verifier/api/log.h"

namespace touchmark::verifier {

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
  std::function<HttpResponse(const HttpRequest&)> handle{};
};

struct HandlerSettings {
  std::filesystem::path sdk_dir;
  std::uint64_t max_upload = std::uint64_t{2} << 30;
};

// Thread-safe once made.
class Handlers {
 public:
  Handlers(Service& service, Log& log, HandlerSettings settings);

  struct Match {
    const Route* route = nullptr;  // nullptr when no route has this path
    bool path_known = false;       // some route has the path, with another method
    std::string argument;
  };
  Match find(std::string_view method, std::string_view path) const;

  // Whether the caller of `authorization` (the header's value) may use `route`.
  Result<OperatorToken> authorize(const Route& route, std::string_view authorization) const;

 private:
  void add_public_routes();
  void add_registration_routes();
  void add_api_routes();
  void add_operator_routes();
  void add_policy_routes();

  HttpResponse challenge(const HttpRequest& request);
  HttpResponse attest(const HttpRequest& request);
  HttpResponse add_registration(const HttpRequest& request);
  HttpResponse show_registration(const HttpRequest& request);
  HttpResponse expire_registration(const HttpRequest& request);
  HttpResponse remove_registration(const HttpRequest& request);
  HttpResponse list_registrations();
  HttpResponse add_certificate(const HttpRequest& request);
  HttpResponse expire_certificate(const HttpRequest& request);
  HttpResponse remove_certificate(const HttpRequest& request);
  HttpResponse list_certificates();
  HttpResponse put_api(const HttpRequest& request);
  HttpResponse remove_api(const HttpRequest& request);
  HttpResponse list_apis();
  HttpResponse sdk() const;
  HttpResponse secret(const HttpRequest& request);
  HttpResponse check_token(const HttpRequest& request);
  HttpResponse example_token(const HttpRequest& request);
  HttpResponse audit(const HttpRequest& request);
  HttpResponse ready();

  // In policy_handlers.cc.
  HttpResponse show_policy();
  HttpResponse put_policy(const HttpRequest& request);
  HttpResponse end_canary(const HttpRequest& request);
  HttpResponse replay_policy(const HttpRequest& request);
  HttpResponse list_devices(const HttpRequest& request);
  HttpResponse show_device(const HttpRequest& request);
  HttpResponse force_device(const HttpRequest& request);

  Service& service_;
  Log& log_;
  HandlerSettings settings_;
  std::vector<Route> routes_;
};

}  // namespace touchmark::verifier
