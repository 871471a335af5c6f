#include "crypto/jose.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::crypto {
namespace {

constexpr std::string_view kHs256 = "HS256";
constexpr std::string_view kEs256 = "ES256";
constexpr std::size_t kMaxDepth = 16;

// A compact JWS with its header read. The payload stays text until the signature is known to be
// good.
struct Envelope {
  JsonDocument header;
  std::string_view payload;  // base64url
  std::string_view signing_input;
  Bytes signature;
};

Result<JsonDocument> decode_object(std::string_view part, const char* what, JoseError not_json) {
  auto text = base64url_decode_text(part);
  if (!text) {
    return fail(JoseError::kMalformed, std::string(what) + ": " + text.error().message());
  }
  const JsonLimits limits{.max_bytes = text->size(), .max_depth = kMaxDepth};
  auto json = parse_json_document(std::move(*text), limits);
  if (!json) return fail(not_json, std::string(what) + ": " + json.error().message());
  if (!json->root().is_object()) return fail(not_json, std::string(what) + " is not a JSON object");
  return json;
}

Result<Envelope> open_envelope(std::string_view compact, std::size_t max_bytes) {
  if (compact.size() > max_bytes) {
    return fail(JoseError::kTooLarge, std::to_string(compact.size()) + " bytes, at most " +
                                          std::to_string(max_bytes) + " are taken");
  }
  std::size_t first = compact.find('.');
  std::size_t second = first == compact.npos ? first : compact.find('.', first + 1);
  if (second == compact.npos || compact.find('.', second + 1) != compact.npos) {
    return fail(JoseError::kMalformed, "not three parts separated by dots");
  }
  auto header = decode_object(compact.substr(0, first), "the header", JoseError::kMalformed);
  if (!header) return pass(header);
  auto signature = base64url_decode(compact.substr(second + 1));
  if (!signature) {
    return fail(JoseError::kMalformed, "the signature: " + signature.error().message());
  }
  return Envelope{std::move(*header), compact.substr(first + 1, second - first - 1),
                  compact.substr(0, second), std::move(*signature)};
}

Result<void> check_header(JsonView header, std::string_view alg, std::string_view typ) {
  // Extensions that must be understood: none is (RFC 7515 section 4.1.11).
  if (header.find("crit")) return fail(JoseError::kUnknownCrit, "the header has \"crit\"");
  if (find_string(header, "alg") != alg) {
    return fail(JoseError::kWrongAlg, "the header's alg is not " + std::string(alg));
  }
  if (!typ.empty() && find_string(header, "typ") != typ) {
    return fail(JoseError::kWrongType, "the header's typ is not " + std::string(typ));
  }
  return {};
}

Result<JsonDocument> decode_payload(const Envelope& envelope) {
  return decode_object(envelope.payload, "the payload", JoseError::kPayloadNotJson);
}

Result<Jws> close_envelope(Envelope envelope) {
  const auto payload = decode_payload(envelope);
  if (!payload) return pass(payload);
  return Jws{envelope.header.root().to_json(), payload->root().to_json(),
             std::string(envelope.signing_input), std::move(envelope.signature)};
}

tl::unexpected<Error> bad_jws_signature() {
  return fail(JoseError::kBadSignature, "the signature does not verify");
}

std::string signing_input(const Json& payload, const Json& extra_header, std::string_view alg) {
  Json header = extra_header.is_object() ? extra_header : Json::object();
  header["alg"] = alg;
  return base64url_encode(as_bytes(dump_json(header))) + "." +
         base64url_encode(as_bytes(dump_json(payload)));
}

}  // namespace

std::string_view error_id(JoseError error) {
  using enum JoseError;
  static constexpr auto kIds = error_table<JoseError>({
      {kMalformed, "jose.malformed"},
      {kTooLarge, "jose.too-large"},
      {kWrongAlg, "jose.wrong-alg"},
      {kWrongType, "jose.wrong-type"},
      {kUnknownCrit, "jose.unknown-crit"},
      {kBadSignature, "jose.bad-signature"},
      {kPayloadNotJson, "jose.payload-not-json"},
      {kBadKey, "jose.bad-key"},
  });
  return kIds[error];
}

