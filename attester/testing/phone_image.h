// Writes ELF images as the linkers of Android's releases lay them out, byte by byte, and says what
// a loader needs to know of them. It shares nothing with the reader in attester/checks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "attester/core/machine.h"
#include "base/bytes.h"

namespace touchmark::attester::testing {

enum class SymbolKind { kFunction, kIndirect, kPlain };

struct PhoneImagePlan {
  Machine machine = Machine::kArm64;
  std::string soname;
  std::vector<std::string> needs;
  std::vector<std::string> imports;
  std::map<std::string, SymbolKind> exports;
  std::vector<std::string> interposed;  // own functions, called through the table
  std::string seed;                     // of its code
  bool unreadable_text = false;
  bool two_segments = false;
  bool old_hash = false;
  bool packed = false;
  enum class Relative { kPlain, kAndroid, kRelr } relative = Relative::kPlain;
  bool global = false;
  bool text_relocations = false;
  std::uint64_t page = 4096;  // what segments are aligned to
  std::uint64_t code_size = 12'000;
  std::uint64_t table_size = 0;  // read-only data that the library fills with pointers of its own

  bool operator==(const PhoneImagePlan&) const = default;
};

struct PhoneSegment {
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // in the file
  std::string mode;        // as it stands in maps once all is loaded: "r-xp"
};

struct PhoneImage {
  PhoneImagePlan plan;
  Bytes bytes;
  std::vector<PhoneSegment> segments;
  std::map<std::string, std::uint64_t> addresses;  // of what it exports
  std::map<std::string, std::uint64_t> chosen;     // what its indirect functions return
  // Of each import, and each interposed function: addresses of the pointers.
  std::multimap<std::string, std::uint64_t> slots;
  std::vector<std::uint64_t> relative;  // addresses of pointers that only move
  std::uint64_t table = 0;              // where the data of table_size is
  std::uint64_t text_word = 0;          // what the loader writes in the code, with text_relocations
  std::size_t word() const { return pointer_size(plan.machine); }
};
PhoneImage make_image(const PhoneImagePlan& plan);

}  // namespace touchmark::attester::testing
