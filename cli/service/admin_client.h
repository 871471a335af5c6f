// The service's admin API (protocol/README.md, "Admin API") as calls that give JSON or a CliError.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/service/transport.h"

namespace touchmark::cli::service {

// Used from one thread.
class AdminClient {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  explicit AdminClient(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  Result<Json> get(const std::string& path, std::size_t max_bytes = std::size_t{8} << 20);
  Result<Json> post(const std::string& path, const Json& body) {
    return send_body("POST", path, body);
  }
  Result<Json> put(const std::string& path, const Json& body) {
    return send_body("PUT", path, body);
  }
  Result<Json> patch(const std::string& path, const Json& body) {
    return send_body("PATCH", path, body);
  }
  Result<void> remove(const std::string& path);
  Result<std::string> download(const std::string& path, std::size_t max_bytes,
                               const Progress& progress = {});
  Result<Json> upload(const std::string& path, const std::filesystem::path& file,
                      const Progress& progress = {});

 private:
  Result<HttpAnswer> send(const HttpRequest& request);
  Result<Json> send_for_json(const HttpRequest& request);
  Result<Json> send_body(const char* method, const std::string& path, const Json& body);

  std::unique_ptr<Transport> transport_;
};

// One path segment with everything but unreserved characters (RFC 3986 section 2.3) escaped.
std::string path_segment(std::string_view text);

}  // namespace touchmark::cli::service
