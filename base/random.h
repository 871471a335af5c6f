// Randomness comes in through this interface, so that tests can repeat it.
#pragma once

#include <span>

#include "base/bytes.h"

namespace touchmark {

// Thread-safe. fill() never fails: a system without entropy ends the process.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
  Bytes bytes(std::size_t count) {
    Bytes out(count);
    fill(out);
    return out;
  }
};

// OpenSSL's generator (RAND_bytes), seeded by the kernel. Up to 16 bytes come out of a pool that
// each thread has, which is filled by that generator; after a fork() no pool is used any further.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

}  // namespace touchmark
