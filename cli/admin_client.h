// The service's admin API (protocol/README.md, "Admin API") as calls that give JSON or a CliError.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/transport.h"

namespace touchmark::cli {

// Used from one thread.
class AdminClient {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  explicit AdminClient(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  Result<Json> get(const std::string& path);
  Result<Json> post(const std::string& path, const Json& body);
  Result<Json> put(const std::string& path, const Json& body);
  Result<void> remove(const std::string& path);
  Result<std::string> download(const std::string& path, std::size_t max_bytes,
                               const Progress& progress = {});
  Result<Json> upload(const std::string& path, const std::filesystem::path& file,
                      const Progress& progress = {});

 private:
  Result<HttpAnswer> send(const HttpRequest& request);
  Result<Json> send_for_json(const HttpRequest& request);

  std::unique_ptr<Transport> transport_;
};

// One path segment with everything but unreserved characters (RFC 3986 section 2.3) escaped.
std::string path_segment(std::string_view text);

}  // namespace touchmark::cli
