#include "package/android/arsc.h"

#include <algorithm>
#include <optional>
#include <ranges>

namespace touchmark::package::android {
namespace {

// The least that headers take; more is skipped.
constexpr std::size_t kTableHeaderSize = 12;
constexpr std::size_t kPackageHeaderSize = 284;  // 288 with the field of later versions
constexpr std::size_t kTypeHeaderSize = 20;      // without the configuration
constexpr std::size_t kSpecHeaderSize = 16;
constexpr std::size_t kMinConfigSize = 4;  // its own size
constexpr unsigned kMaxReferences = 20;
// What is kept of a type chunk, in a list that grows.
constexpr std::size_t kTypeCost = 256;
// Of what a type says of its values: those differences of configurations that Java hears of
// (ActivityInfo.CONFIG_NATIVE_BITS), and so not the version of the platform.
constexpr std::uint32_t kVariesMask = 0x17bff;

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
    // Sorted by index, as the platform takes for granted too.
    const std::ranges::iota_view<std::size_t, std::size_t> all(0, count);
    const auto found = std::ranges::lower_bound(
        all, index, {}, [&](std::size_t i) { return std::size_t{le16(offsets, 4 * i)}; });
    if (found == all.end() || le16(offsets, 4 * *found) != index) return std::nullopt;
    return std::size_t{4} * le16(offsets, 4 * *found + 2);
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

Result<ResourceTable> ResourceTable::parse(ByteView file, Budget& budget) {
  const auto root = take_chunk(file);
  if (!root || root->type != kTableChunk || root->header.size() < kTableHeaderSize) {
    return fail(ArscError::kNotTable, "not a resource table chunk");
  }
  ResourceTable table;
  table.budget_ = &budget;
  std::uint32_t packages = 0;
  bool has_strings = false;
  for (ByteView rest = root->body; !rest.empty();) {
    if (auto ok = budget.take_steps(1); !ok) return pass(ok);
    const auto chunk = take_chunk(rest);
    if (!chunk) return bad_table_size("a chunk of the table");
    if (chunk->type == kStringPoolChunk && !has_strings && packages == 0) {
      auto strings = StringPool::parse(*chunk, budget);
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
    if (auto ok = budget_->take_steps(1); !ok) return ok;
    const auto part = take_chunk(rest);
    if (!part) return bad_table_size("a chunk of a package");
    if (part->type == kStringPoolChunk) {
      if (auto pool = StringPool::parse(*part, *budget_); !pool) return pass(pool);
    } else if (part->type == kTableType) {
      if (auto ok = parse_type(*part, static_cast<std::uint8_t>(id)); !ok) return pass(ok);
    } else if (part->type == kTableTypeSpec) {
      if (auto ok = parse_spec(*part, static_cast<std::uint8_t>(id)); !ok) return pass(ok);
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
  if (auto ok = budget_->take_bytes(kTypeCost); !ok) return ok;
  const auto type_id = std::to_integer<std::uint8_t>(chunk.header[8]);
  types_.push_back({package_id, type_id, chunk});
  return {};
}

Result<void> ResourceTable::parse_spec(const Chunk& chunk, std::uint8_t package_id) {
  if (chunk.header.size() < kSpecHeaderSize) return bad_table_size("a header of a type's flags");
  if (le32(chunk.header, 12) > chunk.body.size() / 4) return bad_table_size("a type's flags");
  if (auto ok = budget_->take_bytes(kTypeCost); !ok) return ok;
  specs_.push_back({package_id, std::to_integer<std::uint8_t>(chunk.header[8]), chunk});
  return {};
}

Result<TypedValue> ResourceTable::lookup(std::uint32_t resource_id, Reader reader) const {
  const auto package_id = static_cast<std::uint8_t>(resource_id >> 24);
  const auto type_id = static_cast<std::uint8_t>(resource_id >> 16);
  if (auto ok = budget_->take_steps(types_.size()); !ok) return pass(ok);
  const bool person = reader == Reader::kPerson;
  const Configuration& device = person ? kPhone : kInstaller;
  struct Candidate {
    const TypeChunk* type;
    std::size_t offset;
    Configuration configuration;
    bool suits;
  };
  std::optional<Candidate> best;
  for (const TypeChunk& type : types_) {
    if (type.package_id != package_id || type.type_id != type_id) continue;
    const auto offset = entry_offset(type.chunk, resource_id & 0xffff);
    if (!offset) continue;
    const ByteView all = type.chunk.header.subspan(kTypeHeaderSize);
    const ByteView bytes = all.first(le32(all, 0));
    if (person && is_default(bytes)) return read_entry(type.chunk, *offset, resource_id);
    const Configuration configuration = read_configuration(bytes);
    const bool suits = configuration.suits(device);
    if (!suits && !person) continue;
    // Of two of one configuration the first counts.
    if (!best ||
        (suits && (!best->suits || configuration.better_than(best->configuration, device)))) {
      best = {&type, *offset, configuration, suits};
    }
  }
  if (best) return read_entry(best->type->chunk, best->offset, resource_id);
  return fail(ArscError::kNoSuchResource,
              hex(resource_id) + (person ? " has no value" : " has no value for the installer"));
}

Result<bool> ResourceTable::varies(std::uint32_t resource_id) const {
  if (auto ok = budget_->take_steps(specs_.size()); !ok) return pass(ok);
  const std::size_t index = resource_id & 0xffff;
  for (const TypeChunk& spec : specs_) {
    if (spec.package_id != resource_id >> 24 || spec.type_id != (resource_id >> 16 & 0xff))
      continue;
    if (index >= le32(spec.chunk.header, 12)) continue;
    if (le32(spec.chunk.body, 4 * index) & kVariesMask) return true;
  }
  return false;
}

Result<ResourceTable::Resolved> ResourceTable::resolve(std::uint32_t resource_id,
                                                       Reader reader) const {
  Resolved out;
  for (unsigned hops = 0; hops <= kMaxReferences; ++hops) {
    const auto value = lookup(resource_id, reader);
    if (!value) return pass(value);
    const auto changes = varies(resource_id);
    if (!changes) return pass(changes);
    out.value = *value;
    out.varies = out.varies || *changes;
    if (!value->is_reference()) return out;
    resource_id = value->data;
  }
  return fail(ArscError::kReferenceCycle, hex(resource_id) + " is reached again and again");
}

Result<std::string> ResourceTable::text_of(std::uint32_t resource_id,
                                           const TypedValue& value) const {
  if (value.type == ValueType::kString) return strings_.get(value.data);
  auto text = coerce_to_text(value);
  if (text) return *std::move(text);
  return fail(ArscError::kNotAString, hex(resource_id) + " has a value without a text");
}

Result<std::string> ResourceTable::string(std::uint32_t resource_id) const {
  const auto found = resolve(resource_id, Reader::kPerson);
  if (!found) return pass(found);
  return text_of(resource_id, found->value);
}

Result<std::string> ResourceTable::installer_string(std::uint32_t resource_id) const {
  const auto found = resolve(resource_id, Reader::kInstaller);
  if (!found) return pass(found);
  if (found->varies) return std::string();
  return text_of(resource_id, found->value);
}

Result<std::uint32_t> ResourceTable::integer(std::uint32_t resource_id) const {
  const auto found = resolve(resource_id, Reader::kInstaller);
  if (!found) return pass(found);
  if (!found->value.is_whole_number()) {
    return fail(ArscError::kNotAnInteger, hex(resource_id) + " is not an integer");
  }
  return found->value.data;
}

Result<std::vector<TypedValue>> ResourceTable::every_value(std::uint32_t resource_id) const {
  if (auto ok = budget_->take_steps(types_.size()); !ok) return pass(ok);
  std::vector<TypedValue> out;
  for (const TypeChunk& type : types_) {
    if (type.package_id != resource_id >> 24 || type.type_id != (resource_id >> 16 & 0xff))
      continue;
    const auto offset = entry_offset(type.chunk, resource_id & 0xffff);
    if (!offset) continue;
    const auto value = read_entry(type.chunk, *offset, resource_id);
    if (!value) return pass(value);
    out.push_back(*value);
  }
  if (out.empty()) return fail(ArscError::kNoSuchResource, hex(resource_id) + " has no value");
  return out;
}

Result<std::set<std::string>> ResourceTable::every_string(std::uint32_t resource_id) const {
  std::set<std::string> out;
  std::vector<std::uint32_t> resources{resource_id};  // grows with what they refer to
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (i > kMaxReferences) {
      return fail(ArscError::kReferenceCycle, hex(resource_id) + " refers to too many others");
    }
    const auto values = every_value(resources[i]);
    if (!values) return pass(values);
    for (const TypedValue& value : *values) {
      if (!value.is_reference()) {
        auto text = text_of(resources[i], value);
        if (!text) return pass(text);
        out.insert(*std::move(text));
      } else if (std::ranges::find(resources, value.data) == resources.end()) {
        resources.push_back(value.data);
      }
    }
  }
  if (!out.empty()) return out;
  return fail(ArscError::kReferenceCycle, hex(resource_id) + " refers to itself alone");
}

}  // namespace touchmark::package::android
