#include "verifier/evidence/authenticator_data.h"

#include "base/encoding.h"

namespace touchmark::verifier::evidence {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHeaderBytes = kHashBytes + 1 + 4;
constexpr std::size_t kAaguidBytes = 16;
constexpr std::size_t kMaxExtensionItems = 4;

std::uint32_t big_endian(ByteView bytes) {
  std::uint32_t value = 0;
  for (std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  return value;
}

tl::unexpected<Error> truncated() {
  return fail(AuthenticatorDataError::kTruncated, "authenticator data is cut off");
}

// Takes the credential off the front of `rest`.
Result<AuthenticatorData::Credential> read_credential(ByteView& rest) {
  AuthenticatorData::Credential credential;
  if (rest.size() < kAaguidBytes + 2) return truncated();
  credential.aaguid = rest.first(kAaguidBytes);
  std::size_t id_size = big_endian(rest.subspan(kAaguidBytes, 2));
  rest = rest.subspan(kAaguidBytes + 2);
  if (rest.size() < id_size) return truncated();
  credential.id = rest.first(id_size);
  rest = rest.subspan(id_size);
  auto key = cbor::parse_prefix(rest);
  if (!key) return fail(AuthenticatorDataError::kMalformedKey, key.error().text());
  auto point = read_cose_key(*key);
  if (!point) return pass(point);
  credential.public_key = std::move(*point);
  rest = rest.subspan(key->encoded.size());
  return credential;
}

void read_known_extensions(AuthenticatorData& data) {
  for (const cbor::Value& map : data.extensions) {
    // Four bytes, little-endian, as the kernel holds the number.
    const cbor::Value* category = map.find("apple_validation_category_01");
    if (category != nullptr && category->type == cbor::Type::kBytes &&
        category->bytes.size() == 4) {
      Bytes reversed(category->bytes.rbegin(), category->bytes.rend());
      data.validation_category = static_cast<ValidationCategory>(big_endian(reversed));
    }
    const cbor::Value* version = map.find("apple_bundle_version_01");
    if (version != nullptr && version->type == cbor::Type::kText) {
      data.bundle_version = std::string(version->text());
    }
  }
}

}  // namespace

std::string_view error_id(AuthenticatorDataError error) {
  using enum AuthenticatorDataError;
  static constexpr auto kIds = error_table<AuthenticatorDataError>({
      {kTruncated, "authenticator-data.truncated"},
      {kMalformedKey, "authenticator-data.malformed-key"},
      {kMalformedExtensions, "authenticator-data.malformed-extensions"},
  });
  return kIds[error];
}

std::string_view to_string(ValidationCategory category) {
  switch (category) {
    case ValidationCategory::kInvalid:
      return "invalid";
    case ValidationCategory::kPlatform:
      return "platform";
    case ValidationCategory::kTestFlight:
      return "testflight";
    case ValidationCategory::kDevelopment:
      return "development";
    case ValidationCategory::kAppStore:
      return "appStore";
    case ValidationCategory::kEnterprise:
      return "enterprise";
    case ValidationCategory::kDeveloperId:
      return "developerID";
    case ValidationCategory::kLocalSigning:
      return "localSigning";
    case ValidationCategory::kRosetta:
      return "rosetta";
    case ValidationCategory::kOopJit:
      return "oopJit";
    case ValidationCategory::kNone:
      return "none";
  }
  return "unknown";
}

// kty EC2, alg ES256, crv P-256.
Result<Bytes> read_cose_key(const cbor::Value& key) {
  auto is_number = [&key](std::int64_t label, cbor::Type type, std::uint64_t number) {
    const cbor::Value* value = key.find(label);
    return value != nullptr && value->type == type && value->number == number;
  };
  const cbor::Value* x = key.find(-2);
  const cbor::Value* y = key.find(-3);
  bool good = is_number(1, cbor::Type::kUnsigned, 2) && is_number(3, cbor::Type::kNegative, 6) &&
              is_number(-1, cbor::Type::kUnsigned, 1) && x != nullptr && y != nullptr &&
              x->type == cbor::Type::kBytes && y->type == cbor::Type::kBytes &&
              x->bytes.size() == kHashBytes && y->bytes.size() == kHashBytes;
  if (!good) {
    return fail(AuthenticatorDataError::kMalformedKey,
                "the credential's key is not ES256 on P-256");
  }
  Bytes point = {std::byte{4}};
  append(point, x->bytes);
  append(point, y->bytes);
  return point;
}

Result<AuthenticatorData> parse_authenticator_data(ByteView bytes, bool with_credential) {
  if (bytes.size() < kHeaderBytes) return truncated();
  AuthenticatorData data;
  data.encoded = bytes;
  data.rp_id_hash = bytes.first(kHashBytes);
  data.flags = std::to_integer<std::uint8_t>(bytes[kHashBytes]);
  data.sign_count = big_endian(bytes.subspan(kHashBytes + 1, 4));
  ByteView rest = bytes.subspan(kHeaderBytes);
  if (with_credential) {
    auto credential = read_credential(rest);
    if (!credential) return pass(credential);
    data.credential = std::move(*credential);
  }
  while (!rest.empty()) {
    auto item = cbor::parse_prefix(rest);
    if (!item || data.extensions.size() == kMaxExtensionItems) {
      return fail(AuthenticatorDataError::kMalformedExtensions,
                  item ? "too many items" : item.error().text());
    }
    rest = rest.subspan(item->encoded.size());
    data.extensions.push_back(std::move(*item));
  }
  read_known_extensions(data);
  return data;
}

Json to_json(const AuthenticatorData& data) {
  Json json = {{"rpIdHash", hex_encode(data.rp_id_hash)},
               {"flags", data.flags},
               {"signCount", data.sign_count}};
  if (data.credential) {
    json["aaguid"] = hex_encode(data.credential->aaguid);
    json["credentialId"] = base64_encode(data.credential->id);
    json["credentialPublicKey"] = base64_encode(data.credential->public_key);
  }
  if (!data.extensions.empty()) {
    json["extensions"] = Json::array();
    for (const cbor::Value& item : data.extensions) {
      json["extensions"].push_back(cbor::to_json(item));
    }
  }
  if (data.validation_category) {
    json["validationCategory"] = {{"value", static_cast<std::uint32_t>(*data.validation_category)},
                                  {"name", to_string(*data.validation_category)}};
  }
  if (data.bundle_version) json["bundleVersion"] = *data.bundle_version;
  return json;
}

}  // namespace touchmark::verifier::evidence
