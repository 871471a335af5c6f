// What reading one input of hostile bytes may cost. Formats multiply: a name that is stored once is
// referred to a thousand times, a kilobyte of deflate becomes a megabyte, a table is searched for
// each of its own entries. A reader therefore counts what it decodes and what it visits, and all
// readers of one input (the archive, its manifest, its resources, its signatures, the packages
// inside it) count on one Budget, made of the size of what was received.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace touchmark {

enum class BudgetError {
  kBytes,  // decoding takes more memory than an input of this size may ask for
  kSteps,  // reading takes more steps than an input of this size may ask for
};
std::string_view error_id(BudgetError error);

// Thread-safe. Counts what was ever taken; nothing is given back, so that what is decoded again and
// again counts again and again.
class Budget {
 public:
  // Up to this size an input has the least budget; every byte beyond it adds to it.
  static constexpr std::uint64_t kSmallInput = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kBytes = std::uint64_t{32} << 20;
  static constexpr std::uint64_t kBytesPerByte = 4;
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{512} << 20;
  // A step is one element, field or record that is looked at: some ten nanoseconds.
  static constexpr std::uint64_t kSteps = std::uint64_t{1} << 27;
  static constexpr std::uint64_t kStepsPerByte = 128;

  // For an input of this many bytes, as it was received.
  explicit Budget(std::uint64_t input_bytes);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  std::uint64_t input_bytes() const { return input_bytes_; }

  // To be called before the memory is allocated. kBytes, kSteps.
  Result<void> take_bytes(std::uint64_t bytes) { return take(bytes_, bytes, BudgetError::kBytes); }
  Result<void> take_steps(std::uint64_t steps) { return take(steps_, steps, BudgetError::kSteps); }

  // Counts what the archives within the input declare to expand to. False past `limit`.
  bool expand(std::uint64_t bytes, std::uint64_t limit);

 private:
  struct Count {
    std::uint64_t limit;
    std::atomic<std::uint64_t> taken = 0;
  };
  Result<void> take(Count& count, std::uint64_t amount, BudgetError error) const;

  std::uint64_t input_bytes_;
  Count bytes_;
  Count steps_;
  std::atomic<std::uint64_t> expanded_ = 0;
};

}  // namespace touchmark
