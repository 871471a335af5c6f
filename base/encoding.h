// base64, base64url (RFC 4648), lowercase hex, and numbers as bytes. The decoders of text are
// strict: one accepted spelling per byte string, so no two texts name the same token, pin or
// digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark {

enum class EncodingError {
  kBadCharacter,     // a character outside the alphabet (white space and line breaks included)
  kBadLength,        // a length no encoder produces, or padding missing or superfluous
  kNonZeroTrailing,  // unused low bits of the last character are set
};
std::string_view error_id(EncodingError error);

// Standard alphabet, padded with '='.
std::string base64_encode(ByteView data);
Result<Bytes> base64_decode(std::string_view text);
// The padded base64 of 32 bytes, as pins are written; nullopt for anything else.
std::optional<Sha256Digest> base64_digest(std::string_view text);

// URL-safe alphabet without padding, as JOSE uses it (RFC 7515 section 2).
std::string base64url_encode(ByteView data);
Result<Bytes> base64url_decode(std::string_view text);
Result<std::string> base64url_decode_text(std::string_view text);
// Into memory of the caller's; the bytes that were written, or nullopt where there is no room for
// them or the text is not base64url. Allocates nothing.
std::optional<ByteView> base64url_decode_into(std::string_view text, std::span<std::byte> out);
// Of 32 bytes; nullopt for anything else.
std::optional<Sha256Digest> base64url_digest(std::string_view text);

// Either alphabet, padded or not, for what other people's programs wrote. Never for a text that
// names something: compare the bytes.
Result<Bytes> base64_any_decode(std::string_view text);

std::string hex_encode(ByteView data);
// Takes both cases, an even number of digits, nothing else.
Result<Bytes> hex_decode(std::string_view text);

// The number that the bytes write, the most significant one first; of the last eight of them.
std::uint64_t big_endian(ByteView bytes);
// Eight bytes.
void append_big_endian(Bytes& out, std::uint64_t number);

}  // namespace touchmark
