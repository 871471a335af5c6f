// The binary form: objects, a table of their offsets, and a trailer that says where that is.
// Objects refer to each other by index, so a file can be a graph; it is read as the tree that it
// stands for, up to a depth and a number of values, and as far as the budget lasts: each reference
// to a text costs what the text costs.
#include <algorithm>
#include <bit>
#include <optional>

#include "base/encoding.h"
#include "base/utf.h"
#include "formats/plist/plist.h"

namespace touchmark::plist {
namespace {

constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kTrailerSize = 32;

class BinaryReader {
 public:
  static Result<PlistValue> read(ByteView file, Budget& budget) {
    BinaryReader reader(budget);
    if (auto ok = reader.read_trailer(file); !ok) return pass(ok);
    return reader.object(reader.top_, 0);
  }

 private:
  explicit BinaryReader(Budget& budget) : budget_(budget) {}

  Result<void> read_trailer(ByteView file) {
    const auto bad = [] { return fail(PlistError::kBadTrailer, "a trailer that does not fit"); };
    if (file.size() < kHeaderSize + kTrailerSize) return bad();
    const ByteView trailer = file.last(kTrailerSize);
    offset_size_ = std::to_integer<std::size_t>(trailer[6]);
    ref_size_ = std::to_integer<std::size_t>(trailer[7]);
    count_ = big_endian(trailer.subspan(8, 8));
    top_ = big_endian(trailer.subspan(16, 8));
    const std::uint64_t table = big_endian(trailer.subspan(24, 8));
    const std::uint64_t end = file.size() - kTrailerSize;
    if (offset_size_ < 1 || offset_size_ > 8 || ref_size_ < 1 || ref_size_ > 8) return bad();
    if (table < kHeaderSize || table > end || count_ == 0 || top_ >= count_ ||
        count_ > (end - table) / offset_size_) {
      return bad();
    }
    objects_ = file.first(static_cast<std::size_t>(table));
    offsets_ = file.subspan(static_cast<std::size_t>(table));
    return {};
  }

  tl::unexpected<Error> bad_object(std::uint64_t index) const {
    return fail(PlistError::kBadObject, "object " + std::to_string(index));
  }

  // The bytes from an object's marker to the end of all objects.
  Result<ByteView> bytes_of(std::uint64_t index) const {
    if (index >= count_) return bad_object(index);
    const std::size_t at = static_cast<std::size_t>(index) * offset_size_;
    const std::uint64_t offset = big_endian(offsets_.subspan(at, offset_size_));
    if (offset < kHeaderSize || offset >= objects_.size()) return bad_object(index);
    return objects_.subspan(static_cast<std::size_t>(offset));
  }

  // The count of an object: in its marker, or for 15 an integer object that follows.
  static std::optional<std::uint64_t> take_count(unsigned info, ByteView& rest) {
    if (info != 15) return info;
    if (rest.empty()) return std::nullopt;
    const unsigned marker = std::to_integer<unsigned>(rest[0]);
    const std::size_t size = std::size_t{1} << (marker & 0xf);
    if (marker >> 4 != 1 || size > 8 || rest.size() < 1 + size) return std::nullopt;
    const std::uint64_t count = big_endian(rest.subspan(1, size));
    rest = rest.subspan(1 + size);
    return count;
  }

  Result<PlistValue> object(std::uint64_t index, unsigned depth) {
    if (depth > kMaxPlistDepth) return fail(PlistError::kTooDeep, "over 32 levels");
    if (++values_ > kMaxPlistValues) return fail(PlistError::kTooLarge, "over 100,000 values");
    if (auto ok = budget_.take_bytes(kPlistValueCost); !ok) return pass(ok);
    const auto bytes = bytes_of(index);
    if (!bytes) return pass(bytes);
    const unsigned marker = std::to_integer<unsigned>((*bytes)[0]);
    const unsigned info = marker & 0xf;
    ByteView rest = bytes->subspan(1);
    switch (marker >> 4) {
      case 0x0:
        if (info == 8 || info == 9) return PlistValue(info == 9);
        return bad_object(index);
      case 0x1:
      case 0x2:
      case 0x3:
        return number(marker >> 4, info, rest, index);
      default:
        break;
    }
    const auto count = take_count(info, rest);
    if (!count) return bad_object(index);
    switch (marker >> 4) {
      case 0x4:
      case 0x5:
      case 0x6:
        return text_or_data(marker >> 4, *count, rest, index);
      case 0xa:
        return array(*count, rest, index, depth);
      case 0xd:
        return dict(*count, rest, index, depth);
      default:
        return bad_object(index);
    }
  }

