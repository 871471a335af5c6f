#include "attester/testing/phone_image.h"

#include <algorithm>
#include <utility>

#include "attester/testing/little_endian.h"

namespace touchmark::attester::testing {
namespace {

struct Codes {  // e_machine, and relocation types
  std::uint64_t machine, jump_slot, global_data, absolute, relative;
};
Codes codes_of(Machine machine) {
  switch (machine) {
    case Machine::kArm:
      return {40, 22, 21, 2, 23};
    case Machine::kArm64:
      return {183, 1026, 1025, 257, 1027};
    case Machine::kX86:
      return {3, 7, 6, 1, 8};
    case Machine::kX86_64:
      break;
  }
  return {62, 7, 6, 1, 8};
}

struct Relocation {
  std::uint64_t place = 0;
  std::uint64_t type = 0;
  std::uint64_t symbol = 0;
};

class Writer {
 public:
  explicit Writer(const PhoneImagePlan& plan) : codes_(codes_of(plan.machine)) { out_.plan = plan; }

  PhoneImage make() {
    plan_layout();
    put_tables();
    put_code();
    put_data();
    put_headers();
    return std::move(out_);
  }

 private:
  const PhoneImagePlan& plan() const { return out_.plan; }
  bool wide() const { return is_wide(plan().machine); }
  std::uint64_t word() const { return out_.word(); }
  std::uint64_t aligned(std::uint64_t at, std::uint64_t to) const {
    return (at + to - 1) / to * to;
  }

  void put(std::uint64_t value, std::uint64_t size) { append_number(out_.bytes, value, size); }
  void put_word(std::uint64_t value) { put(value, word()); }
  std::uint64_t here(std::uint64_t to = 8) {
    out_.bytes.resize(aligned(out_.bytes.size(), to));
    return out_.bytes.size();
  }

  // Linked addresses are file offsets. Symbols first, for their number decides where code begins.
  void plan_layout() {
    for (const std::string& name : plan().imports) symbols_.emplace_back(name, false);
    first_export_ = 1 + symbols_.size();
    for (const auto& [name, kind] : plan().exports) symbols_.emplace_back(name, true);
    strings_.assign(1, '\0');
    std::uint64_t table = 2048;
    for (const auto& [name, defined] : symbols_) table += name.size() + 1 + 24 + 4 + 64;
    for (const std::string& name : plan().needs) table += name.size() + 1;
    const std::uint64_t code = aligned(table, plan().two_segments ? 64 : plan().page);
    code_ = code;
    std::uint64_t at = code + 64;
    for (const auto& [name, kind] : plan().exports) {
      const bool thumb = plan().machine == Machine::kArm && kind != SymbolKind::kPlain;
      out_.addresses[name] = at + (thumb ? 1 : 0);
      if (kind == SymbolKind::kIndirect) out_.chosen[name] = at + 32 + (thumb ? 1 : 0);
      at += 64;
    }
    code_end_ = std::max(at, code + plan().code_size);
    slots_ = aligned(code_end_, plan().page);
  }

  std::uint64_t name(const std::string& text) {
    const std::uint64_t at = strings_.size();
    strings_ += text;
    strings_ += '\0';
    return at;
  }

  void put_symbol(const std::string& text, bool defined) {
    const std::uint64_t at = text.empty() ? 0 : name(text);
    std::uint64_t type = text.empty() ? 0 : 2;
    std::uint64_t address = 0;
    if (defined) {
      const SymbolKind kind = plan().exports.at(text);
      if (kind == SymbolKind::kIndirect) type = 10;
      if (kind == SymbolKind::kPlain) type = 0;
      address = out_.addresses.at(text);
    }
    const std::uint64_t info = text.empty() ? 0 : 1U << 4U | type;
    put(at, 4);
    if (wide()) {
      put(info, 2);
      put(defined ? 7 : 0, 2);
      put(address, 8);
      put(16, 8);
    } else {
      put(address, 4);
      put(16, 4);
      put(info, 2);
      put(defined ? 7 : 0, 2);
    }
  }

