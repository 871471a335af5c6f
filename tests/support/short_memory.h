// Lets `new` fail, so that tests can see what becomes of an exception at each place where one can
// come from; and counts what it gives. A test program that uses it compiles short_memory.cc.
#pragma once

#include <cstddef>

namespace touchmark::testing {

// While it lives, this thread's `new` of at least `bytes` succeeds `allocations` times and then
// throws std::bad_alloc once. Other threads are not concerned, and neither is malloc(): OpenSSL and
// libcurl have memory. Where JSON is about, `bytes` has to be kPastJson: the destructor of
// nlohmann's JSON allocates (16 bytes for each member), and a destructor that throws ends the
// process.
class ShortMemory {
 public:
  static constexpr std::size_t kPastJson = 512;

  explicit ShortMemory(long allocations, std::size_t bytes = 0);
  ~ShortMemory();
  ShortMemory(const ShortMemory&) = delete;
  ShortMemory& operator=(const ShortMemory&) = delete;
  // Whether `new` has thrown.
  bool has_struck() const;
};

// What this thread took with `new` since this was made.
class CountedMemory {
 public:
  CountedMemory();
  std::size_t allocations() const;
  std::size_t bytes() const;

 private:
  std::size_t allocations_before_;
  std::size_t bytes_before_;
};

}  // namespace touchmark::testing
