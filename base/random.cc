#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace touchmark {
namespace {

void draw(std::span<std::byte> out) {
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

// Bytes of the generator that nobody has seen yet, of one thread. What the generator costs, it
// costs for each call, however short. Without a destructor: what asks for bytes while its thread
// ends still finds a pool.
class Pool {
 public:
  // `out`: no longer than the pool.
  void take(std::span<std::byte> out) {
    // After a fork() both processes hold the same pool. OpenSSL asks in the same way.
    const pid_t process = ::getpid();
    if (process != process_ || bytes_.size() - used_ < out.size()) {
      draw(bytes_);
      used_ = 0;
      process_ = process;
    }
    const auto fresh = std::span(bytes_).subspan(used_, out.size());
    std::ranges::copy(fresh, out.begin());
    // A byte is given once, and leaves nothing behind.
    OPENSSL_cleanse(fresh.data(), fresh.size());
    used_ += out.size();
  }

 private:
  std::array<std::byte, 512> bytes_{};
  std::size_t used_ = 0;  // of those of process_
  pid_t process_ = 0;
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> out) {
  // As long as what a challenge or a token's id holds. Keys and secrets are longer, and never lie
  // in a pool.
  constexpr std::size_t kMostPooled = 16;
  if (out.size() > kMostPooled) return draw(out);
  thread_local constinit Pool pool;
  pool.take(out);
}

}  // namespace touchmark