  void put_tables() {
    out_.bytes.resize(wide() ? 64 + 6 * 56 : 52 + 6 * 32);
    at_symbols_ = here();
    put_symbol("", false);
    for (const auto& [text, defined] : symbols_) put_symbol(text, defined);
    if (!plan().soname.empty()) soname_ = name(plan().soname);
    for (const std::string& text : plan().needs) needs_.push_back(name(text));
    at_strings_ = here();
    for (const char c : strings_) put(static_cast<unsigned char>(c), 1);
    put_hash();
    collect_relocations();
    put_relocations();
  }

  void put_hash() {
    at_hash_ = here();
    const std::uint64_t count = 1 + symbols_.size();
    if (plan().old_hash) {
      put(1, 4);
      put(count, 4);
      put(0, 4 * (1 + count));
      return;
    }
    put(1, 4);
    put(first_export_, 4);
    put(1, 4);
    put(6, 4);
    put_word(~std::uint64_t{0});
    put(first_export_ < count ? first_export_ : 0, 4);
    for (std::uint64_t i = first_export_; i < count; ++i) put(i + 1 == count ? 1 : 2, 4);
  }

  // A pointer in the table of the PLT for every third import, one in the global offset table for
  // the next, one in read-only data for the third.
  void collect_relocations() {
    std::uint64_t place = slots_ + kDynamicSize;
    const auto add = [&](const std::string& text, std::uint64_t symbol, std::uint64_t form) {
      const std::uint64_t type = form == 0   ? codes_.jump_slot
                                 : form == 1 ? codes_.global_data
                                             : codes_.absolute;
      (form == 0 ? jumps_ : others_).push_back({place, type, symbol});
      out_.slots.emplace(text, place);
      place += word();
    };
    for (std::uint64_t i = 0; i < plan().imports.size(); ++i) add(plan().imports[i], i + 1, i % 3);
    for (const std::string& text : plan().interposed) {
      const auto found = std::ranges::find(symbols_, std::pair(text, true));
      add(text, 1 + static_cast<std::uint64_t>(found - symbols_.begin()), 0);
    }
    for (int i = 0; i < 5; ++i, place += word()) out_.relative.push_back(place);
    out_.table = place;
    relocated_end_ = place + plan().table_size;
  }

  std::uint64_t info(const Relocation& entry) const {
    return entry.symbol << (wide() ? 32U : 8U) | entry.type;
  }

  static void put_number(Bytes& out, std::uint64_t value) {  // signed LEB128
    auto rest = static_cast<std::int64_t>(value);
    for (;;) {
      const auto low = static_cast<std::uint8_t>(rest & 0x7f);
      rest >>= 7;
      const bool last = (rest == 0 && (low & 0x40) == 0) || (rest == -1 && (low & 0x40) != 0);
      out.push_back(static_cast<std::byte>(last ? low : low | 0x80));
      if (last) return;
    }
  }

  std::pair<std::uint64_t, std::uint64_t> put_plain(const std::vector<Relocation>& entries) {
    const std::uint64_t begin = here();
    for (const Relocation& entry : entries) {
      put_word(entry.place);
      put_word(info(entry));
      if (wide()) put_word(0);
    }
    return {begin, out_.bytes.size() - begin};
  }

  // One group of those that only move, grouped by type and, being neighbours, by distance; one of
  // the others, each with its own place and symbol.
  std::pair<std::uint64_t, std::uint64_t> put_packed(const std::vector<Relocation>& moved) {
    constexpr std::uint64_t kSameInfo = 1, kSameDistance = 2, kAddends = 8;
    const std::uint64_t with_addends = wide() ? kAddends : 0;
    Bytes numbers;
    put_number(numbers, moved.size() + others_.size());
    std::uint64_t place = moved.empty() ? 0 : moved.front().place - word();
    put_number(numbers, place);
    if (!moved.empty()) {
      put_number(numbers, moved.size());
      put_number(numbers, kSameInfo | kSameDistance | with_addends);
      put_number(numbers, word());
      put_number(numbers, info(moved.front()));
      for (std::size_t i = 0; i < moved.size() && with_addends != 0; ++i) put_number(numbers, 8);
      place = moved.back().place;
    }
    if (!others_.empty()) {
      put_number(numbers, others_.size());
      put_number(numbers, 0);  // without addends
      for (const Relocation& entry : others_) {
        put_number(numbers, entry.place - place);
        put_number(numbers, info(entry));
        place = entry.place;
      }
    }
    const std::uint64_t begin = here();
    for (const char c : std::string_view("APS2")) put(static_cast<unsigned char>(c), 1);
    append(out_.bytes, numbers);
    return {begin, out_.bytes.size() - begin};
  }

