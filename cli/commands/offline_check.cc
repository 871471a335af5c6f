#include "cli/commands/offline_check.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/secret_variable.h"
#include "protocol/decoy.h"
#include "protocol/token_check.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxSecretFile = 64U << 10;
constexpr std::size_t kSecretBytes = 32;

// The base64 in a file: alone, as the member `secret`, or behind the variable's name.
std::string secret_text(std::string_view content) {
  if (const auto json = parse_json(content); json && json->is_object()) {
    return find_string(*json, "secret").value_or("");
  }
  const std::string variable = std::string(service::kSecretVariable) + "=";
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    std::string_view line = io::trim(content.substr(at, end - at));
    if (line.starts_with(variable)) return std::string(line.substr(variable.size()));
    at = end + 1;
  }
  return std::string(io::trim(content));
}

}  // namespace

Result<Bytes> secret_from_file(const std::filesystem::path& path) {
  auto content = read_file(path, kMaxSecretFile);
  if (!content) return pass(content);
  auto secret = base64_decode(secret_text(as_text(*content)));
  if (!secret || secret->size() < kSecretBytes) {
    return fail(io::CliError::kBadSecret, fmt::format("{} holds no token secret", path.string()));
  }
  return secret;
}

TokenVerdict check_with_secret(std::string_view token, ByteView secret, UnixTime now) {
  protocol::TokenReport report =
      protocol::check_token(token, secret, protocol::derive_decoy_secret(secret), now);
  return {std::string(protocol::to_string(report.status)), std::move(report.claims)};
}

Result<TokenVerdict> check_offline(std::string_view token, const std::filesystem::path& secret_file,
                                   UnixTime now) {
  auto secret = secret_from_file(secret_file);
  if (!secret) return pass(secret);
  return check_with_secret(token, *secret, now);
}

}  // namespace touchmark::cli::commands
