#include "base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace touchmark {

void SystemRandom::fill(std::span<std::byte> out) {
  constexpr std::size_t kMaxStep = std::numeric_limits<int>::max();
  while (!out.empty()) {
    std::size_t step = std::min(out.size(), kMaxStep);
    if (RAND_bytes(uchars(out.first(step)), static_cast<int>(step)) != 1) {
      // Keys and challenges must never be predictable: there is nothing sound to go on with.
      std::fputs("touchmark: the system's random generator failed\n", stderr);
      std::abort();
    }
    out = out.subspan(step);
  }
}

}  // namespace touchmark