Result<Jws> parse_jws(std::string_view compact, std::size_t max_bytes) {
  auto envelope = open_envelope(compact, max_bytes);
  if (!envelope) return pass(envelope);
  return close_envelope(std::move(*envelope));
}

std::string sign_hs256(const Json& payload, ByteView secret, const Json& header) {
  std::string input = signing_input(payload, header, kHs256);
  return input + "." + base64url_encode(hmac_sha256(secret, as_bytes(input)));
}

std::string sign_es256(const Json& payload, const EcKey& key, const Json& header) {
  std::string input = signing_input(payload, header, kEs256);
  return input + "." + base64url_encode(key.sign(as_bytes(input)));
}

Result<Jws> verify_hs256(std::string_view compact, ByteView secret, std::string_view typ) {
  auto envelope = open_envelope(compact, kMaxJwsBytes);
  if (!envelope) return pass(envelope);
  if (auto ok = check_header(envelope->header.root(), kHs256, typ); !ok) return pass(ok);
  if (!constant_time_equal(hmac_sha256(secret, as_bytes(envelope->signing_input)),
                           envelope->signature)) {
    return bad_jws_signature();
  }
  return close_envelope(std::move(*envelope));
}

Result<Jws> verify_es256(std::string_view compact, const EcKey& key, std::string_view typ,
                         std::size_t max_bytes) {
  auto envelope = open_envelope(compact, max_bytes);
  if (!envelope) return pass(envelope);
  if (auto ok = check_header(envelope->header.root(), kEs256, typ); !ok) return pass(ok);
  if (!key.verify(as_bytes(envelope->signing_input), envelope->signature))
    return bad_jws_signature();
  return close_envelope(std::move(*envelope));
}

Result<SelfSignedJws> verify_es256_with_header_key(std::string_view compact, std::string_view typ,
                                                   std::size_t max_bytes) {
  auto envelope = open_envelope(compact, max_bytes);
  if (!envelope) return pass(envelope);
  if (auto ok = check_header(envelope->header.root(), kEs256, typ); !ok) return pass(ok);
  const auto jwk = find_object(envelope->header.root(), "jwk");
  if (!jwk) return fail(JoseError::kBadKey, "the header has no jwk");
  auto key = from_jwk(*jwk);
  if (!key) return pass(key);
  if (!key->verify(as_bytes(envelope->signing_input), envelope->signature))
    return bad_jws_signature();
  auto payload = decode_payload(*envelope);
  if (!payload) return pass(payload);
  return SelfSignedJws{std::move(*payload), std::move(*key)};
}

Json to_jwk(const EcKey& key) {
  auto [x, y] = key.coordinates();
  return {{"kty", "EC"}, {"crv", "P-256"}, {"x", base64url_encode(x)}, {"y", base64url_encode(y)}};
}

Result<EcKey> from_jwk(const Json& jwk) { return from_jwk(JsonDocument(jwk).root()); }

Result<EcKey> from_jwk(JsonView jwk) {
  const auto is_other = [&](const char* name, std::string_view value) {
    const auto found = jwk.find(name);
    return found && !(found->is_string() && found->text() == value);
  };
  if (find_string(jwk, "kty") != "EC" || find_string(jwk, "crv") != "P-256") {
    return fail(JoseError::kBadKey, "the JWK is not of kty EC and crv P-256");
  }
  if (is_other("use", "sig") || is_other("alg", kEs256)) {
    return fail(JoseError::kBadKey, "the JWK is not for ES256 signatures");
  }
  if (const auto ops = jwk.find("key_ops")) {
    bool verifies = false;
    if (ops->is_array()) {
      for (const JsonView op : *ops) verifies |= op.is_string() && op.text() == "verify";
    }
    if (!verifies) return fail(JoseError::kBadKey, "the JWK's key_ops do not hold verify");
  }
  auto x = get_base64url(jwk, "x", 32);
  auto y = get_base64url(jwk, "y", 32);
  if (!x) return fail(JoseError::kBadKey, "the JWK's " + x.error().message());
  if (!y) return fail(JoseError::kBadKey, "the JWK's " + y.error().message());
  auto key = EcKey::from_coordinates(*x, *y);
  if (!key) return fail(JoseError::kBadKey, "the JWK: " + key.error().message());
  return key;
}

}  // namespace touchmark::crypto