  Result<PlistValue> number(unsigned type, unsigned info, ByteView rest,
                            std::uint64_t index) const {
    const std::size_t size = std::size_t{1} << info;
    if (size > 8 || rest.size() < size) return bad_object(index);
    const std::uint64_t bits = big_endian(rest.first(size));
    if (type == 0x1) return PlistValue(static_cast<std::int64_t>(bits));
    if (size < 4 || (type == 0x3 && size != 8)) return bad_object(index);
    const double value = size == 8 ? std::bit_cast<double>(bits)
                                   : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    return type == 0x3 ? PlistValue(PlistDate{value}) : PlistValue(value);
  }

  Result<PlistValue> text_or_data(unsigned type, std::uint64_t count, ByteView rest,
                                  std::uint64_t index) const {
    const std::uint64_t unit = type == 0x6 ? 2 : 1;
    if (count > rest.size() / unit) return bad_object(index);
    const ByteView content = rest.first(static_cast<std::size_t>(count * unit));
    // UTF-16 is turned round first, and each of its characters may become three bytes.
    if (auto ok = budget_.take_bytes(content.size() * (unit == 1 ? 1 : 3)); !ok) return pass(ok);
    if (type == 0x4) return PlistValue(to_bytes(content));
    if (type == 0x5) {
      const std::string_view ascii = as_text(content);
      if (std::ranges::any_of(ascii, [](char c) { return c == 0 || (c & 0x80) != 0; }))
        return bad_object(index);
      return PlistValue(std::string(ascii));
    }
    Bytes swapped(content.size());
    for (std::size_t i = 0; i + 1 < content.size(); i += 2) {
      swapped[i] = content[i + 1];
      swapped[i + 1] = content[i];
    }
    auto text = from_utf16le(swapped);
    if (!text) return bad_object(index);
    return PlistValue(*std::move(text));
  }

  std::uint64_t reference(ByteView refs, std::uint64_t i) const {
    return big_endian(refs.subspan(static_cast<std::size_t>(i) * ref_size_, ref_size_));
  }

  Result<PlistValue> array(std::uint64_t count, ByteView rest, std::uint64_t index,
                           unsigned depth) {
    if (count > rest.size() / ref_size_) return bad_object(index);
    PlistValue::Array values;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto value = object(reference(rest, i), depth + 1);
      if (!value) return value;
      values.push_back(*std::move(value));
    }
    return PlistValue(std::move(values));
  }

  Result<PlistValue> dict(std::uint64_t count, ByteView rest, std::uint64_t index, unsigned depth) {
    if (count > rest.size() / ref_size_ / 2) return bad_object(index);
    PlistValue::Dict entries;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto key = object(reference(rest, i), depth + 1);
      if (!key) return key;
      std::string* name = key->as<std::string>();
      if (name == nullptr) return bad_object(index);
      auto value = object(reference(rest, count + i), depth + 1);
      if (!value) return value;
      entries.push_back({std::move(*name), *std::move(value)});
    }
    if (auto ok = check_plist_keys(entries); !ok) return pass(ok);
    return PlistValue(std::move(entries));
  }

  Budget& budget_;
  ByteView objects_;  // from the start of the file
  ByteView offsets_;
  std::size_t offset_size_ = 0;
  std::size_t ref_size_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t top_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

Result<PlistValue> parse_binary_plist(ByteView file, Budget& budget) {
  return BinaryReader::read(file, budget);
}

}  // namespace touchmark::plist
