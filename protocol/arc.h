// The attestation response code (ARC): the findings of one verdict as a short text that a user can
// read to a help desk. Layout: version byte 1, the finding numbers ascending, one byte each, then
// the sum of all bytes before modulo 256; in base32 (RFC 4648 section 6) without padding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "protocol/findings.h"

namespace touchmark::protocol {

enum class ArcError {
  kBadCharacter,  // outside A-Z, 2-7
  kBadLength,     // a length no encoder produces, or unused low bits that are not zero
  kUnknownVersion,
  kBadChecksum,  // mistyped
  kNotSorted,    // numbers not strictly ascending: no encoder made this
};
std::string_view error_id(ArcError error);

// Duplicates and order of `findings` do not matter.
std::string encode_arc(std::span<const Finding> findings);
// The finding numbers; some may be unknown to this version (see find_finding). Takes lower case
// too, since people type it.
Result<std::vector<std::uint8_t>> decode_arc(std::string_view arc);

}  // namespace touchmark::protocol
