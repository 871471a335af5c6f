// Writes small ELF libraries of every machine, byte by byte after the System V ABI, and not by the
// structs of <elf.h> that the reader uses.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "attester/core/machine.h"
#include "attester/testing/little_endian.h"
#include "base/bytes.h"

namespace touchmark::attester::testing {

struct ElfPlan {
  struct Import {
    std::string name;
    std::uint64_t slot = 0;
    std::uint32_t relocation = 0;  // its type
    bool through_plt = false;      // in the table of jump slots
  };
  struct Export {
    std::string name;
    std::uint64_t address = 0;
  };
  Machine machine = kOwnMachine;
  std::string soname;
  std::vector<std::string> needed;
  std::vector<Import> imports;
  std::vector<Export> exports;
  bool gnu_hash = false;  // count the symbols by DT_GNU_HASH, otherwise by DT_HASH
};

class ElfBuilder {
 public:
  static constexpr std::uint64_t kLinkedAt = 0x1000;

  explicit ElfBuilder(ElfPlan plan) : plan_(std::move(plan)) {}

  Bytes build() {
    put_header();
    put_strings_and_symbols();
    put_relocations();
    put_dynamic();
    put_segments();
    return std::move(out_);
  }

 private:
  bool wide() const { return is_wide(plan_.machine); }
  std::size_t word() const { return wide() ? 8 : 4; }
  std::size_t header_size() const { return wide() ? 64 : 52; }
  std::size_t segment_size() const { return wide() ? 56 : 32; }

  void put(std::uint64_t value, std::size_t size) { append_number(out_, value, size); }
  void put_word(std::uint64_t value) { put(value, word()); }
  std::uint64_t here() {
    while (out_.size() % 8 != 0) put(0, 1);
    return out_.size();
  }

  void put_header() {
    static constexpr std::uint64_t kNumbers[] = {40, 183, 3, 62};  // arm, arm64, x86, x86_64
    put(0x464c457f, 4);
    put(wide() ? 2 : 1, 1);
    put(1, 1);   // little-endian
    put(1, 10);  // version, and padding
    put(3, 2);   // shared object
    put(kNumbers[static_cast<std::size_t>(plan_.machine)], 2);
    put(1, 4);
    put_word(0);              // entry
    put_word(header_size());  // program headers
    put_word(0);              // sections
    put(0, 4);
    put(header_size(), 2);
    put(segment_size(), 2);
    put(2, 2);
    put(0, 6);
    out_.resize(header_size() + 2 * segment_size());
  }

  std::uint64_t name(const std::string& text) {
    const std::uint64_t at = strings_.size();
    strings_ += text;
    strings_ += '\0';
    return at;
  }

  void put_symbol(std::uint64_t name_at, std::uint64_t address, bool defined) {
    const std::uint64_t info = name_at == 0 ? 0 : 0x12;  // global function
    put(name_at, 4);
    if (wide()) {
      put(info, 2);
      put(defined ? 1 : 0, 2);
      put(address, 8);
      put(0, 8);
    } else {
      put(address, 4);
      put(0, 4);
      put(info, 2);
      put(defined ? 1 : 0, 2);
    }
  }

  void put_strings_and_symbols() {
    strings_.assign(1, '\0');
    symbols_ = here();
    put_symbol(0, 0, false);
    for (const ElfPlan::Import& import : plan_.imports) put_symbol(name(import.name), 0, false);
    for (const ElfPlan::Export& symbol : plan_.exports) {
      put_symbol(name(symbol.name), symbol.address, true);
    }
    if (!plan_.soname.empty()) soname_ = name(plan_.soname);
    for (const std::string& needed : plan_.needed) needed_.push_back(name(needed));
    strings_at_ = here();
    for (const char c : strings_) put(static_cast<unsigned char>(c), 1);
    hash_ = here();
    const std::uint64_t first = 1 + plan_.imports.size();
    const std::uint64_t count = first + plan_.exports.size();
    if (!plan_.gnu_hash) {
      put(1, 4);
      put(count, 4);
      put(0, 4 * (1 + count));
      return;
    }
    put(1, 4);  // buckets
    put(first, 4);
    put(3, 4);  // words of the bloom filter, each as wide as the machine's
    put(0, 4);
    for (int i = 0; i < 3; ++i) put_word(~std::uint64_t{0});
    put(plan_.exports.empty() ? 0 : first, 4);
    for (std::size_t i = 0; i < plan_.exports.size(); ++i) {
      put(i + 1 == plan_.exports.size() ? 1 : 2, 4);
    }
  }

  void put_relocations() {
    for (const bool plt : {false, true}) {
      const std::uint64_t begin = here();
      for (std::size_t i = 0; i < plan_.imports.size(); ++i) {
        const ElfPlan::Import& import = plan_.imports[i];
        if (import.through_plt != plt) continue;
        put_word(import.slot);
        put_word((std::uint64_t{i + 1} << (wide() ? 32 : 8)) | import.relocation);
        if (wide()) put_word(0);  // the 64-bit machines have addends
      }
      (plt ? jumps_ : relocations_) = {begin, out_.size() - begin};
    }
  }

  void put_entry(std::uint64_t tag, std::uint64_t value) {
    put_word(tag);
    put_word(value);
  }

  void put_dynamic() {
    dynamic_ = here();
    for (const std::uint64_t at : needed_) put_entry(1, at);
    if (soname_ != 0) put_entry(14, soname_);
    put_entry(5, kLinkedAt + strings_at_);
    put_entry(10, strings_.size());
    put_entry(6, kLinkedAt + symbols_);
    put_entry(plan_.gnu_hash ? 0x6ffffef5 : 4, kLinkedAt + hash_);
    put_entry(wide() ? 7 : 17, kLinkedAt + relocations_.first);
    put_entry(wide() ? 8 : 18, relocations_.second);
    put_entry(20, wide() ? 7 : 17);
    put_entry(23, kLinkedAt + jumps_.first);
    put_entry(2, jumps_.second);
    put_entry(0, 0);
  }

  void put_segment(std::size_t at, std::uint64_t type, std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t flags = 5;  // read, execute
    const std::size_t w = word();
    overwrite(out_, at, type, 4);
    if (wide()) overwrite(out_, at + 4, flags, 4);
    std::size_t field = at + w;  // the flags' place, or the padding's
    for (const std::uint64_t value : {offset, kLinkedAt + offset, kLinkedAt + offset, size, size}) {
      overwrite(out_, field, value, w);
      field += w;
    }
    if (!wide()) overwrite(out_, field, flags, 4);
  }

  void put_segments() {
    put_segment(header_size(), 1, 0, out_.size());
    put_segment(header_size() + segment_size(), 2, dynamic_, out_.size() - dynamic_);
  }

  ElfPlan plan_;
  Bytes out_;
  std::string strings_;
  std::vector<std::uint64_t> needed_;
  std::uint64_t soname_ = 0, symbols_ = 0, strings_at_ = 0, hash_ = 0, dynamic_ = 0;
  std::pair<std::uint64_t, std::uint64_t> relocations_, jumps_;
};

}  // namespace touchmark::attester::testing
