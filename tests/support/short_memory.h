// Lets `new` fail, so that tests can see what becomes of an exception at each place where one can
// come from.
#pragma once

#include <cstddef>

namespace touchmark::attester::testing {

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

}  // namespace touchmark::attester::testing
