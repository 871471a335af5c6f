// Reads the parts of an ELF image, of 32 or 64 bits, that the checks need. The image may be
// hostile: every offset and count in it is checked against the bytes that are there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attester/core/machine.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/source.h"

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
  bool readable = false;  // not set in execute-only code
  bool executable = false;
};

struct ElfImport {
  std::string_view name;     // in ElfImage::strings
  std::uint64_t slot = 0;    // linked address of the pointer that the loader filled
  std::uint64_t addend = 0;  // what the loader added to the function's address; wraps
  // A variable that the program may set again, and no entry of a table that stays as the loader
  // left it.
  bool variable = false;
};

struct ElfExport {
  std::string_view name;      // in ElfImage::strings
  std::uint64_t address = 0;  // linked; on Arm with the lowest bit set for Thumb code
  bool chosen_at_load =
      false;  // STT_GNU_IFUNC: the pointer is what the function at `address` returns
};

// Immutable. Names of symbols last as long as a copy of it.
struct ElfImage {
  std::shared_ptr<const std::string> strings;  // the table of names, copied whole
  std::vector<ElfSegment> segments;            // PT_LOAD, ascending
  std::string soname;                          // "" when it has none
  std::vector<std::string> needed;             // DT_NEEDED
  // Functions that other modules define, and those of its own that other modules may define in its
  // place. From every table that loaders read: REL, RELA, those of the PLT, Android's packed ones.
  std::vector<ElfImport> imports;
  std::vector<ElfExport> exports;  // code defined here, by the names that others may use
  // Where the loader writes into code, in 32-bit libraries of old: linked addresses of the words,
  // ascending.
  std::vector<std::uint64_t> text_relocations;
};
// An image for `machine` and no other. Of a source, the blocks that the tables lie in are read, and
// a table ends where one cannot be.
Result<ElfImage> parse_elf(ByteView image, Machine machine = kOwnMachine);
Result<ElfImage> parse_elf(const Source& image, Machine machine = kOwnMachine);
// Its PT_LOAD segments alone.
Result<std::vector<ElfSegment>> parse_segments(ByteView image, Machine machine = kOwnMachine);
Result<std::vector<ElfSegment>> parse_segments(const Source& image, Machine machine = kOwnMachine);

}  // namespace touchmark::attester::checks
