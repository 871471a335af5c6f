#include "attester/checks/elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace touchmark::attester::checks {
namespace {

// What an ELF file says of its machine, and its relocations that put a function's address into a
// pointer.
struct MachineCodes {
  std::uint16_t machine;
  std::uint32_t jump_slot;
  std::uint32_t global_data;
  std::uint32_t absolute;
};
constexpr MachineCodes codes_of(Machine machine) {
  switch (machine) {
    case Machine::kArm:
      return {EM_ARM, R_ARM_JUMP_SLOT, R_ARM_GLOB_DAT, R_ARM_ABS32};
    case Machine::kArm64:
      return {EM_AARCH64, R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_ABS64};
    case Machine::kX86:
      return {EM_386, R_386_JMP_SLOT, R_386_GLOB_DAT, R_386_32};
    case Machine::kX86_64:
      break;
  }
  return {EM_X86_64, R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_64};
}

// The layouts of the two widths of ELF.
struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Entry = Elf32_Dyn;
  using Symbol = Elf32_Sym;
  using Relocation = Elf32_Rel;
  using RelocationWithAddend = Elf32_Rela;
  static constexpr unsigned char kClass = ELFCLASS32;
  static constexpr std::uint32_t kBloomWord = 4;
  static std::uint64_t type_of(std::uint32_t info) { return ELF32_R_TYPE(info); }
  static std::uint64_t symbol_of(std::uint32_t info) { return ELF32_R_SYM(info); }
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Entry = Elf64_Dyn;
  using Symbol = Elf64_Sym;
  using Relocation = Elf64_Rel;
  using RelocationWithAddend = Elf64_Rela;
  static constexpr unsigned char kClass = ELFCLASS64;
  static constexpr std::uint32_t kBloomWord = 8;
  static std::uint64_t type_of(std::uint64_t info) { return ELF64_R_TYPE(info); }
  static std::uint64_t symbol_of(std::uint64_t info) { return ELF64_R_SYM(info); }
};

// The type of a symbol is in the same bits of both.
constexpr unsigned symbol_type(unsigned char info) { return info & 0xfU; }
constexpr unsigned char kIndirectFunction = 10;  // STT_GNU_IFUNC

// One table entry out of the image, wherever it is aligned.
template <class T>
std::optional<T> read_at(ByteView image, std::uint64_t offset) {
  if (offset > image.size() || sizeof(T) > image.size() - offset) return std::nullopt;
  T out;
  std::memcpy(&out, image.data() + offset, sizeof out);
  return out;
}

// The dynamic section's numbers.
struct Dynamic {
  std::uint64_t symbols = 0, strings = 0, strings_size = 0;
  std::uint64_t gnu_hash = 0, hash = 0;
  std::uint64_t relocations = 0, relocations_size = 0;      // without addends
  std::uint64_t relocations_a = 0, relocations_a_size = 0;  // with them
  std::uint64_t jumps = 0, jumps_size = 0;
  bool jumps_have_addends = false;
  std::uint64_t soname = 0;
  bool has_soname = false;
  std::vector<std::uint64_t> needed;
};

template <class Elf>
class Reader {
 public:
  Reader(ByteView image, const MachineCodes& codes) : image_(image), codes_(codes) {}

