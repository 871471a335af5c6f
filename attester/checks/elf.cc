#include "attester/checks/elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>

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
  using Word = std::uint32_t;
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
  using Word = std::uint64_t;
  static std::uint64_t type_of(std::uint64_t info) { return ELF64_R_TYPE(info); }
  static std::uint64_t symbol_of(std::uint64_t info) { return ELF64_R_SYM(info); }
};

// Type and binding of a symbol are in the same bits of both.
constexpr unsigned symbol_type(unsigned char info) { return info & 0xfU; }
constexpr unsigned symbol_binding(unsigned char info) { return info >> 4U; }
constexpr unsigned char kIndirectFunction = 10;  // STT_GNU_IFUNC

// Relocations without a symbol, a bit for each word (gABI's DT_RELR), and Android's name for them
// before that was agreed on (bionic/libc/include/elf.h).
constexpr std::int32_t kRelr = 36, kRelrSize = 35;
constexpr std::int32_t kAndroidRelr = 0x6fffe000, kAndroidRelrSize = 0x6fffe001;
// Packed tables of relocations with symbols (bionic/tools/relocation_packer): "APS2", then signed
// LEB128 numbers.
constexpr std::int32_t kAndroidRel = 0x6000000f, kAndroidRelSize = 0x60000010;
constexpr std::int32_t kAndroidRela = 0x60000011, kAndroidRelaSize = 0x60000012;
constexpr std::uint64_t kWritesCode = 4;                           // DF_TEXTREL
constexpr std::uint64_t kMaxRelocations = std::uint64_t{1} << 22;  // far more than a browser has

// The numbers of a packed table. Past its end they are 0, and ended() holds.
class PackedNumbers {
 public:
  explicit PackedNumbers(ByteView bytes) : bytes_(bytes) {}

  std::uint64_t next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (at_ >= bytes_.size() || shift > 63) {
        ended_ = true;
        return 0;
      }
      const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return value;
    }
  }
  bool ended() const { return ended_; }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

// An image, read in blocks, each once: most of it is code and data, which no table is made of.
// Tables are read side by side and in any order, so no block is given up before the end.
class BlockReader {
 public:
  explicit BlockReader(const Source& source) : source_(source), size_(source.size()) {}

  std::uint64_t size() const { return size_; }

  // One table entry, wherever it is aligned.
  template <class T>
  std::optional<T> read_at(std::uint64_t offset) {
    T out;
    if (!copy(offset, std::as_writable_bytes(std::span(&out, 1)))) return std::nullopt;
    return out;
  }

  // A piece that is read once and whole; empty where it cannot be read.
  Bytes read_piece(std::uint64_t offset, std::uint64_t size) const {
    Bytes out(static_cast<std::size_t>(size));
    if (!source_.read_at(offset, out)) out.clear();
    return out;
  }

 private:
  static constexpr std::uint64_t kBlock = 16 * 1024;

  bool copy(std::uint64_t offset, std::span<std::byte> out) {
    if (offset > size_ || out.size() > size_ - offset) return false;
    while (!out.empty()) {
      const Bytes& bytes = block(offset / kBlock);
      const auto at = static_cast<std::size_t>(offset % kBlock);
      if (at >= bytes.size()) return false;
      const std::size_t count = std::min(bytes.size() - at, out.size());
      std::memcpy(out.data(), bytes.data() + at, count);
      offset += count;
      out = out.subspan(count);
    }
    return true;
  }

  // Empty where it cannot be read.
  const Bytes& block(std::uint64_t number) {
    if (last_ != nullptr && number == last_number_) return *last_;
    const auto [place, added] = blocks_.try_emplace(number);
    if (added) {
      place->second.resize(static_cast<std::size_t>(std::min(kBlock, size_ - number * kBlock)));
      if (!source_.read_at(number * kBlock, place->second)) place->second.clear();
    }
    last_number_ = number;
    last_ = &place->second;
    return *last_;
  }

  const Source& source_;
  std::uint64_t size_;
  std::unordered_map<std::uint64_t, Bytes> blocks_;
  std::uint64_t last_number_ = 0;
  const Bytes* last_ = nullptr;
};

// The dynamic section's numbers.
struct Dynamic {
  std::uint64_t symbols = 0, strings = 0, strings_size = 0;
  std::uint64_t gnu_hash = 0, hash = 0;
  std::uint64_t relocations = 0, relocations_size = 0;      // without addends
  std::uint64_t relocations_a = 0, relocations_a_size = 0;  // with them
  std::uint64_t jumps = 0, jumps_size = 0;
  bool jumps_have_addends = false;
  std::uint64_t packed = 0, packed_size = 0;
  std::uint64_t bits = 0, bits_size = 0;  // DT_RELR
  bool writes_code = false;
  std::uint64_t soname = 0;
  bool has_soname = false;
  std::vector<std::uint64_t> needed;
};

