// Builds small 64-bit Mach-O images for tests: text, constants, imported pointers and symbols, as a
// linker lays them out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace touchmark::package::testing {

struct MachOSpec {
  std::uint32_t cpu_type = 0x0100000c;  // arm64
  std::uint32_t cpu_subtype = 0;
  std::uint32_t file_type = 2;  // an executable; 6 a library
  char seed = 1;                // of the text, the constants and the UUID
  std::vector<std::string> libraries = {"/usr/lib/libSystem.B.dylib", "@rpath/Kit.framework/Kit"};
  // Symbols and their library's ordinal: of the section __got, then of __la_symbol_ptr.
  std::vector<std::pair<std::string, int>> got = {{"_malloc", 1}, {"_kit_start", 2}};
  std::vector<std::pair<std::string, int>> lazy = {{"_open", 1}, {"_ptrace", 1}};
  bool encrypted = false;  // says that a store encrypted it
  bool has_signature = true;
};

inline constexpr std::uint64_t kMachOBase = 0x100000000;  // where an executable is linked to
inline constexpr std::size_t kMachOPage = 4096;

// All bytes up to the code signature: `size` of them, at least three pages, of which the last is
// __LINKEDIT's. `signature_size`: of what will follow.
std::string mach_o_image(const MachOSpec& spec, std::size_t size, std::size_t signature_size);

}  // namespace touchmark::package::testing
