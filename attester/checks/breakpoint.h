// What debuggers write over an instruction to stop at it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "attester/core/machine.h"
#include "base/bytes.h"

namespace touchmark::attester::checks {

struct BreakpointForm {
  std::size_t size = 0;
  std::size_t alignment = 0;
  std::uint32_t mask = 0;  // of the instruction as a little-endian number
  std::uint32_t value = 0;
};

inline std::span<const BreakpointForm> breakpoint_forms(Machine machine) {
  static constexpr BreakpointForm kX86[] = {{1, 1, 0xff, 0xcc}};                  // int3
  static constexpr BreakpointForm kArm64[] = {{4, 4, 0xffe0'001f, 0xd420'0000}};  // brk
  // Arm and Thumb code lie side by side. gdb and lldb write undefined instructions that the kernel
  // knows as theirs (arch/arm/kernel/ptrace.c), other tools write bkpt.
  static constexpr BreakpointForm kArm[] = {{4, 4, 0xfff0'00f0, 0xe120'0070},
                                            {4, 4, 0x0fff'ffff, 0x07f0'01f0},
                                            {2, 2, 0xff00, 0xbe00},
                                            {2, 2, 0xffff, 0xde01},
                                            {4, 2, 0xffff'ffff, 0xa000'f7f0}};
  switch (machine) {
    case Machine::kArm:
      return kArm;
    case Machine::kArm64:
      return kArm64;
    case Machine::kX86:
    case Machine::kX86_64:
      break;
  }
  return kX86;
}

// Whether the difference [start, end) of `code` lies in one breakpoint instruction that now stands
// there. `code` begins at an address that the machine's instructions are aligned to.
inline bool is_breakpoint(Machine machine, ByteView code, std::size_t start, std::size_t end) {
  const auto stands_at = [code](const BreakpointForm& form, std::size_t at) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < form.size; ++i) {
      word |= std::to_integer<std::uint32_t>(code[at + i]) << (8 * i);
    }
    return (word & form.mask) == form.value;
  };
  return std::ranges::any_of(breakpoint_forms(machine), [&](const BreakpointForm& form) {
    for (std::size_t at = start / form.alignment * form.alignment;; at -= form.alignment) {
      if (at + form.size < end) return false;  // it would end before the difference does
      if (at + form.size <= code.size() && stands_at(form, at)) return true;
      if (at < form.alignment || at + form.size <= start + form.alignment) return false;
    }
  });
}

}  // namespace touchmark::attester::checks
