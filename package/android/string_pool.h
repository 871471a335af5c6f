// The string pool of binary XML and resource tables (ResStringPool of AOSP's androidfw).
#pragma once

#include <string>

#include "base/budget.h"
#include "base/error.h"
#include "package/android/chunk.h"

namespace touchmark::package::android {

enum class StringPoolError {
  kBadHeader,     // sizes, counts or offsets that do not fit into the chunk
  kNoSuchString,  // an index past the end
  kBadOffset,     // a string that starts or ends outside the pool
  kUnterminated,  // no zero after the last character
  kBadEncoding,   // not UTF-8 or UTF-16, or a length that contradicts the text
};
std::string_view error_id(StringPoolError error);

// A view: chunk and budget must outlive it. Strings are decoded when asked for, and then count on
// the budget (BudgetError): a pool holds each string once, and a document names it as often as it
// likes. Immutable.
class StringPool {
 public:
  StringPool() = default;
  static Result<StringPool> parse(const Chunk& chunk, Budget& budget);

  std::size_t size() const { return count_; }
  // In UTF-8, whichever of the two encodings the pool has.
  Result<std::string> get(std::uint32_t index) const;
  // Whether two strings are the same text, wherever in the pool they stand.
  Result<bool> same(std::uint32_t a, std::uint32_t b) const;

 private:
  Result<std::string> get_utf8(std::size_t offset) const;
  Result<std::string> get_utf16(std::size_t offset) const;

  Budget* budget_ = nullptr;
  std::size_t count_ = 0;
  bool utf8_ = false;
  ByteView offsets_;
  ByteView strings_;
};

}  // namespace touchmark::package::android
