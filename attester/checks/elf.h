// Reads the parts of an ELF image, of 32 or 64 bits, that the checks need. The image may be
// hostile: every offset and count in it is checked against the bytes that are there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attester/core/machine.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::attester::checks {

enum class ElfError {
  kNotElf,     // not a little-endian ELF image for this processor
  kTruncated,  // a table lies outside the image
};
std::string_view error_id(ElfError error);

struct ElfSegment {
  std::uint64_t offset = 0;
  std::uint64_t address = 0;  // as linked, before the load bias
  std::uint64_t file_size = 0;
  bool executable = false;
};

struct ElfImport {
  std::string name;
  std::uint64_t slot = 0;  // linked address of the pointer that the loader filled
};

struct ElfExport {
  std::string name;
  std::uint64_t address = 0;  // linked
  bool chosen_at_load =
      false;  // STT_GNU_IFUNC: the pointer is what the function at `address` returns
};

// Immutable.
struct ElfImage {
  std::vector<ElfSegment> segments;  // PT_LOAD, ascending
  std::string soname;                // "" when it has none
  std::vector<std::string> needed;   // DT_NEEDED
  std::vector<ElfImport> imports;    // functions that other modules define
  std::vector<ElfExport> exports;    // functions defined here
};
// An image for `machine` and no other.
Result<ElfImage> parse_elf(ByteView image, Machine machine = kOwnMachine);

}  // namespace touchmark::attester::checks
