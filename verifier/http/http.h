// Requests and responses as routes see them: no sockets, no Beast, so routes test without a
// network.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "verifier/model/connection.h"
#include "verifier/model/operator.h"

namespace touchmark::verifier::http {

struct HttpRequest {
  std::string method;                        // "GET"
  std::string path;                          // decoded, without its query: "/admin/v1/apis"
  std::string argument;                      // what the route's "*" or "**" stands for, decoded
  std::map<std::string, std::string> query;  // decoded; of a name given twice the first counts
  std::string body;                          // empty for uploads
  std::string upload_path;                   // file that holds an upload's body
  model::Connection connection;
  model::OperatorToken caller;  // whose token it was; empty name on public routes
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string cache_control = "no-store";
  // Set by a handler on a network thread (RunOn::kIo) whose request turned out to wait for a disk:
  // the rest of it, which gives the response in place of this one. Runs on a thread that may wait,
  // while the request lives.
  std::function<HttpResponse()> rest{};
  // For the server, not for the client: the work was for evidence that was refused.
  bool earned_nothing = false;
};

}  // namespace touchmark::verifier::http
