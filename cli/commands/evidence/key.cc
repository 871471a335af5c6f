#include "cli/commands/evidence/key.h"

#include <fmt/format.h>

#include <optional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands/evidence/input.h"
#include "cli/io/error.h"
#include "cli/io/text.h"
#include "crypto/crypto.h"
#include "crypto/jose.h"
#include "formats/cbor.h"
#include "pki/certificate.h"
#include "verifier/evidence/app_attest.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 256 * 1024;
constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kAesKeyBytes = 32;

std::optional<Bytes> from_point(ByteView point) {
  if (point.size() == 2 * kCoordinateBytes + 1 && point[0] == std::byte{4}) {
    point = point.subspan(1);
  }
  if (point.size() != 2 * kCoordinateBytes) return std::nullopt;
  auto key =
      crypto::EcKey::from_coordinates(point.first(kCoordinateBytes), point.last(kCoordinateBytes));
  if (!key) return std::nullopt;
  return key->public_der();
}

std::optional<Bytes> from_cbor(const Bytes& bytes) {
  auto value = cbor::parse(bytes);
  if (!value || value->type != cbor::Type::kMap) return std::nullopt;
  if (value->find("fmt") != nullptr) {
    const verifier::evidence::AttestationVerifier verifier;
    const auto attestation = verifier.verify(bytes, {});
    if (attestation.public_key().empty()) return std::nullopt;
    return to_bytes(attestation.public_key());
  }
  auto point = verifier::evidence::read_cose_key(*value);
  if (!point) return std::nullopt;
  return from_point(*point);
}

std::optional<Bytes> from_binary(const Bytes& bytes) {
  if (pki::PublicKey::from_spki(bytes)) return bytes;
  if (auto certificate = pki::parse_certificate(bytes)) return to_bytes(certificate->spki);
  if (auto spki = from_point(bytes)) return spki;
  return from_cbor(bytes);
}

std::optional<Bytes> from_json(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return std::nullopt;
  if (auto key = crypto::from_jwk(*json)) return key->public_der();
  auto spki = base64_decode(find_string(*json, "publicKey").value_or(""));
  if (!spki) return std::nullopt;
  return from_binary(*spki);
}

// The first block, whatever its label says.
std::optional<Bytes> from_pem(std::string_view text) {
  const std::size_t begin = text.find("-----", text.find("-----BEGIN ") + 11);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin + 5);
  const std::size_t end = text.find("-----END ");
  if (end == text.npos) return std::nullopt;
  return from_binary(decode_evidence(to_bytes(text.substr(0, end))));
}

std::optional<Bytes> to_spki(const Bytes& file) {
  const std::string_view text = io::trim(as_text(file));
  if (text.find("-----BEGIN ") != text.npos) return from_pem(text);
  if (text.starts_with('{')) return from_json(text);
  if (auto spki = from_binary(file)) return spki;
  // Base64 of any of the forms, of PEM as well.
  const Bytes decoded = decode_evidence(file);
  if (decoded == file) return std::nullopt;
  if (as_text(decoded).starts_with("-----BEGIN ")) return from_pem(as_text(decoded));
  return from_binary(decoded);
}

std::optional<Bytes> to_aes_key(const Bytes& file) {
  if (file.size() == kAesKeyBytes) return file;
  Bytes decoded = decode_evidence(file);
  if (decoded.size() != kAesKeyBytes) return std::nullopt;
  return decoded;
}

}  // namespace

Result<Bytes> read_public_key(const std::string& path) {
  auto file = read_file(path, kMaxKeyFileBytes);
  if (!file) return file;
  auto spki = to_spki(*file);
  if (!spki) return fail(io::CliError::kBadKey, fmt::format("{} holds no public key", path));
  return std::move(*spki);
}

Result<verifier::evidence::PlayIntegrityKeys> read_play_keys(const std::string& first,
                                                             const std::string& second) {
  std::string decryption;
  std::string verification;
  for (const std::string& path : {first, second}) {
    auto file = read_file(path, kMaxKeyFileBytes);
    if (!file) return pass(file);
    if (auto secret = to_aes_key(*file)) {
      decryption = base64_encode(*secret);
    } else if (auto spki = to_spki(*file)) {
      verification = base64_encode(*spki);
    } else {
      return fail(io::CliError::kBadKey,
                  fmt::format("{} holds neither 32 bytes nor a public key", path));
    }
  }
  if (decryption.empty() || verification.empty()) {
    return fail(io::CliError::kBadKey,
                "one --key must hold the decryption key (base64 of 32 bytes), "
                "the other the verification key (a P-256 public key)");
  }
  return verifier::evidence::PlayIntegrityKeys::parse(decryption, verification);
}

}  // namespace touchmark::cli::commands
