// HTTPS to the platforms' services, as an interface so that tests can stand in for them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace touchmark::net {

enum class HttpError {
  kBadUrl,       // not an https URL
  kUnreachable,  // no connection, or it broke
  kTimeout,
  kUntrusted,  // the server's certificate is not trusted
  kTooLarge,   // the answer is over the request's bound
};
std::string_view error_id(HttpError error);

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};
  std::size_t max_answer_bytes = 1 << 20;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};
};

// Thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // An answer of any status; redirects are not followed.
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{30'000};
  std::string ca_file{};  // PEM; empty: the system's roots
};
// Over libcurl: HTTPS only, TLS 1.2 at least, one connection a request.
std::unique_ptr<HttpClient> curl_http_client(HttpClientOptions options = {});

// Waits; tests do not.
using Sleep = std::function<void(std::chrono::milliseconds)>;
void sleep_for(std::chrono::milliseconds time);

struct RetryRules {
  int attempts = 3;
  std::chrono::milliseconds first_wait{500};      // doubled from one to the next
  std::chrono::milliseconds longest_wait{8'000};  // bounds what a Retry-After may ask for, too
  Sleep sleep = sleep_for;
};
// Sends again what may succeed the next time: no connection, no answer in time, and the statuses
// 429, 500, 502, 503 and 504. The last answer or error is what counts.
Result<HttpAnswer> send_with_retries(HttpClient& client, const HttpRequest& request,
                                     const RetryRules& rules);

}  // namespace touchmark::net
