#include "attester/checks/elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace touchmark::attester::checks {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
constexpr std::uint32_t kJumpSlot = R_X86_64_JUMP_SLOT;
constexpr std::uint32_t kGlobalData = R_X86_64_GLOB_DAT;
constexpr std::uint32_t kAbsolute = R_X86_64_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
constexpr std::uint32_t kJumpSlot = R_AARCH64_JUMP_SLOT;
constexpr std::uint32_t kGlobalData = R_AARCH64_GLOB_DAT;
constexpr std::uint32_t kAbsolute = R_AARCH64_ABS64;
#endif
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
  std::uint64_t relocations = 0, relocations_size = 0;
  std::uint64_t jumps = 0, jumps_size = 0;
  std::uint64_t soname = 0;
  bool has_soname = false;
  std::vector<std::uint64_t> needed;
};

class Reader {
 public:
  explicit Reader(ByteView image) : image_(image) {}

  Result<ElfImage> read() {
    const auto header = read_at<Elf64_Ehdr>(image_, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != kMachine || header->e_phentsize != sizeof(Elf64_Phdr)) {
      return fail(ElfError::kNotElf, "not an ELF image of this machine");
    }
    std::optional<Elf64_Phdr> dynamic;
    for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
      const auto segment = read_at<Elf64_Phdr>(image_, header->e_phoff + i * sizeof(Elf64_Phdr));
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

  void read_dynamic(const Elf64_Phdr& segment) {
    const std::uint64_t count = segment.p_filesz / sizeof(Elf64_Dyn);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto entry = read_at<Elf64_Dyn>(image_, segment.p_offset + i * sizeof(Elf64_Dyn));
      if (!entry || entry->d_tag == DT_NULL) break;
      read_entry(*entry);
    }
    if (dynamic_.has_soname) out_.soname = string_at(dynamic_.soname);
    for (const std::uint64_t index : dynamic_.needed) out_.needed.push_back(string_at(index));
  }

  void read_entry(const Elf64_Dyn& entry) {
    const std::uint64_t value = entry.d_un.d_val;
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
      case DT_RELA:
        dynamic_.relocations = value;
        break;
      case DT_RELASZ:
        dynamic_.relocations_size = value;
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
      const auto symbol = read_at<Elf64_Sym>(image_, symbols + i * sizeof(Elf64_Sym));
      if (!symbol) break;
      const unsigned type = ELF64_ST_TYPE(symbol->st_info);
      if (symbol->st_shndx == SHN_UNDEF || (type != STT_FUNC && type != kIndirectFunction))
        continue;
      out_.exports.push_back(
          {string_at(symbol->st_name), symbol->st_value, type == kIndirectFunction});
    }
    read_imports(symbols, dynamic_.jumps, dynamic_.jumps_size);
    read_imports(symbols, dynamic_.relocations, dynamic_.relocations_size);
  }

  void read_imports(std::uint64_t symbols, std::uint64_t table, std::uint64_t size) {
    const std::uint64_t offset = offset_of(table);
    for (std::uint64_t i = 0; i < size / sizeof(Elf64_Rela); ++i) {
      const auto entry = read_at<Elf64_Rela>(image_, offset + i * sizeof(Elf64_Rela));
      if (!entry) break;
      const std::uint64_t type = ELF64_R_TYPE(entry->r_info);
      if (type != kJumpSlot && type != kGlobalData && type != kAbsolute) continue;
      const std::uint64_t index = ELF64_R_SYM(entry->r_info);
      const auto symbol = read_at<Elf64_Sym>(image_, symbols + index * sizeof(Elf64_Sym));
      // Data may move into the executable by a copy relocation, so only functions are judged.
      if (!symbol || symbol->st_shndx != SHN_UNDEF || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC) {
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
    const std::uint64_t bucket_table = table + 16 + std::uint64_t{*bloom} * 8;
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

Result<ElfImage> parse_elf(ByteView image) { return Reader(image).read(); }

}  // namespace touchmark::attester::checks
