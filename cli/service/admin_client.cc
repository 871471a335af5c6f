#include "cli/service/admin_client.h"

#include <fmt/format.h>

#include <array>

#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::service {
namespace {

struct StatusRow {
  int status;
  io::CliError error;
};
constexpr auto kStatuses = std::to_array<StatusRow>({
    {401, io::CliError::kUnauthorized},
    {429, io::CliError::kUnauthorized},  // after many wrong tokens
    {403, io::CliError::kForbidden},
    {404, io::CliError::kNotFound},
    {409, io::CliError::kConflict},
    {413, io::CliError::kTooLarge},
    {422, io::CliError::kRefusedPackage},
    {507, io::CliError::kServiceNoSpace},
});

io::CliError error_of(int status, std::string_view id) {
  if (id == "http.not-found") return io::CliError::kNotOffered;
  if (id == "service.registration-conflict") return io::CliError::kOtherLifetime;
  if (id == "service.other-service") return io::CliError::kOtherService;
  if (id == "configuration.local-url") return io::CliError::kLocalUrl;
  for (const StatusRow& row : kStatuses) {
    if (row.status == status) return row.error;
  }
  if (status == 503) return io::CliError::kServiceBusy;
  if (status >= 500) return io::CliError::kServiceFailed;
  return status >= 400 ? io::CliError::kRefusedRequest : io::CliError::kBadAnswer;
}

struct Problem {
  std::string id;       // "zip.bad-magic"; may be empty
  std::string message;  // never empty
};

// RFC 9457: the detail for people, and the stable id at the end of the type.
std::optional<Problem> read_problem(const HttpAnswer& answer) {
  if (!answer.content_type.starts_with("application/problem+json")) return std::nullopt;
  const auto json = parse_json(answer.body);
  if (!json || !json->is_object()) return std::nullopt;
  Problem problem;
  problem.message = find_string(*json, "detail").value_or(find_string(*json, "title").value_or(""));
  constexpr std::string_view kType = "urn:touchmark:error:";
  const std::string type = find_string(*json, "type").value_or("");
  if (type.starts_with(kType)) problem.id = type.substr(kType.size());
  if (problem.message.empty()) return std::nullopt;
  return problem;
}

tl::unexpected<Error> refusal(const HttpAnswer& answer) {
  const auto problem = read_problem(answer);
  if (!problem) {
    return fail(answer.status == 401 ? io::CliError::kUnauthorized : io::CliError::kBadAnswer,
                fmt::format("the other side answered HTTP {} without Touchmark's error format",
                            answer.status));
  }
  std::string message = "the service refused: " + io::one_line(problem->message);
  if (!problem->id.empty()) message += fmt::format(" ({})", problem->id);
  return fail(error_of(answer.status, problem->id), message);
}

}  // namespace

Result<HttpAnswer> AdminClient::send(const HttpRequest& request) {
  auto answer = transport_->send(request);
  if (!answer) return pass(answer);
  if (answer->status < 200 || answer->status > 299) return refusal(*answer);
  return answer;
}

Result<Json> AdminClient::send_for_json(const HttpRequest& request) {
  auto answer = send(request);
  if (!answer) return pass(answer);
  auto json = parse_json(answer->body, {.max_bytes = request.max_answer_bytes, .max_depth = 16});
  if (!json || !json->is_object()) {
    return fail(io::CliError::kBadAnswer, fmt::format("the answer to {} {} is not a JSON object",
                                                      request.method, request.path));
  }
  return json;
}

Result<Json> AdminClient::get(const std::string& path, std::size_t max_bytes) {
  HttpRequest request;
  request.path = path;
  request.max_answer_bytes = max_bytes;
  return send_for_json(request);
}

Result<Json> AdminClient::send_body(const char* method, const std::string& path, const Json& body) {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.body = dump_json(body);
  request.content_type = "application/json";
  return send_for_json(request);
}

Result<void> AdminClient::remove(const std::string& path) {
  HttpRequest request;
  request.method = "DELETE";
  request.path = path;
  auto answer = send(request);
  if (!answer) return pass(answer);
  return {};
}

Result<std::string> AdminClient::download(const std::string& path, std::size_t max_bytes,
                                          const Progress& progress) {
  HttpRequest request;
  request.path = path;
  request.max_answer_bytes = max_bytes;
  request.progress = progress;
  auto answer = send(request);
  if (!answer) return pass(answer);
  return std::move(answer->body);
}

Result<Json> AdminClient::upload(const std::string& path, const std::filesystem::path& file,
                                 const Progress& progress) {
  HttpRequest request;
  request.method = "POST";
  request.path = path;
  request.content_type = "application/octet-stream";
  request.upload = file;
  request.progress = progress;
  return send_for_json(request);
}

std::string path_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace touchmark::cli::service
