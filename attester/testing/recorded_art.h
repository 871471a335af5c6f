// What ART keeps of methods, as art/runtime/art_method.h lays it out at each API level: no ART runs
// where these tests do.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace touchmark::attester::testing {

struct ArtMethodFields {
  std::uint32_t access_flags = 0;
  std::uint64_t function = 0;  // of a native method; of others what its level keeps there
  std::uint64_t entry = 0;     // where compiled code enters it
};

// One record; those of a class follow each other.
Bytes art_method(int level, bool wide, const ArtMethodFields& fields);
// Where in it the function and the entry are.
std::uint64_t function_offset(int level, bool wide);
std::uint64_t flags_offset(int level);

}  // namespace touchmark::attester::testing
