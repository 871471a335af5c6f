// Compares bytes without libc: memcmp is itself among the functions that an attacker replaces, and
// std::equal ends up there.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace touchmark::attester::checks {

// The index of the first byte at or after `from` in which two equally long views differ; their size
// when none does.
inline std::size_t next_difference(ByteView a, ByteView b, std::size_t from = 0) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto word = [](ByteView view, std::size_t at) {
    std::uint64_t out;
    __builtin_memcpy(&out, view.data() + at, kWord);  // one load
    return out;
  };
  std::size_t at = from;
  constexpr std::size_t kBlock = 8 * kWord;
  for (; at + kBlock <= a.size(); at += kBlock) {
    std::uint64_t differs = 0;
    for (std::size_t i = 0; i < kBlock; i += kWord) differs |= word(a, at + i) ^ word(b, at + i);
    if (differs != 0) break;
  }
  while (at < a.size() && a[at] == b[at]) ++at;
  return at;
}

}  // namespace touchmark::attester::checks
