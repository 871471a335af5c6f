#include "verifier/adapters/apple.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/jose.h"

namespace touchmark::adapters {
namespace {

constexpr std::size_t kMaxDeviceTokenBytes = 16 * 1024;
// Apple advises to take a receipt only within five minutes after it was made.
constexpr Seconds kReceiptMaxAge{300};

bool is_account_id(std::string_view text) {
  return text.size() == 10 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

std::string without_line_breaks(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  return text;
}

Result<DeviceBits> read_bits(const Json& json) {
  const auto bit = [&json](const char* name) -> std::optional<bool> {
    const auto at = json.find(name);
    return at != json.end() && at->is_boolean() ? std::optional(at->get<bool>()) : std::nullopt;
  };
  const auto bit0 = bit("bit0");
  const auto bit1 = bit("bit1");
  if (!bit0 || !bit1) return fail(PlatformError::kBadAnswer, "DeviceCheck's answer has no bits");
  return DeviceBits{*bit0, *bit1, find_string(json, "last_update_time").value_or("")};
}

}  // namespace

Result<AppleDeveloperKey> AppleDeveloperKey::parse(std::string team_id, std::string key_id,
                                                   std::string_view p8_pem) {
  if (!is_account_id(team_id) || !is_account_id(key_id)) {
    return fail(PlatformError::kBadKey, "a team or key id is not ten capital letters and digits");
  }
  auto key = EcKey::from_private_pem(p8_pem);
  if (!key) return fail(PlatformError::kBadKey, "the .p8 key: " + key.error().message());
  return AppleDeveloperKey{std::move(team_id), std::move(key_id), std::move(*key)};
}

std::string apple_authorization(const AppleDeveloperKey& key, UnixTime now) {
  return sign_es256({{"iss", key.team_id}, {"iat", to_unix(now)}}, key.key, {{"kid", key.key_id}});
}

Result<RefreshedReceipt> ReceiptRefresher::refresh(ByteView receipt, const std::string& app_id,
                                                   ByteView public_key_spki) const {
  const HttpRequest request{
      .method = "POST",
      .url = settings_.base_url + "/v1/attestationData",
      .headers = {"Authorization: " + apple_authorization(settings_.key, clock_.now()),
                  "Content-Type: text/plain"},
      .body = base64_encode(receipt)};
  auto answer = send_with_retries(client_, request, settings_.retries);
  if (!answer) return pass(answer);
  if (auto ok = check_status(*answer, "App Attest"); !ok) return pass(ok);
  auto encoded = base64_decode(without_line_breaks(std::move(answer->body)));
  if (!encoded) {
    return fail(PlatformError::kBadAnswer, "App Attest's answer is not the base64 of a receipt");
  }
  evidence::ReceiptRequest expected{.as_of = clock_.now()};
  expected.app_id = app_id;
  expected.public_key_spki = to_bytes(public_key_spki);
  expected.max_age = kReceiptMaxAge;
  RefreshedReceipt result{std::move(*encoded), {}};
  result.receipt = verifier_.verify(result.encoded, expected);
  if (result.receipt.refusal) return tl::unexpected<Error>(*result.receipt.refusal);
  if (result.receipt.type != "RECEIPT") {
    return fail(PlatformError::kBadAnswer,
                "App Attest's answer is a receipt of type " + result.receipt.type.substr(0, 40));
  }
  return result;
}

Result<HttpAnswer> DeviceCheck::call(const char* path, const std::string& device_token,
                                     Json members) const {
  if (device_token.empty() || device_token.size() > kMaxDeviceTokenBytes) {
    return fail(PlatformError::kRejected,
                "a device token of " + std::to_string(device_token.size()) + " bytes");
  }
  members["device_token"] = device_token;
  members["transaction_id"] = hex_encode(random_.bytes(16));
  members["timestamp"] = to_unix(clock_.now()) * 1000;
  const HttpRequest request{
      .method = "POST",
      .url = settings_.base_url + path,
      .headers = {"Authorization: Bearer " + apple_authorization(settings_.key, clock_.now()),
                  "Content-Type: application/json"},
      .body = dump_json(members)};
  auto answer = send_with_retries(client_, request, settings_.retries);
  if (!answer) return answer;
  if (auto ok = check_status(*answer, "DeviceCheck"); !ok) return pass(ok);
  return answer;
}

Result<std::optional<DeviceBits>> DeviceCheck::query(const std::string& device_token) const {
  auto answer = call("/v1/query_two_bits", device_token, Json::object());
  if (!answer) return pass(answer);
  auto json = parse_json(answer->body);
  if (!json) {
    // Plain text, by which Apple says that no bits were ever set.
    if (answer->body.find("Failed to find bit state") != std::string::npos) return std::nullopt;
    return fail(PlatformError::kBadAnswer, "DeviceCheck's answer is not JSON");
  }
  if (!json->is_object())
    return fail(PlatformError::kBadAnswer, "DeviceCheck's answer has no bits");
  auto bits = read_bits(*json);
  if (!bits) return pass(bits);
  return std::move(*bits);
}

Result<void> DeviceCheck::update(const std::string& device_token, bool bit0, bool bit1) const {
  auto answer = call("/v1/update_two_bits", device_token, {{"bit0", bit0}, {"bit1", bit1}});
  if (!answer) return pass(answer);
  return {};
}

Result<void> DeviceCheck::validate(const std::string& device_token) const {
  auto answer = call("/v1/validate_device_token", device_token, Json::object());
  if (!answer) return pass(answer);
  return {};
}

}  // namespace touchmark::adapters