  Result<ElfImage> read() {
    const auto header = read_at<typename Elf::Header>(image_, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != Elf::kClass || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != codes_.machine ||
        header->e_phentsize != sizeof(typename Elf::Segment)) {
      return fail(ElfError::kNotElf, "not an ELF image of this machine");
    }
    std::optional<typename Elf::Segment> dynamic;
    for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
      const auto segment = read_at<typename Elf::Segment>(
          image_, header->e_phoff + i * sizeof(typename Elf::Segment));
      if (!segment) return fail(ElfError::kTruncated, "program headers lie outside the image");
      if (segment->p_type == PT_DYNAMIC) dynamic = segment;
      if (segment->p_type != PT_LOAD) continue;
      out_.segments.push_back(
          {segment->p_offset, segment->p_vaddr, segment->p_filesz, (segment->p_flags & PF_X) != 0});
    }
    if (dynamic) {
      read_dynamic(*dynamic);
      read_symbols();
    }
    return std::move(out_);
  }

 private:
  // The file offset of a linked address; the image's size (where nothing can be read) when none.
  std::uint64_t offset_of(std::uint64_t address) const {
    for (const ElfSegment& segment : out_.segments) {
      if (address >= segment.address && address - segment.address < segment.file_size) {
        return segment.offset + (address - segment.address);
      }
    }
    return image_.size();
  }

  std::string string_at(std::uint64_t index) const {
    const std::uint64_t offset = offset_of(dynamic_.strings);
    if (index >= dynamic_.strings_size || offset >= image_.size() ||
        index >= image_.size() - offset) {
      return {};
    }
    const std::string_view rest = as_text(image_.subspan(static_cast<std::size_t>(offset + index)));
    return std::string(rest.substr(0, std::min(rest.find('\0'), std::size_t{4096})));
  }

  void read_dynamic(const typename Elf::Segment& segment) {
    const std::uint64_t count = segment.p_filesz / sizeof(typename Elf::Entry);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto entry =
          read_at<typename Elf::Entry>(image_, segment.p_offset + i * sizeof(typename Elf::Entry));
      if (!entry || entry->d_tag == DT_NULL) break;
      read_entry(*entry);
    }
    if (dynamic_.has_soname) out_.soname = string_at(dynamic_.soname);
    for (const std::uint64_t index : dynamic_.needed) out_.needed.push_back(string_at(index));
  }

  void read_entry(const typename Elf::Entry& entry) {
    const std::uint64_t value = entry.d_un.d_ptr;
    switch (entry.d_tag) {
      case DT_SYMTAB:
        dynamic_.symbols = value;
        break;
      case DT_STRTAB:
        dynamic_.strings = value;
        break;
      case DT_STRSZ:
        dynamic_.strings_size = value;
        break;
      case DT_GNU_HASH:
        dynamic_.gnu_hash = value;
        break;
      case DT_HASH:
        dynamic_.hash = value;
        break;
      case DT_REL:
        dynamic_.relocations = value;
        break;
      case DT_RELSZ:
        dynamic_.relocations_size = value;
        break;
      case DT_RELA:
        dynamic_.relocations_a = value;
        break;
      case DT_RELASZ:
        dynamic_.relocations_a_size = value;
        break;
      case DT_PLTREL:
        dynamic_.jumps_have_addends = value == DT_RELA;
        break;
      case DT_JMPREL:
        dynamic_.jumps = value;
        break;
      case DT_PLTRELSZ:
        dynamic_.jumps_size = value;
        break;
      case DT_SONAME:
        dynamic_.soname = value;
        dynamic_.has_soname = true;
        break;
      case DT_NEEDED:
        dynamic_.needed.push_back(value);
        break;
      default:
        break;
    }
  }

  void read_symbols() {
    const std::uint64_t symbols = offset_of(dynamic_.symbols);
    const std::uint64_t count = symbol_count();
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto symbol =
          read_at<typename Elf::Symbol>(image_, symbols + i * sizeof(typename Elf::Symbol));
      if (!symbol) break;
      const unsigned type = symbol_type(symbol->st_info);
      if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != kIndirectFunction))
        continue;
      out_.exports.push_back(
          {string_at(symbol->st_name), symbol->st_value, type == kIndirectFunction});
    }
    using Plain = typename Elf::Relocation;
    using WithAddend = typename Elf::RelocationWithAddend;
    if (dynamic_.jumps_have_addends) {
      read_imports<WithAddend>(symbols, dynamic_.jumps, dynamic_.jumps_size);
    } else {
      read_imports<Plain>(symbols, dynamic_.jumps, dynamic_.jumps_size);
    }
    read_imports<Plain>(symbols, dynamic_.relocations, dynamic_.relocations_size);
    read_imports<WithAddend>(symbols, dynamic_.relocations_a, dynamic_.relocations_a_size);
  }

  template <class Relocation>
  void read_imports(std::uint64_t symbols, std::uint64_t table, std::uint64_t size) {
    const std::uint64_t offset = offset_of(table);
    for (std::uint64_t i = 0; i < size / sizeof(Relocation); ++i) {
      const auto entry = read_at<Relocation>(image_, offset + i * sizeof(Relocation));
      if (!entry) break;
      const std::uint64_t type = Elf::type_of(entry->r_info);
      if (type != codes_.jump_slot && type != codes_.global_data && type != codes_.absolute) {
        continue;
      }
      const std::uint64_t index = Elf::symbol_of(entry->r_info);
      const auto symbol =
          read_at<typename Elf::Symbol>(image_, symbols + index * sizeof(typename Elf::Symbol));
      // Data may move into the executable by a copy relocation, so only functions are judged.
      if (!symbol || symbol->st_shndx != SHN_UNDEF || symbol_type(symbol->st_info) != STT_FUNC) {
        continue;
      }
      out_.imports.push_back({string_at(symbol->st_name), entry->r_offset});
    }
  }

  // The dynamic section does not say how many symbols there are; the hash tables do.
  std::uint64_t symbol_count() const {
    if (dynamic_.hash != 0) {
      const auto count = read_at<std::uint32_t>(image_, offset_of(dynamic_.hash) + 4);
      if (count) return *count;
    }
    return dynamic_.gnu_hash == 0 ? 0 : gnu_symbol_count(offset_of(dynamic_.gnu_hash));
  }

  // Layout: bucket count, first hashed symbol, bloom words, shift; bloom filter; buckets; chains,
  // whose last element has its lowest bit set.
  std::uint64_t gnu_symbol_count(std::uint64_t table) const {
    const auto buckets = read_at<std::uint32_t>(image_, table);
    const auto first = read_at<std::uint32_t>(image_, table + 4);
    const auto bloom = read_at<std::uint32_t>(image_, table + 8);
    if (!buckets || !first || !bloom) return 0;
    const std::uint64_t bucket_table = table + 16 + std::uint64_t{*bloom} * Elf::kBloomWord;
    std::uint32_t last = 0;
    for (std::uint64_t i = 0; i < *buckets; ++i) {
      const auto head = read_at<std::uint32_t>(image_, bucket_table + i * 4);
      if (!head) return 0;
      last = std::max(last, *head);
    }
    if (last < *first) return *first;
    const std::uint64_t chains = bucket_table + std::uint64_t{*buckets} * 4;
    for (std::uint64_t i = last - *first;; ++i) {
      const auto link = read_at<std::uint32_t>(image_, chains + i * 4);
      if (!link) return 0;
      if ((*link & 1) != 0) return *first + i + 1;
    }
  }

  ByteView image_;
  MachineCodes codes_;
  ElfImage out_;
  Dynamic dynamic_;
};

}  // namespace

std::string_view error_id(ElfError error) {
  using enum ElfError;
  static constexpr auto kIds = error_table<ElfError>({
      {kNotElf, "elf.not-elf"},
      {kTruncated, "elf.truncated"},
  });
  return kIds[error];
}

Result<ElfImage> parse_elf(ByteView image, Machine machine) {
  const MachineCodes codes = codes_of(machine);
  if (machine == Machine::kArm || machine == Machine::kX86)
    return Reader<Elf32>(image, codes).read();
  return Reader<Elf64>(image, codes).read();
}

}  // namespace touchmark::attester::checks
