// The text encodings that packages hold. RFC 3629 for UTF-8, RFC 2781 for UTF-16.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace touchmark {

// Strict: no overlong form, no surrogate, nothing past U+10FFFF.
bool is_utf8(std::string_view text);
// UTF-8 in which characters past U+FFFF may also stand as two three-byte surrogates, as Java and
// the older resource compilers write them. Returns plain UTF-8, or nothing.
std::optional<std::string> from_java_utf8(std::string_view text);
// An even number of bytes, little-endian. Nothing for a lone surrogate.
std::optional<std::string> from_utf16le(ByteView bytes);
// In the machine's byte order. Each byte that is no part of UTF-8 becomes U+FFFD.
std::u16string to_utf16(std::string_view utf8);

}  // namespace touchmark
