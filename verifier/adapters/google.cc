#include "verifier/adapters/google.h"

#include <openssl/pem.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/openssl.h"

namespace touchmark::adapters {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/playintegrity";
constexpr std::string_view kGrantType = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
constexpr std::size_t kMaxTokenBytes = 64 * 1024;
// Renewed this long before its end, so that none ends on its way.
constexpr Seconds kAccessTokenMargin{60};
constexpr std::int64_t kMaxAccessTokenSeconds = 24 * 3600;

// A package name goes into a URL's path: letters, digits, '_' and '.' only.
bool is_package_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
}

std::string sign_rs256(EVP_PKEY* key, std::string_view input) {
  openssl::DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  openssl::require(
      EVP_DigestSignInit(context.get(), nullptr, openssl::sha256(), nullptr, key) == 1 &&
          EVP_DigestSign(context.get(), nullptr, &size, uchars(as_bytes(input)), input.size()) == 1,
      "RSA signature");
  Bytes signature(size);
  openssl::require(EVP_DigestSign(context.get(), uchars(std::span(signature)), &size,
                                  uchars(as_bytes(input)), input.size()) == 1,
                   "RSA signature");
  signature.resize(size);
  return base64url_encode(signature);
}

}  // namespace

Result<ServiceAccount> ServiceAccount::parse(std::string_view text) {
  const auto bad = [](const std::string& what) {
    return fail(PlatformError::kBadKey, "the service account: " + what);
  };
  auto json = parse_json(text);
  if (!json || !json->is_object()) return bad("not a JSON object");
  ServiceAccount account;
  const std::string type = find_string(*json, "type").value_or("");
  account.email_ = find_string(*json, "client_email").value_or("");
  account.key_id_ = find_string(*json, "private_key_id").value_or("");
  account.token_url_ = find_string(*json, "token_uri").value_or("");
  const std::string pem = find_string(*json, "private_key").value_or("");
  if (type != "service_account" || account.email_.empty() || pem.empty()) {
    return bad("type, client_email or private_key is missing");
  }
  if (!account.token_url_.starts_with("https://")) return bad("token_uri is not an https URL");
  openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  openssl::Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    ERR_clear_error();
    return bad("private_key is not an RSA key in PEM");
  }
  account.key_ = std::shared_ptr<void>(
      key.release(), [](void* owned) { EVP_PKEY_free(static_cast<EVP_PKEY*>(owned)); });
  return account;
}

std::string ServiceAccount::grant(UnixTime now) const {
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id_.empty()) header["kid"] = key_id_;
  const Json claims = {{"iss", email_},
                       {"scope", kScope},
                       {"aud", token_url_},
                       {"iat", to_unix(now)},
                       {"exp", to_unix(now) + 3600}};
  const std::string input = base64url_encode(as_bytes(dump_json(header))) + "." +
                            base64url_encode(as_bytes(dump_json(claims)));
  return input + "." + sign_rs256(static_cast<EVP_PKEY*>(key_.get()), input);
}

Result<std::string> PlayIntegrityApi::access_token(const std::string& used) {
  const std::lock_guard lock(mutex_);
  const UnixTime now = clock_.now();
  if (!access_token_.empty() && access_token_ != used && now < access_token_ends_) {
    return access_token_;
  }
  const HttpRequest request{.method = "POST",
                            .url = settings_.account.token_url(),
                            .headers = {"Content-Type: application/x-www-form-urlencoded"},
                            .body = "grant_type=" + std::string(kGrantType) +
                                    "&assertion=" + settings_.account.grant(now)};
  auto answer = send_with_retries(client_, request, settings_.retries);
  if (!answer) return pass(answer);
  // RFC 6749 section 5.2: a refused grant is a 400.
  if (answer->status == 400) {
    return fail(PlatformError::kUnauthorized, "Google does not take the service account");
  }
  if (auto ok = check_status(*answer, "Google's token service"); !ok) return pass(ok);
  auto json = parse_json(answer->body);
  if (!json) return fail(PlatformError::kBadAnswer, "the access token's answer is not JSON");
  auto token = get_string(*json, "access_token");
  auto lifetime = get_int(*json, "expires_in", 1, kMaxAccessTokenSeconds);
  const bool printable = token && !token->empty() &&
                         std::ranges::all_of(*token, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || !lifetime) {
    return fail(PlatformError::kBadAnswer, "the access token's answer lacks a member");
  }
  access_token_ = std::move(*token);
  access_token_ends_ = now + Seconds(*lifetime) - kAccessTokenMargin;
  return access_token_;
}

Result<HttpAnswer> PlayIntegrityApi::call(const std::string& package_name,
                                          const std::string& token) {
  std::string used;
  for (int attempt = 0;; ++attempt) {
    auto access = access_token(used);
    if (!access) return pass(access);
    const HttpRequest request{
        .method = "POST",
        .url = settings_.base_url + "/v1/" + package_name + ":decodeIntegrityToken",
        .headers = {"Authorization: Bearer " + *access, "Content-Type: application/json"},
        .body = dump_json({{"integrity_token", token}})};
    auto answer = send_with_retries(client_, request, settings_.retries);
    // An access token can be withdrawn before its end: one new one is worth trying.
    if (!answer || answer->status != 401 || attempt == 1) return answer;
    used = *access;
  }
}

Result<evidence::PlayIntegrity> PlayIntegrityApi::decode(
    const std::string& token, const evidence::PlayIntegrityRequest& request) {
  if (token.empty() || token.size() > kMaxTokenBytes) {
    return fail(PlatformError::kRejected, "a token of " + std::to_string(token.size()) + " bytes");
  }
  if (!request.package_name || !is_package_name(*request.package_name)) {
    return fail(PlatformError::kRejected, "no package name to ask for");
  }
  auto answer = call(*request.package_name, token);
  if (!answer) return pass(answer);
  if (auto ok = check_status(*answer, "Play Integrity"); !ok) return pass(ok);
  auto json = parse_json(answer->body);
  const Json* payload = json ? find_object(*json, "tokenPayloadExternal") : nullptr;
  if (payload == nullptr) {
    return fail(PlatformError::kBadAnswer, "Play Integrity's answer has no tokenPayloadExternal");
  }
  return evidence::check_play_integrity_payload(*payload, request);
}

}  // namespace touchmark::adapters
