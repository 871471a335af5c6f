#include "package/android/arsc.h"

#include <algorithm>
#include <optional>

namespace touchmark::package::android {
namespace {

constexpr std::size_t kTableHeaderSize = 12;
constexpr std::size_t kPackageHeaderSize = 284;  // 288 with the field of later versions
constexpr std::size_t kTypeHeaderSize = 20;      // without the configuration
constexpr std::size_t kMinConfigSize = 28;
constexpr unsigned kMaxReferences = 20;

constexpr unsigned kSparse = 0x01;  // flags of a type chunk
constexpr unsigned kOffset16 = 0x02;
constexpr unsigned kComplex = 0x0001;  // flags of an entry
constexpr unsigned kCompact = 0x0008;

std::string hex(std::uint32_t id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[id >> shift & 0xf];
  return text;
}

tl::unexpected<Error> bad_table_size(const char* what) {
  return fail(ArscError::kChunkSize, std::string(what) + " has a wrong size");
}

std::uint32_t entry_count(const Chunk& type) { return le32(type.header, 12); }
unsigned type_flags(const Chunk& type) { return std::to_integer<unsigned>(type.header[9]); }

// Bytes that the table of entry offsets takes.
std::uint64_t offsets_size(const Chunk& type) {
  const bool small = (type_flags(type) & kOffset16) && !(type_flags(type) & kSparse);
  return std::uint64_t{entry_count(type)} * (small ? 2 : 4);
}

// Offset of an entry from the start of the entries, if the type has it.
std::optional<std::size_t> entry_offset(const Chunk& type, std::size_t index) {
  const ByteView offsets = type.body;
  const std::size_t count = entry_count(type);
  if (type_flags(type) & kSparse) {
    for (std::size_t i = 0; i < count; ++i) {
      if (le16(offsets, 4 * i) == index) return std::size_t{4} * le16(offsets, 4 * i + 2);
    }
    return std::nullopt;
  }
  if (index >= count) return std::nullopt;
  if (type_flags(type) & kOffset16) {
    const std::uint16_t offset = le16(offsets, 2 * index);
    return offset == 0xffff ? std::nullopt : std::optional<std::size_t>(std::size_t{4} * offset);
  }
  const std::uint32_t offset = le32(offsets, 4 * index);
  return offset == 0xffffffff ? std::nullopt : std::optional<std::size_t>(offset);
}

// The default configuration has zeros for everything but its own size.
bool is_default(ByteView config) {
  return std::ranges::all_of(config.subspan(4), [](std::byte b) { return b == std::byte{0}; });
}

Result<TypedValue> read_entry(const Chunk& type, std::size_t offset, std::uint32_t id) {
  const std::size_t start = le32(type.header, 16);
  const ByteView entries = type.whole.subspan(start);
  const auto broken = [&] {
    return fail(ArscError::kBadType, "the entry of " + hex(id) + " leaves its type");
  };
  if (offset > entries.size() || entries.size() - offset < 8) return broken();
  const ByteView entry = entries.subspan(offset);
  const std::uint16_t flags = le16(entry, 2);
  if (flags & kCompact) {
    return TypedValue{static_cast<ValueType>(flags >> 8), le32(entry, 4)};
  }
  if (flags & kComplex) return fail(ArscError::kComplexValue, hex(id) + " is not a plain value");
  const std::size_t size = le16(entry, 0);
  if (size < 8 || entry.size() < size + 8 || le16(entry, size) < 8) return broken();
  return TypedValue{static_cast<ValueType>(entry[size + 3]), le32(entry, size + 4)};
}

}  // namespace

std::string_view error_id(ArscError error) {
  using enum ArscError;
  static constexpr auto kIds = error_table<ArscError>({
      {kNotTable, "arsc.not-table"},
      {kChunkSize, "arsc.chunk-size"},
      {kPackageCount, "arsc.package-count"},
      {kNoStringPool, "arsc.no-string-pool"},
      {kBadType, "arsc.bad-type"},
      {kNoSuchResource, "arsc.no-such-resource"},
      {kNotAString, "arsc.not-a-string"},
      {kNotAnInteger, "arsc.not-an-integer"},
      {kComplexValue, "arsc.complex-value"},
      {kReferenceCycle, "arsc.reference-cycle"},
  });
  return kIds[error];
}

Result<ResourceTable> ResourceTable::parse(ByteView file) {
  const auto root = take_chunk(file);
  if (!root || root->type != kTableChunk || root->header.size() != kTableHeaderSize ||
      !file.empty()) {
    return fail(ArscError::kNotTable, "not one resource table chunk");
  }
  ResourceTable table;
  std::uint32_t packages = 0;
  bool has_strings = false;
  for (ByteView rest = root->body; !rest.empty();) {
    const auto chunk = take_chunk(rest);
    if (!chunk) return bad_table_size("a chunk of the table");
    if (chunk->type == kStringPoolChunk && !has_strings && packages == 0) {
      auto strings = StringPool::parse(*chunk);
      if (!strings) return pass(strings);
      table.strings_ = *strings;
      has_strings = true;
    } else if (chunk->type == kTablePackage) {
      if (!has_strings) return fail(ArscError::kNoStringPool, "a package before the values");
      ++packages;
      if (auto ok = table.parse_package(*chunk); !ok) return pass(ok);
    }
  }
  if (packages != le32(root->header, 8)) {
    return fail(ArscError::kPackageCount, std::to_string(packages) + " packages, the header says " +
                                              std::to_string(le32(root->header, 8)));
  }
  return table;
}

Result<void> ResourceTable::parse_package(const Chunk& chunk) {
  if (chunk.header.size() < kPackageHeaderSize) return bad_table_size("a package header");
  const std::uint32_t id = le32(chunk.header, 8);
  if (id > 0xff) return bad_table_size("a package id");
  for (ByteView rest = chunk.body; !rest.empty();) {
    const auto part = take_chunk(rest);
    if (!part) return bad_table_size("a chunk of a package");
    if (part->type == kStringPoolChunk) {
      if (auto pool = StringPool::parse(*part); !pool) return pass(pool);
    } else if (part->type == kTableType) {
      if (auto ok = parse_type(*part, static_cast<std::uint8_t>(id)); !ok) return pass(ok);
    }
  }
  return {};
}

Result<void> ResourceTable::parse_type(const Chunk& chunk, std::uint8_t package_id) {
  if (chunk.header.size() < kTypeHeaderSize + kMinConfigSize)
    return bad_table_size("a type header");
  const ByteView config = chunk.header.subspan(kTypeHeaderSize);
  const std::size_t config_size = le32(config, 0);
  const std::uint64_t entries_start = le32(chunk.header, 16);
  if (config_size < kMinConfigSize || config_size > config.size()) {
    return bad_table_size("a configuration");
  }
  if (entries_start % 4 != 0 || entries_start > chunk.whole.size() ||
      chunk.header.size() + offsets_size(chunk) > entries_start) {
    return fail(ArscError::kBadType, "a type with " + std::to_string(entry_count(chunk)) +
                                         " entries does not fit into its chunk");
  }
  const auto type_id = std::to_integer<std::uint8_t>(chunk.header[8]);
  if (is_default(config.first(config_size))) types_.push_back({package_id, type_id, chunk});
  return {};
}

Result<TypedValue> ResourceTable::lookup(std::uint32_t resource_id) const {
  const auto package_id = static_cast<std::uint8_t>(resource_id >> 24);
  const auto type_id = static_cast<std::uint8_t>(resource_id >> 16);
  for (const DefaultType& type : types_) {
    if (type.package_id != package_id || type.type_id != type_id) continue;
    if (const auto offset = entry_offset(type.chunk, resource_id & 0xffff)) {
      return read_entry(type.chunk, *offset, resource_id);
    }
  }
  return fail(ArscError::kNoSuchResource, hex(resource_id) + " has no default value");
}

Result<TypedValue> ResourceTable::resolve(std::uint32_t resource_id) const {
  for (unsigned hops = 0; hops <= kMaxReferences; ++hops) {
    auto value = lookup(resource_id);
    if (!value || !value->is_reference()) return value;
    resource_id = value->data;
  }
  return fail(ArscError::kReferenceCycle, hex(resource_id) + " is reached again and again");
}

Result<std::string> ResourceTable::string(std::uint32_t resource_id) const {
  const auto value = resolve(resource_id);
  if (!value) return pass(value);
  if (value->type != ValueType::kString) {
    return fail(ArscError::kNotAString, hex(resource_id) + " is not a string");
  }
  return strings_.get(value->data);
}

Result<std::uint32_t> ResourceTable::integer(std::uint32_t resource_id) const {
  const auto value = resolve(resource_id);
  if (!value) return pass(value);
  if (!value->is_int()) {
    return fail(ArscError::kNotAnInteger, hex(resource_id) + " is not an integer");
  }
  return value->data;
}

}  // namespace touchmark::package::android
