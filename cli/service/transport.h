// HTTPS to the service's admin API, as an interface so that commands can be tested without a
// network.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace touchmark::cli::service {

// Where the service is, and by what it is known to be the right one. With pins, the service's key
// is compared and no chain is verified (the service's own certificate may be self-signed); with
// ca_pem, its chain must lead to one of those certificates; with neither, to the system's.
struct Endpoint {
  std::string url;  // "https://host:8443", no path, no slash at the end
  std::string token;
  std::vector<std::string> pins;  // padded base64 of SHA-256 of DER SPKI
  std::string ca_pem;
  bool any_certificate = false;  // whoever answers: for what holds no secret and carries no token
};

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with its query: "/admin/v1/status"
  std::string body;
  std::string content_type;
  std::filesystem::path upload;  // when not empty: streamed as the body
  std::size_t max_answer_bytes = 8U << 20;
  // Bytes sent so far (or received, when there is no upload) and in total (0: unknown).
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Used from one thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // Any HTTP status is an answer; an error is kUnreachable, kTimeout, kUntrusted, kPinMismatch,
  // kNoTls or kBadAnswer of CliError, or kUnreadableFile of the upload. Redirects are not followed:
  // the operator token goes to the configured address only.
  virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
};

using TransportFactory =
    std::function<std::unique_ptr<Transport>(const Endpoint&, std::chrono::seconds timeout)>;

// Over libcurl. `timeout` is for connecting, and for a pause in which nothing moves.
std::unique_ptr<Transport> curl_transport(const Endpoint& endpoint, std::chrono::seconds timeout);

}  // namespace touchmark::cli::service
