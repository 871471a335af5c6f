// The processors that the SDK runs on, by the names that Android gives their ABIs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace touchmark::attester {

enum class Machine { kArm, kArm64, kX86, kX86_64 };
inline constexpr std::array kMachines = {Machine::kArm, Machine::kArm64, Machine::kX86,
                                         Machine::kX86_64};

#if defined(__aarch64__)
inline constexpr Machine kOwnMachine = Machine::kArm64;
#elif defined(__arm__)
inline constexpr Machine kOwnMachine = Machine::kArm;
#elif defined(__x86_64__)
inline constexpr Machine kOwnMachine = Machine::kX86_64;
#elif defined(__i386__)
inline constexpr Machine kOwnMachine = Machine::kX86;
#else
#error "the SDK runs on arm, arm64, x86 and x86_64"
#endif

// Whether its pointers have 64 bits.
constexpr bool is_wide(Machine machine) {
  return machine == Machine::kArm64 || machine == Machine::kX86_64;
}

// In bytes.
constexpr std::size_t pointer_size(Machine machine) { return is_wide(machine) ? 8 : 4; }

// The folder of an ABI's libraries in a package: lib/<name>/.
constexpr std::string_view abi_name(Machine machine) {
  switch (machine) {
    case Machine::kArm:
      return "armeabi-v7a";
    case Machine::kArm64:
      return "arm64-v8a";
    case Machine::kX86:
      return "x86";
    case Machine::kX86_64:
      break;
  }
  return "x86_64";
}

}  // namespace touchmark::attester
