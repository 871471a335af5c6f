#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli/io/error.h"
#include "cli/service/transport.h"
#include "net/http_client.h"

namespace touchmark::cli::service {
namespace {

using net::HttpError;

constexpr auto kErrors = std::to_array<std::pair<HttpError, io::CliError>>({
    {HttpError::kBadUrl, io::CliError::kUsage},
    {HttpError::kUnreachable, io::CliError::kUnreachable},
    {HttpError::kTimeout, io::CliError::kTimeout},
    {HttpError::kUntrusted, io::CliError::kUntrusted},
    {HttpError::kTooLarge, io::CliError::kBadAnswer},
    {HttpError::kPinMismatch, io::CliError::kPinMismatch},
    {HttpError::kBadCa, io::CliError::kBadProfile},
    {HttpError::kNoTls, io::CliError::kNoTls},
    {HttpError::kBadUpload, io::CliError::kUnreadableFile},
});

tl::unexpected<Error> transport_error(const Error& error) {
  for (const auto& [http, cli] : kErrors) {
    if (error.is(http)) return fail(cli, error.message());
  }
  return fail(io::CliError::kBadAnswer, error.message());
}

class CurlTransport final : public Transport {
 public:
  CurlTransport(Endpoint endpoint, std::chrono::seconds timeout)
      : url_(std::move(endpoint.url)),
        token_(std::move(endpoint.token)),
        client_(net::curl_http_client({.connect_timeout = timeout,
                                       .total_timeout = {},
                                       .stall_timeout = timeout,
                                       .pins = std::move(endpoint.pins),
                                       .ca_pem = std::move(endpoint.ca_pem),
                                       .any_certificate = endpoint.any_certificate,
                                       .user_agent = "touchmark/" TOUCHMARK_VERSION})) {}

  Result<HttpAnswer> send(const HttpRequest& request) override {
    net::HttpRequest out{.method = request.method,
                         .url = url_ + request.path,
                         .body = request.body,
                         .upload = request.upload,
                         .max_answer_bytes = request.max_answer_bytes,
                         .progress = request.progress};
    if (!token_.empty()) out.headers.push_back("Authorization: Bearer " + token_);
    if (!request.content_type.empty()) {
      out.headers.push_back("Content-Type: " + request.content_type);
    }
    auto answer = client_->send(out);
    if (!answer) return transport_error(answer.error());
    return HttpAnswer{answer->status, std::move(answer->headers["content-type"]),
                      std::move(answer->body)};
  }

 private:
  std::string url_;
  std::string token_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace

std::unique_ptr<Transport> curl_transport(const Endpoint& endpoint, std::chrono::seconds timeout) {
  return std::make_unique<CurlTransport>(endpoint, timeout);
}

}  // namespace touchmark::cli::service
