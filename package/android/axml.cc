#include "package/android/axml.h"

namespace touchmark::package::android {
namespace {

constexpr std::size_t kNodeHeaderSize = 16;
constexpr std::size_t kStartFieldsSize = 20;
constexpr std::size_t kEndFieldsSize = 8;
constexpr std::size_t kAttributeSize = 20;
constexpr std::size_t kMaxDepth = 100;
constexpr std::uint32_t kNoString = 0xffffffff;

bool is_node(std::uint16_t type) { return type >= kXmlStartNamespace && type <= kXmlText; }

tl::unexpected<Error> bad_chunk_size(const char* what) {
  return fail(AxmlError::kChunkSize, std::string(what) + " has a wrong size");
}

// The platform walks the attributes once, beside a sorted list of the ids it wants, so one that is
// out of order does not exist for it, while it does for a reader that searches.
Result<void> check_attributes(const XmlElement& element) {
  std::uint32_t last_id = 0;
  for (const XmlAttribute& attribute : element.attributes) {
    if (attribute.resource_id == 0) continue;
    if (attribute.resource_id == last_id) {
      return fail(AxmlError::kAttributeDuplicate,
                  element.name + " has two attributes " + attribute.name);
    }
    if (attribute.resource_id < last_id) {
      return fail(AxmlError::kAttributeOrder,
                  element.name + ": attribute " + attribute.name + " is out of order");
    }
    last_id = attribute.resource_id;
  }
  return {};
}

}  // namespace

std::string_view error_id(AxmlError error) {
  using enum AxmlError;
  static constexpr auto kIds = error_table<AxmlError>({
      {kNotXml, "axml.not-xml"},
      {kChunkSize, "axml.chunk-size"},
      {kUnknownChunk, "axml.unknown-chunk"},
      {kChunkOrder, "axml.chunk-order"},
      {kAttributeLayout, "axml.attribute-layout"},
      {kAttributeOrder, "axml.attribute-order"},
      {kAttributeDuplicate, "axml.attribute-duplicate"},
      {kValueConflict, "axml.value-conflict"},
      {kUnbalanced, "axml.unbalanced"},
      {kTooDeep, "axml.too-deep"},
      {kSeveralRoots, "axml.several-roots"},
  });
  return kIds[error];
}

Result<XmlReader> XmlReader::open(ByteView document) {
  const auto root = take_chunk(document);
  if (!root || root->type != kXmlChunk || root->header.size() != 8 || !document.empty()) {
    return fail(AxmlError::kNotXml, "not one binary XML chunk");
  }
  XmlReader reader;
  reader.rest_ = root->body;
  const auto pool = take_chunk(reader.rest_);
  if (!pool) return bad_chunk_size("the first chunk");
  if (pool->type != kStringPoolChunk) {
    return fail(AxmlError::kChunkOrder, "the document does not begin with its string pool");
  }
  auto strings = StringPool::parse(*pool);
  if (!strings) return pass(strings);
  reader.strings_ = *strings;

  ByteView after_map = reader.rest_;
  const auto map = take_chunk(after_map);
  if (map && map->type == kXmlResourceMap) {
    if (map->header.size() != 8) return bad_chunk_size("the resource map");
    reader.resource_ids_ = map->body;
    reader.rest_ = after_map;
  }
  return reader;
}

Result<std::optional<XmlElement>> XmlReader::next() {
  while (!rest_.empty()) {
    const auto chunk = take_chunk(rest_);
    if (!chunk) return bad_chunk_size("a chunk");
    if (chunk->type == kStringPoolChunk || chunk->type == kXmlResourceMap) {
      return fail(AxmlError::kChunkOrder, "a string pool or resource map after its place");
    }
    if (!is_node(chunk->type)) {
      return fail(AxmlError::kUnknownChunk, "chunk type " + std::to_string(chunk->type));
    }
    if (chunk->header.size() != kNodeHeaderSize) return bad_chunk_size("a node's header");
    if (chunk->type == kXmlStartElement) {
      auto element = read_start(*chunk);
      if (!element) return pass(element);
      return *std::move(element);
    }
    if (chunk->type == kXmlEndElement) {
      if (auto ok = read_end(*chunk); !ok) return pass(ok);
    }
  }
  if (!open_.empty()) return fail(AxmlError::kUnbalanced, "the document ends inside an element");
  return std::nullopt;
}

Result<XmlElement> XmlReader::read_start(const Chunk& chunk) {
  const ByteView body = chunk.body;
  if (body.size() < kStartFieldsSize) return bad_chunk_size("a start tag");
  const std::size_t count = le16(body, 12);
  if (le16(body, 8) != kStartFieldsSize || (count > 0 && le16(body, 10) != kAttributeSize)) {
    return fail(AxmlError::kAttributeLayout, "a start tag with another attribute layout");
  }
  if (body.size() != kStartFieldsSize + count * kAttributeSize)
    return bad_chunk_size("a start tag");
  if (open_.empty() && had_root_) return fail(AxmlError::kSeveralRoots, "a second root element");
  if (open_.size() == kMaxDepth) return fail(AxmlError::kTooDeep, "elements over 100 levels deep");
  had_root_ = true;
  open_.push_back(le32(body, 4));

  XmlElement element;
  auto name = strings_.get(le32(body, 4));
  if (!name) return pass(name);
  element.name = *std::move(name);
  element.has_namespace = le32(body, 0) != kNoString;
  element.depth = static_cast<unsigned>(open_.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto attribute = read_attribute(body.subspan(kStartFieldsSize + i * kAttributeSize));
    if (!attribute) return pass(attribute);
    element.attributes.push_back(*std::move(attribute));
  }
  if (auto ok = check_attributes(element); !ok) return pass(ok);
  return element;
}

Result<void> XmlReader::read_end(const Chunk& chunk) {
  if (chunk.body.size() != kEndFieldsSize) return bad_chunk_size("an end tag");
  if (open_.empty() || open_.back() != le32(chunk.body, 4)) {
    return fail(AxmlError::kUnbalanced, "an end tag without its start tag");
  }
  open_.pop_back();
  return {};
}

Result<XmlAttribute> XmlReader::read_attribute(ByteView bytes) const {
  const std::uint32_t name_index = le32(bytes, 4);
  const std::uint32_t text_index = le32(bytes, 8);
  auto name = strings_.get(name_index);
  if (!name) return pass(name);
  XmlAttribute attribute;
  attribute.name = *std::move(name);
  attribute.has_namespace = le32(bytes, 0) != kNoString;
  if (std::size_t{name_index} < resource_ids_.size() / 4) {
    attribute.resource_id = le32(resource_ids_, std::size_t{4} * name_index);
  }
  attribute.value.type = static_cast<ValueType>(bytes[15]);
  attribute.value.data = le32(bytes, 16);
  if (attribute.value.type == ValueType::kString && text_index != kNoString &&
      text_index != attribute.value.data) {
    return fail(AxmlError::kValueConflict,
                "attribute " + attribute.name + " has two different texts");
  }
  return attribute;
}

}  // namespace touchmark::package::android
