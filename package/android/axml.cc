#include "package/android/axml.h"

#include "base/text.h"

namespace touchmark::package::android {
namespace {

// The least that headers and fields take; more is skipped.
constexpr std::size_t kNodeHeaderSize = 16;
constexpr std::size_t kStartFieldsSize = 20;
constexpr std::size_t kEndFieldsSize = 8;
constexpr std::size_t kNamespaceFieldsSize = 8;
constexpr std::size_t kTextFieldsSize = 12;
constexpr std::size_t kAttributeSize = 20;
// What an attribute takes in memory beside its name, in a list that grows.
constexpr std::size_t kAttributeCost = 3 * sizeof(XmlAttribute);
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
                  shortened(element.name) + " has two attributes " + shortened(attribute.name));
    }
    if (attribute.resource_id < last_id) {
      return fail(AxmlError::kAttributeOrder, shortened(element.name) + ": attribute " +
                                                  shortened(attribute.name) + " is out of order");
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

Result<XmlReader> XmlReader::open(ByteView document, Budget& budget) {
  const auto root = take_chunk(document);
  if (!root || root->type != kXmlChunk) {
    return fail(AxmlError::kNotXml, "not a binary XML chunk");
  }
  XmlReader reader;
  reader.budget_ = &budget;
  reader.rest_ = root->body;
  if (auto ok = reader.read_prologue(); !ok) return pass(ok);
  return reader;
}

// What stands before the first node.
Result<void> XmlReader::read_prologue() {
  bool has_pool = false;
  bool has_map = false;
  while (!rest_.empty()) {
    ByteView after = rest_;
    const auto chunk = take_chunk(after);
    if (!chunk) return bad_chunk_size("a chunk");
    if (is_node(chunk->type)) break;
    if (auto ok = budget_->take_steps(1); !ok) return ok;
    rest_ = after;
    bool* seen = chunk->type == kStringPoolChunk  ? &has_pool
                 : chunk->type == kXmlResourceMap ? &has_map
                                                  : nullptr;
    if (seen == nullptr) continue;
    if (*seen) return fail(AxmlError::kChunkOrder, "a second string pool or resource map");
    *seen = true;
    if (chunk->type == kXmlResourceMap) {
      resource_ids_ = chunk->body;
      continue;
    }
    auto strings = StringPool::parse(*chunk, *budget_);
    if (!strings) return pass(strings);
    strings_ = *strings;
  }
  if (has_pool) return {};
  return fail(AxmlError::kChunkOrder, "no string pool before the first node");
}

Result<std::optional<XmlElement>> XmlReader::next() {
  while (!rest_.empty()) {
    if (auto ok = budget_->take_steps(1); !ok) return pass(ok);
    const auto chunk = take_chunk(rest_);
    if (!chunk) return bad_chunk_size("a chunk");
    if (chunk->type == kStringPoolChunk || chunk->type == kXmlResourceMap) {
      return fail(AxmlError::kChunkOrder, "a string pool or resource map after its place");
    }
    if (chunk->header.size() < kNodeHeaderSize) return bad_chunk_size("a node's header");
    const std::size_t least = chunk->type == kXmlStartNamespace || chunk->type == kXmlEndNamespace
                                  ? kNamespaceFieldsSize
                              : chunk->type == kXmlText ? kTextFieldsSize
                                                        : 0;
    if (chunk->body.size() < least) return bad_chunk_size("a node");
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

Result<std::string> XmlReader::text() const {
  std::string out;
  for (ByteView rest = rest_; !rest.empty();) {
    if (auto ok = budget_->take_steps(1); !ok) return pass(ok);
    const auto chunk = take_chunk(rest);
    if (!chunk) return bad_chunk_size("a chunk");
    if (chunk->type == kXmlStartElement || chunk->type == kXmlEndElement) break;
    if (chunk->type != kXmlText) continue;
    if (chunk->body.size() < kTextFieldsSize) return bad_chunk_size("a node");
    if (le32(chunk->body, 0) == kNoString) continue;
    const auto text = strings_.get(le32(chunk->body, 0));
    if (!text) return pass(text);
    out += *text;
  }
  return out;
}

Result<XmlElement> XmlReader::read_start(const Chunk& chunk) {
  const ByteView body = chunk.body;
  if (body.size() < kStartFieldsSize) return bad_chunk_size("a start tag");
  const std::size_t start = le16(body, 8);
  const std::size_t size = le16(body, 10);
  const std::size_t count = le16(body, 12);
  if ((count > 0 && size < kAttributeSize) || start + count * size > body.size()) {
    return fail(AxmlError::kAttributeLayout, std::to_string(count) + " attributes of " +
                                                 std::to_string(size) +
                                                 " bytes do not fit into their tag");
  }
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
  if (auto ok = budget_->take_bytes(count * kAttributeCost); !ok) return pass(ok);
  element.attributes.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto attribute = read_attribute(body.subspan(start + i * size));
    if (!attribute) return pass(attribute);
    element.attributes.push_back(*std::move(attribute));
  }
  if (auto ok = check_attributes(element); !ok) return pass(ok);
  return element;
}

Result<void> XmlReader::read_end(const Chunk& chunk) {
  if (chunk.body.size() < kEndFieldsSize) return bad_chunk_size("an end tag");
  const auto unbalanced = [] {
    return fail(AxmlError::kUnbalanced, "an end tag without its start tag");
  };
  if (open_.empty()) return unbalanced();
  const auto same = strings_.same(open_.back(), le32(chunk.body, 4));
  if (!same) return pass(same);
  if (!*same) return unbalanced();
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
    const auto same = strings_.same(text_index, attribute.value.data);
    if (!same) return pass(same);
    if (!*same) {
      return fail(AxmlError::kValueConflict,
                  "attribute " + shortened(attribute.name) + " has two different texts");
    }
  }
  return attribute;
}

}  // namespace touchmark::package::android
