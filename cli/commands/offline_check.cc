#include "cli/commands/offline_check.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "cli/service/secret_variable.h"
#include "verifier/appraisal/token.h"

namespace touchmark::cli::commands {
namespace {

using verifier::appraisal::TokenKey;
using verifier::appraisal::TokenKeys;
using verifier::appraisal::TokenKeyState;

constexpr std::size_t kMaxSecretFile = 64U << 10;
constexpr std::size_t kSecretBytes = 32;

// The secrets in a file: alone, or behind the variable's name.
std::string_view setting_text(std::string_view content) {
  const std::string variable = std::string(service::kSecretVariable) + "=";
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    const std::string_view line = io::trim(content.substr(at, end - at));
    if (line.starts_with(variable)) return line.substr(variable.size());
    at = end + 1;
  }
  return io::trim(content);
}

Error no_secret() { return {io::CliError::kBadSecret, "there is no token secret"}; }

Result<TokenKey> secret_key(std::string_view kid, std::string_view text) {
  auto secret = base64_decode(text);
  if (!secret || secret->size() < kSecretBytes) return tl::unexpected(no_secret());
  return TokenKey::of_secret(std::string(kid), std::move(*secret));
}

Result<TokenKeys> keys_with(std::vector<Result<TokenKey>> found) {
  TokenKeys out;
  out.sets.push_back({std::string(TokenKeys::kDefault), {}});
  for (Result<TokenKey>& key : found) {
    if (!key) return pass(key);
    // The first signs, for whom it is to sign at all.
    key->state = out.sets.front().keys.empty() ? TokenKeyState::kSigning : TokenKeyState::kOld;
    out.sets.front().keys.push_back(std::move(*key));
  }
  if (out.sets.front().keys.empty()) return tl::unexpected(no_secret());
  return out;
}

}  // namespace

Result<TokenKeys> secrets_in(std::string_view setting) {
  std::vector<Result<TokenKey>> found;
  for (bool more = true; more;) {
    const std::size_t comma = setting.find(',');
    const std::string_view one = io::trim(setting.substr(0, comma));
    const std::size_t colon = one.find(':');
    found.push_back(colon == one.npos ? secret_key("", one)
                                      : secret_key(one.substr(0, colon), one.substr(colon + 1)));
    more = comma != setting.npos;
    if (more) setting.remove_prefix(comma + 1);
  }
  return keys_with(std::move(found));
}

Result<TokenKeys> secrets_in_answer(const Json& answer) {
  const Json* secrets = find_array(answer, "secrets");
  if (secrets == nullptr) return secrets_in(find_string(answer, "secret").value_or(""));
  std::vector<Result<TokenKey>> found;
  for (const Json& one : *secrets) {
    found.push_back(
        secret_key(find_string(one, "kid").value_or(""), find_string(one, "secret").value_or("")));
  }
  return keys_with(std::move(found));
}

Result<TokenKeys> secrets_from_file(const std::filesystem::path& path) {
  auto content = read_file(path, kMaxSecretFile);
  if (!content) return pass(content);
  const auto json = parse_json(as_text(*content));
  auto secrets = json && json->is_object() ? secrets_in_answer(*json)
                                           : secrets_in(setting_text(as_text(*content)));
  if (secrets) return secrets;
  return fail(io::CliError::kBadSecret, fmt::format("{} holds no token secret", path.string()));
}

Result<TokenVerdict> check_offline(std::string_view token, const std::filesystem::path& secret_file,
                                   UnixTime now) {
  auto secrets = secrets_from_file(secret_file);
  if (!secrets) return pass(secrets);
  auto report = verifier::appraisal::check_token(*secrets, token, now);
  return TokenVerdict{std::string(protocol::to_string(report.status)), std::move(report.claims)};
}

}  // namespace touchmark::cli::commands
