#include "crypto/jwe.h"

#include <array>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "crypto/openssl.h"

namespace touchmark::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kBlockBytes = 8;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

// header, encrypted key, nonce, ciphertext, tag
using Parts = std::array<std::string_view, 5>;

Result<Parts> split(std::string_view compact) {
  Parts parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bool last = i + 1 == parts.size();
    std::size_t dot = compact.find('.');
    if ((dot == compact.npos) != last) {
      return fail(JweError::kMalformed, "not five parts separated by dots");
    }
    parts[i] = compact.substr(0, dot);
    if (!last) compact.remove_prefix(dot + 1);
  }
  return parts;
}

Result<Bytes> decode(std::string_view part, const char* what) {
  auto bytes = base64url_decode(part);
  if (!bytes) return fail(JweError::kMalformed, std::string(what) + ": " + bytes.error().message());
  return bytes;
}

Result<void> check_header(std::string_view part) {
  auto bytes = decode(part, "the header");
  if (!bytes) return pass(bytes);
  auto header = parse_json(as_text(*bytes));
  if (!header || !header->is_object()) {
    return fail(JweError::kMalformed,
                "the header: " + (header ? "not a JSON object" : header.error().message()));
  }
  if (find_string(*header, "alg") != "A256KW") {
    return fail(JweError::kWrongAlg, "the header's alg is not A256KW");
  }
  if (find_string(*header, "enc") != "A256GCM") {
    return fail(JweError::kWrongEnc, "the header's enc is not A256GCM");
  }
  for (const char* member : {"crit", "zip", "b64"}) {
    if (header->contains(member)) {
      return fail(JweError::kUnsupportedHeader, "the header has " + std::string(member));
    }
  }
  return {};
}

}  // namespace

std::string_view error_id(JweError error) {
  using enum JweError;
  static constexpr auto kIds = error_table<JweError>({
      {kTooLarge, "jwe.too-large"},
      {kMalformed, "jwe.malformed"},
      {kWrongAlg, "jwe.wrong-alg"},
      {kWrongEnc, "jwe.wrong-enc"},
      {kUnsupportedHeader, "jwe.unsupported-header"},
      {kWrongKeySize, "jwe.wrong-key-size"},
      {kUnwrapFailed, "jwe.unwrap-failed"},
      {kDecryptionFailed, "jwe.decryption-failed"},
  });
  return kIds[error];
}

Result<Bytes> unwrap_key(ByteView key, ByteView wrapped) {
  if (key.size() != kKeyBytes) {
    return fail(JweError::kWrongKeySize, std::to_string(key.size()) + " bytes, not 32");
  }
  // Two blocks at least are wrapped; a third holds the integrity check.
  if (wrapped.size() % kBlockBytes != 0 || wrapped.size() < 3 * kBlockBytes ||
      wrapped.size() > 1024) {
    return fail(JweError::kUnwrapFailed,
                "no key wraps to " + std::to_string(wrapped.size()) + " bytes");
  }
  openssl::CipherContext context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  openssl::require(
      EVP_DecryptInit_ex2(context.get(), EVP_aes_256_wrap(), uchars(key), nullptr, nullptr) == 1,
      "AES key wrap");
  Bytes out(wrapped.size());
  int length = 0;
  if (EVP_DecryptUpdate(context.get(), uchars(std::span(out)), &length, uchars(wrapped),
                        static_cast<int>(wrapped.size())) != 1) {
    ERR_clear_error();
    return fail(JweError::kUnwrapFailed, "the wrapped key was changed, or wrapped by another key");
  }
  out.resize(static_cast<std::size_t>(length));
  return out;
}

Result<Bytes> decrypt_jwe(std::string_view compact, ByteView key) {
  if (compact.size() > kMaxJweBytes) {
    return fail(JweError::kTooLarge, std::to_string(compact.size()) + " bytes");
  }
  auto parts = split(compact);
  if (!parts) return pass(parts);
  if (auto header = check_header((*parts)[0]); !header) return pass(header);
  auto wrapped = decode((*parts)[1], "the encrypted key");
  if (!wrapped) return pass(wrapped);
  auto sealed = decode((*parts)[2], "the nonce");
  if (!sealed) return pass(sealed);
  auto ciphertext = decode((*parts)[3], "the ciphertext");
  if (!ciphertext) return pass(ciphertext);
  auto tag = decode((*parts)[4], "the tag");
  if (!tag) return pass(tag);
  if (sealed->size() != kNonceBytes || tag->size() != kTagBytes) {
    return fail(JweError::kMalformed, "the nonce is not 12 bytes, or the tag not 16");
  }
  auto content_key = unwrap_key(key, *wrapped);
  if (!content_key) return pass(content_key);
  if (content_key->size() != kKeyBytes) {
    return fail(JweError::kWrongKeySize, "the wrapped key is not 32 bytes");
  }
  append(*sealed, *ciphertext);
  append(*sealed, *tag);
  // The header is authenticated as it stands, in base64url (RFC 7516 section 5.1).
  auto plain = open_sealed(*content_key, (*parts)[0], *sealed);
  if (!plain) {
    return fail(JweError::kDecryptionFailed, "header, nonce, ciphertext or tag was changed");
  }
  return plain;
}

}  // namespace touchmark::crypto
