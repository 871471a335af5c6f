// HTTPS to the platforms' services and to Touchmark's own, as an interface so that tests can stand
// in for them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
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
  kUntrusted,    // the server's certificate is not trusted
  kTooLarge,     // the answer is over the request's bound
  kPinMismatch,  // the server's key is none of the pinned ones
  kBadCa,        // the CA certificates to trust cannot be read
  kNoTls,        // the TLS handshake failed
  kBadAnswer,    // the server speaks, but not HTTP
  kBadUpload,    // the file to send cannot be read
};
std::string_view error_id(HttpError error);

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};
  std::filesystem::path upload{};  // when not empty: streamed as the body, by POST's rules
  std::size_t max_answer_bytes = 1 << 20;
  // Bytes sent so far (or received, when there is no upload) and in total (0: unknown).
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};
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
  // An answer of any status. Redirects are not followed: what a request carries goes to the
  // configured address only.
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{30'000};  // 0: none
  std::chrono::seconds stall_timeout{0};            // in which nothing moves; 0: none
  // Whom to trust. With pins (padded base64 of SHA-256 of the DER SPKI) the server's key is
  // compared and no chain is verified; with CA certificates (PEM), its chain must lead to one of
  // those; with none of these, to the system's.
  std::vector<std::string> pins{};
  std::string ca_pem{};
  std::string ca_file{};
  bool plain_http = false;       // http:// too; the caller knows that nobody is on the way
  bool any_certificate = false;  // nobody is trusted: for a request without a secret, no more
  std::string user_agent = "touchmark";
};
// Over libcurl: HTTPS, unless the options allow more; TLS 1.2 at least, one connection a request.
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
