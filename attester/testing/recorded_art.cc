#include "attester/testing/recorded_art.h"

#include "attester/testing/little_endian.h"

namespace touchmark::attester::testing {
namespace {

// android-6.0 to android-16: what stands before the pointers, and how many pointers there are.
//   6.0       class, resolved methods, resolved types, flags, code item, two indices; then the
//             interpreter's entry, the native function, the entry of compiled code
//   7         class, flags, code item, index, two half indices; then resolved methods and types,
//   the
//             native function, the entry
//   8         as 7, without the resolved types
//   9 and 10  as 8, without the resolved methods
//   11 on     without the code item
struct Layout {
  std::uint64_t before = 0;
  std::uint64_t pointers = 0;
};
Layout layout_of(int level) {
  if (level <= 23) return {28, 3};
  if (level <= 25) return {20, 4};
  if (level <= 27) return {20, 3};
  if (level <= 29) return {20, 2};
  return {16, 2};
}

}  // namespace

std::uint64_t flags_offset(int level) { return level <= 23 ? 12 : 4; }

std::uint64_t function_offset(int level, bool wide) {
  const Layout layout = layout_of(level);
  const std::uint64_t word = wide ? 8 : 4;
  return (layout.before + word - 1) / word * word + (layout.pointers - 2) * word;
}

Bytes art_method(int level, bool wide, const ArtMethodFields& fields) {
  const std::uint64_t word = wide ? 8 : 4;
  const std::uint64_t function = function_offset(level, wide);
  Bytes out(static_cast<std::size_t>(function + 2 * word));
  overwrite(out, 0, 0x12c0'4560, 4);  // the class, on Java's heap
  for (std::size_t at = 8; at < layout_of(level).before; at += 4) overwrite(out, at, 0x321 + at, 4);
  overwrite(out, static_cast<std::size_t>(flags_offset(level)), fields.access_flags, 4);
  overwrite(out, static_cast<std::size_t>(function), fields.function, word);
  overwrite(out, static_cast<std::size_t>(function + word), fields.entry, word);
  return out;
}

}  // namespace touchmark::attester::testing