  void put_relocations() {
    std::vector<Relocation> moved;
    for (const std::uint64_t place : out_.relative) moved.push_back({place, codes_.relative, 0});
    jump_table_ = put_plain(jumps_);
    if (plan().relative != PhoneImagePlan::Relative::kPlain) {
      const std::uint64_t begin = here();
      put_word(out_.relative.front());
      std::uint64_t bits = 1;
      for (std::size_t i = 1; i < out_.relative.size(); ++i) bits |= std::uint64_t{1} << i;
      put_word(bits);
      bit_table_ = {begin, out_.bytes.size() - begin};
      moved.clear();
    }
    if (plan().text_relocations) {
      out_.text_word = code_ + 16;
      others_.push_back({out_.text_word, codes_.relative, 0});
    }
    if (plan().packed) {
      packed_table_ = put_packed(moved);
    } else {
      std::vector<Relocation> all = moved;
      all.insert(all.end(), others_.begin(), others_.end());
      plain_table_ = put_plain(all);
    }
  }

  void put_code() {
    out_.bytes.resize(code_);
    std::uint64_t state = 88172645463325252ULL;
    for (const char c : plan().seed + plan().soname)
      state = state * 31 + static_cast<unsigned char>(c);
    while (out_.bytes.size() < code_end_) {  // xorshift: unlike in every image
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      put(state, std::min<std::uint64_t>(8, code_end_ - out_.bytes.size()));
    }
  }

  void put_entry(std::uint64_t tag, std::uint64_t value) {
    put_word(tag);
    put_word(value);
  }

  void put_data() {
    out_.bytes.resize(slots_);
    for (const std::uint64_t at : needs_) put_entry(1, at);
    if (soname_ != 0) put_entry(14, soname_);
    put_entry(plan().old_hash ? 4 : 0x6ffffef5, at_hash_);
    put_entry(5, at_strings_);
    put_entry(6, at_symbols_);
    put_entry(10, strings_.size());
    put_entry(11, wide() ? 24 : 16);
    put_entry(20, wide() ? 7 : 17);
    put_entry(23, jump_table_.first);
    put_entry(2, jump_table_.second);
    if (plain_table_.second != 0) {
      put_entry(wide() ? 7 : 17, plain_table_.first);
      put_entry(wide() ? 8 : 18, plain_table_.second);
    }
    if (packed_table_.second != 0) {
      put_entry(wide() ? 0x60000011 : 0x6000000f, packed_table_.first);
      put_entry(wide() ? 0x60000012 : 0x60000010, packed_table_.second);
    }
    if (bit_table_.second != 0) {
      const bool android = plan().relative == PhoneImagePlan::Relative::kAndroid;
      put_entry(android ? 0x6fffe000 : 36, bit_table_.first);
      put_entry(android ? 0x6fffe001 : 35, bit_table_.second);
    }
    if (plan().text_relocations) put_entry(22, 0);
    put_entry(30, 8 | (plan().text_relocations ? 4 : 0));  // DT_FLAGS: bind now
    put_entry(0x6ffffffb, 1 | (plan().global ? 2 : 0));    // DT_FLAGS_1
    put_entry(0, 0);
    dynamic_size_ = out_.bytes.size() - slots_;
    out_.bytes.resize(relocated_end_);
    read_only_end_ = aligned(relocated_end_, plan().page);
    out_.bytes.resize(read_only_end_);
    put(0x1234, 256);  // data
  }