template <class Elf>
class Reader {
 public:
  Reader(const Source& image, const MachineCodes& codes) : image_(image), codes_(codes) {}

  Result<ElfImage> read() {
    const Result<void> headers = read_headers();
    if (!headers) return pass(headers);
    if (dynamic_segment_) {
      read_dynamic(*dynamic_segment_);
      read_symbols();
      read_relocations();
    }
    return std::move(out_);
  }

  Result<std::vector<ElfSegment>> segments() {
    const Result<void> headers = read_headers();
    if (!headers) return pass(headers);
    return std::move(out_.segments);
  }

 private:
  Result<void> read_headers() {
    const auto header = read_at<typename Elf::Header>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != Elf::kClass || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != codes_.machine ||
        header->e_phentsize != sizeof(typename Elf::Segment)) {
      return fail(ElfError::kNotElf, "not an ELF image of this machine");
    }
    for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
      const auto segment =
          read_at<typename Elf::Segment>(header->e_phoff + i * sizeof(typename Elf::Segment));
      if (!segment) return fail(ElfError::kTruncated, "program headers lie outside the image");
      if (segment->p_type == PT_DYNAMIC) dynamic_segment_ = segment;
      if (segment->p_type == PT_GNU_RELRO) {
        read_only_ = {segment->p_vaddr, segment->p_memsz};
      }
      if (segment->p_type != PT_LOAD) continue;
      out_.segments.push_back({.offset = segment->p_offset,
                               .address = segment->p_vaddr,
                               .file_size = segment->p_filesz,
                               .readable = (segment->p_flags & PF_R) != 0,
                               .executable = (segment->p_flags & PF_X) != 0});
    }
    return {};
  }

  template <class T>
  std::optional<T> read_at(std::uint64_t offset) {
    return image_.template read_at<T>(offset);
  }

  // The file offset of a linked address; the image's size (where nothing can be read) when none.
  std::uint64_t offset_of(std::uint64_t address) const {
    for (const ElfSegment& segment : out_.segments) {
      if (address >= segment.address && address - segment.address < segment.file_size) {
        return segment.offset + (address - segment.address);
      }
    }
    return image_.size();
  }

  std::string_view string_at(std::uint64_t index) const {
    if (!out_.strings || index >= out_.strings->size()) return {};
    const std::string_view rest =
        std::string_view(*out_.strings).substr(static_cast<std::size_t>(index));
    return rest.substr(0, std::min(rest.find('\0'), std::size_t{4096}));
  }

  void copy_strings() {
    const std::uint64_t offset = offset_of(dynamic_.strings);
    if (offset >= image_.size()) return;
    const std::uint64_t size =
        std::min<std::uint64_t>(dynamic_.strings_size, image_.size() - offset);
    out_.strings = std::make_shared<const std::string>(to_string(image_.read_piece(offset, size)));
  }

  void read_dynamic(const typename Elf::Segment& segment) {
    const std::uint64_t count = segment.p_filesz / sizeof(typename Elf::Entry);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto entry =
          read_at<typename Elf::Entry>(segment.p_offset + i * sizeof(typename Elf::Entry));
      if (!entry || entry->d_tag == DT_NULL) break;
      read_entry(*entry);
    }
    copy_strings();
    if (dynamic_.has_soname) out_.soname = string_at(dynamic_.soname);
    for (const std::uint64_t index : dynamic_.needed) out_.needed.emplace_back(string_at(index));
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
      case kAndroidRel:
      case kAndroidRela:
        dynamic_.packed = value;
        break;
      case kAndroidRelSize:
      case kAndroidRelaSize:
        dynamic_.packed_size = value;
        break;
      case kRelr:
      case kAndroidRelr:
        dynamic_.bits = value;
        break;
      case kRelrSize:
      case kAndroidRelrSize:
        dynamic_.bits_size = value;
        break;
      case DT_TEXTREL:
        dynamic_.writes_code = true;
        break;
      case DT_FLAGS:
        dynamic_.writes_code = dynamic_.writes_code || (value & kWritesCode) != 0;
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
    constexpr std::uint64_t kMostAtOnce = 16 * 1024;  // a count is a claim
    out_.exports.reserve(static_cast<std::size_t>(std::min(count, kMostAtOnce)));
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto symbol = read_at<typename Elf::Symbol>(symbols + i * sizeof(typename Elf::Symbol));
      if (!symbol) break;
      const unsigned type = symbol_type(symbol->st_info);
      // Assembly may leave its functions without a type.
      const bool code = type == STT_FUNC || type == STT_NOTYPE || type == kIndirectFunction;
      if (symbol->st_shndx == SHN_UNDEF || symbol_binding(symbol->st_info) == STB_LOCAL || !code) {
        continue;
      }
      out_.exports.push_back(
          {string_at(symbol->st_name), symbol->st_value, type == kIndirectFunction});
    }
  }

  void read_relocations() {
    using Plain = typename Elf::Relocation;
    using WithAddend = typename Elf::RelocationWithAddend;
    if (dynamic_.jumps_have_addends) {
      read_table<WithAddend>(dynamic_.jumps, dynamic_.jumps_size);
    } else {
      read_table<Plain>(dynamic_.jumps, dynamic_.jumps_size);
    }
    read_table<Plain>(dynamic_.relocations, dynamic_.relocations_size);
    read_table<WithAddend>(dynamic_.relocations_a, dynamic_.relocations_a_size);
    read_packed();
    if (dynamic_.writes_code) read_bits();
    std::ranges::sort(out_.text_relocations);
  }

  template <class Relocation>
  void read_table(std::uint64_t table, std::uint64_t size) {
    const std::uint64_t offset = offset_of(table);
    for (std::uint64_t i = 0; i < size / sizeof(Relocation); ++i) {
      const auto entry = read_at<Relocation>(offset + i * sizeof(Relocation));
      if (!entry) break;
      std::uint64_t addend = 0;
      if constexpr (requires { entry->r_addend; }) {
        addend = static_cast<std::uint64_t>(std::int64_t{entry->r_addend});
      } else if (Elf::type_of(entry->r_info) == codes_.absolute) {
        addend = read_at<typename Elf::Word>(offset_of(entry->r_offset)).value_or(0);
      }
      take(entry->r_offset, entry->r_info, addend);
    }
  }

  // Groups of relocations that share what their flags name
  // (bionic/linker/linker_reloc_iterators.h).
  void read_packed() {
    constexpr std::string_view kMagic = "APS2";
    constexpr std::uint64_t kSameInfo = 1, kSameDistance = 2, kSameAddend = 4, kAddends = 8;
    const std::uint64_t offset = offset_of(dynamic_.packed);
    if (dynamic_.packed_size == 0 || offset >= image_.size()) return;
    const std::uint64_t size =
        std::min<std::uint64_t>(dynamic_.packed_size, image_.size() - offset);
    const Bytes table = image_.read_piece(offset, size);
    if (!as_text(table).starts_with(kMagic)) return;
    PackedNumbers numbers(ByteView(table).subspan(kMagic.size()));
    const std::uint64_t count = std::min(numbers.next(), kMaxRelocations);
    std::uint64_t place = numbers.next();
    std::uint64_t info = 0;
    std::uint64_t addend = 0;
    for (std::uint64_t done = 0; done < count && !numbers.ended();) {
      const std::uint64_t group = std::min(numbers.next(), count - done);
      if (group == 0) return;
      const std::uint64_t flags = numbers.next();
      const std::uint64_t distance = (flags & kSameDistance) != 0 ? numbers.next() : 0;
      if ((flags & kSameInfo) != 0) info = numbers.next();
      const std::uint64_t addends = flags & (kAddends | kSameAddend);
      if (addends == (kAddends | kSameAddend)) addend += numbers.next();
      if ((addends & kAddends) == 0) addend = 0;
      for (std::uint64_t i = 0; i < group && !numbers.ended(); ++i) {
        place += (flags & kSameDistance) != 0 ? distance : numbers.next();
        if ((flags & kSameInfo) == 0) info = numbers.next();
        if (addends == kAddends) addend += numbers.next();
        if (!numbers.ended()) {
          take(static_cast<typename Elf::Word>(place), static_cast<typename Elf::Word>(info),
               addend);
        }
      }
      done += group;
    }
  }

  // An even word is an address; an odd one has a bit for each of the words that follow it.
  void read_bits() {
    using Word = typename Elf::Word;
    const std::uint64_t offset = offset_of(dynamic_.bits);
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < dynamic_.bits_size / sizeof(Word); ++i) {
      const auto entry = read_at<Word>(offset + i * sizeof(Word));
      if (!entry) break;
      if ((*entry & 1) == 0) {
        take_place(*entry);
        next = *entry + sizeof(Word);
        continue;
      }
      for (unsigned bit = 1; bit < 8 * sizeof(Word); ++bit) {
        if ((*entry >> bit & 1) != 0) take_place(next + (bit - 1) * sizeof(Word));
      }
      next += (8 * sizeof(Word) - 1) * sizeof(Word);
    }
  }

  void take_place(std::uint64_t place) {
    if (!dynamic_.writes_code) return;
    const bool code = std::ranges::any_of(out_.segments, [place](const ElfSegment& segment) {
      return segment.executable && place >= segment.address &&
             place - segment.address < segment.file_size;
    });
    if (code) out_.text_relocations.push_back(place);
  }

  void take(std::uint64_t place, typename Elf::Word info, std::uint64_t addend) {
    take_place(place);
    const std::uint64_t type = Elf::type_of(info);
    if (type != codes_.jump_slot && type != codes_.global_data && type != codes_.absolute) return;
    const auto symbol = read_at<typename Elf::Symbol>(
        offset_of(dynamic_.symbols) + Elf::symbol_of(info) * sizeof(typename Elf::Symbol));
    // Data may move into the executable by a copy relocation, so only functions are judged.
    if (!symbol || symbol_type(symbol->st_info) != STT_FUNC) return;
    const bool pointer = type == codes_.absolute;
    // Of the pointers in its data, those to its own functions are its own business.
    if (pointer && symbol->st_shndx != SHN_UNDEF) return;
    const bool stays =
        !pointer || (place >= read_only_.first && place - read_only_.first < read_only_.second);
    out_.imports.push_back({.name = string_at(symbol->st_name),
                            .slot = place,
                            .addend = type == codes_.jump_slot ? 0 : addend,
                            .variable = !stays});
  }

  // The dynamic section does not say how many symbols there are; the hash tables do.
  std::uint64_t symbol_count() {
    if (dynamic_.hash != 0) {
      const auto count = read_at<std::uint32_t>(offset_of(dynamic_.hash) + 4);
      if (count) return *count;
    }
    return dynamic_.gnu_hash == 0 ? 0 : gnu_symbol_count(offset_of(dynamic_.gnu_hash));
  }

  // Layout: bucket count, first hashed symbol, bloom words, shift; bloom filter; buckets; chains,
  // whose last element has its lowest bit set.
  std::uint64_t gnu_symbol_count(std::uint64_t table) {
    const auto buckets = read_at<std::uint32_t>(table);
    const auto first = read_at<std::uint32_t>(table + 4);
    const auto bloom = read_at<std::uint32_t>(table + 8);
    if (!buckets || !first || !bloom) return 0;
    const std::uint64_t bucket_table = table + 16 + std::uint64_t{*bloom} * Elf::kBloomWord;
    std::uint32_t last = 0;
    for (std::uint64_t i = 0; i < *buckets; ++i) {
      const auto head = read_at<std::uint32_t>(bucket_table + i * 4);
      if (!head) return 0;
      last = std::max(last, *head);
    }
    if (last < *first) return *first;
    const std::uint64_t chains = bucket_table + std::uint64_t{*buckets} * 4;
    for (std::uint64_t i = last - *first;; ++i) {
      const auto link = read_at<std::uint32_t>(chains + i * 4);
      if (!link) return 0;
      if ((*link & 1) != 0) return *first + i + 1;
    }
  }

  BlockReader image_;
  MachineCodes codes_;
  std::optional<typename Elf::Segment> dynamic_segment_;
  std::pair<std::uint64_t, std::uint64_t> read_only_;  // once loaded: address and size
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

Result<ElfImage> parse_elf(const Source& image, Machine machine) {
  const MachineCodes codes = codes_of(machine);
  return is_wide(machine) ? Reader<Elf64>(image, codes).read() : Reader<Elf32>(image, codes).read();
}

Result<ElfImage> parse_elf(ByteView image, Machine machine) {
  return parse_elf(ViewSource(image), machine);
}

Result<std::vector<ElfSegment>> parse_segments(const Source& image, Machine machine) {
  const MachineCodes codes = codes_of(machine);
  return is_wide(machine) ? Reader<Elf64>(image, codes).segments()
                          : Reader<Elf32>(image, codes).segments();
}

Result<std::vector<ElfSegment>> parse_segments(ByteView image, Machine machine) {
  return parse_segments(ViewSource(image), machine);
}

}  // namespace touchmark::attester::checks
