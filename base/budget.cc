#include "base/budget.h"

#include <algorithm>
#include <limits>

namespace touchmark {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// `least` for a small input, and `per_byte` more for each byte beyond.
std::uint64_t allowance(std::uint64_t input, std::uint64_t least, std::uint64_t per_byte) {
  const std::uint64_t beyond = input > Budget::kSmallInput ? input - Budget::kSmallInput : 0;
  return beyond > (kMost - least) / per_byte ? kMost : least + beyond * per_byte;
}

// Adds without running over. False when the sum is past `limit`.
bool add(std::atomic<std::uint64_t>& sum, std::uint64_t amount, std::uint64_t limit) {
  std::uint64_t before = sum.load(std::memory_order_relaxed);
  do {
    if (amount > limit || before > limit - amount) return false;
  } while (!sum.compare_exchange_weak(before, before + amount, std::memory_order_relaxed));
  return true;
}

}  // namespace

std::string_view error_id(BudgetError error) {
  using enum BudgetError;
  static constexpr auto kIds = error_table<BudgetError>({
      {kBytes, "budget.bytes"},
      {kSteps, "budget.steps"},
  });
  return kIds[error];
}

Budget::Budget(std::uint64_t input_bytes)
    : input_bytes_(input_bytes),
      bytes_{std::min(allowance(input_bytes, kBytes, kBytesPerByte), kMaxBytes)},
      steps_{allowance(input_bytes, kSteps, kStepsPerByte)} {}

Result<void> Budget::take(Count& count, std::uint64_t amount, BudgetError error) const {
  if (add(count.taken, amount, count.limit)) return {};
  const std::string size = std::to_string(input_bytes_) + " bytes";
  if (error == BudgetError::kBytes) {
    return fail(error, "decoding takes over " + std::to_string(count.limit >> 20) +
                           " MiB, the most for a file of " + size);
  }
  return fail(error, "reading takes over " + std::to_string(count.limit) +
                         " steps, the most for a file of " + size);
}

bool Budget::expand(std::uint64_t bytes, std::uint64_t limit) {
  return add(expanded_, bytes, limit);
}

}  // namespace touchmark