  void put_segment(std::uint64_t type, std::uint64_t flags, std::uint64_t offset,
                   std::uint64_t size) {
    const std::uint64_t w = word();
    overwrite(out_.bytes, at_segment_, type, 4);
    if (wide()) overwrite(out_.bytes, at_segment_ + 4, flags, 4);
    std::uint64_t field = at_segment_ + w;
    for (const std::uint64_t value : {offset, offset, offset, size, size}) {
      overwrite(out_.bytes, field, value, w);
      field += w;
    }
    if (!wide()) overwrite(out_.bytes, field, flags, 4);
    overwrite(out_.bytes, field + (wide() ? 0 : 4), plan().page, w);
    at_segment_ += wide() ? 56 : 32;
    ++segments_;
  }

  void put_load(std::uint64_t flags, std::uint64_t begin, std::uint64_t end, std::string mode) {
    put_segment(1, flags, begin, end - begin);
    out_.segments.push_back({begin, begin, end - begin, std::move(mode)});
  }

  void put_headers() {
    at_segment_ = wide() ? 64 : 52;
    const std::uint64_t execute = plan().unreadable_text ? 1 : 5;
    if (plan().two_segments) {
      put_load(5, 0, code_end_, "r-xp");
    } else {
      put_load(4, 0, std::min(code_, packed_end()), "r--p");
      put_load(execute, code_, code_end_, plan().unreadable_text ? "--xp" : "r-xp");
    }
    put_load(6, slots_, relocated_end_, "r--p");
    put_load(6, read_only_end_, out_.bytes.size(), "rw-p");
    put_segment(2, 6, slots_, dynamic_size_);
    put_segment(0x6474e552, 4, slots_, read_only_end_ - slots_);
    overwrite(out_.bytes, 0, 0x464c457f, 4);
    overwrite(out_.bytes, 4, wide() ? 2 : 1, 1);
    overwrite(out_.bytes, 5, 1, 1);
    overwrite(out_.bytes, 6, 1, 1);
    overwrite(out_.bytes, 16, 3, 2);
    overwrite(out_.bytes, 18, codes_.machine, 2);
    overwrite(out_.bytes, 20, 1, 4);
    overwrite(out_.bytes, wide() ? 32 : 28, wide() ? 64 : 52, word());  // program headers
    const std::uint64_t sizes = wide() ? 52 : 40;
    overwrite(out_.bytes, sizes, wide() ? 64 : 52, 2);
    overwrite(out_.bytes, sizes + 2, wide() ? 56 : 32, 2);
    overwrite(out_.bytes, sizes + 4, segments_, 2);
  }

  std::uint64_t packed_end() const {
    std::uint64_t end = at_hash_;
    for (const auto& table : {jump_table_, plain_table_, packed_table_, bit_table_}) {
      end = std::max(end, table.first + table.second);
    }
    return end;
  }

  static constexpr std::uint64_t kDynamicSize = 1024;

  Codes codes_;
  PhoneImage out_;
  std::vector<std::pair<std::string, bool>> symbols_;
  std::uint64_t first_export_ = 1;
  std::string strings_;
  std::uint64_t soname_ = 0;
  std::vector<std::uint64_t> needs_;
  std::vector<Relocation> jumps_, others_;
  std::uint64_t code_ = 0, code_end_ = 0, slots_ = 0, relocated_end_ = 0, read_only_end_ = 0;
  std::uint64_t at_symbols_ = 0, at_strings_ = 0, at_hash_ = 0, dynamic_size_ = 0;
  std::uint64_t at_segment_ = 0, segments_ = 0;
  std::pair<std::uint64_t, std::uint64_t> jump_table_, plain_table_, packed_table_, bit_table_;
};

}  // namespace

PhoneImage make_image(const PhoneImagePlan& plan) { return Writer(plan).make(); }

}  // namespace touchmark::attester::testing
