#include "package/bundle/resources_proto.h"

#include <algorithm>

#include "base/utf.h"

namespace touchmark::package::bundle {
namespace {

constexpr unsigned kMaxDepth = 100;
constexpr unsigned kMaxReferences = 20;

// Remembers which singular fields of a message were there.
class Once {
 public:
  Result<void> see(const protobuf::ProtoField& field) {
    if (field.number >= 64) return {};
    const std::uint64_t bit = std::uint64_t{1} << field.number;
    if (seen_ & bit) {
      return fail(BundleError::kDuplicateField,
                  "field " + std::to_string(field.number) + " of a message is there twice");
    }
    seen_ |= bit;
    return {};
  }

 private:
  std::uint64_t seen_ = 0;
};

// An Item as far as the manifest needs it.
struct Item {
  TypedValue value;
  ByteView text;  // of kString
};

Result<void> read_reference(ByteView message, Item& item) {
  item.value.type = ValueType::kReference;
  Once once;
  return protobuf::for_each_field(message, [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_number(2)) return {};  // Reference.id
    item.value.data = static_cast<std::uint32_t>(field.value);
    return once.see(field);
  });
}

Result<void> read_primitive(ByteView message, Item& item) {
  Once once;
  return protobuf::for_each_field(message, [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_number(6)) item.value.type = ValueType::kIntDec;
    if (field.is_number(7)) item.value.type = ValueType::kIntHex;
    if (field.is_number(8)) item.value.type = ValueType::kBoolean;
    if (field.is_number(3)) item.value.type = ValueType::kFloat;
    item.value.data = static_cast<std::uint32_t>(field.value);
    // One of the alternatives: two of them are two readings.
    return once.see({1, 0, {}, false});
  });
}

Result<Item> parse_item(ByteView message) {
  Item item;
  Once once;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_bytes) return {};  // flags
    if (auto ok = once.see({1, 0, {}, false}); !ok) return ok;
    if (field.is_message(1)) return read_reference(field.bytes, item);
    if (field.is_message(7)) return read_primitive(field.bytes, item);
    if (field.is_message(2) || field.is_message(3)) {  // String and RawString: value = 1
      item.value.type = ValueType::kString;
      Once inner;
      return protobuf::for_each_field(field.bytes,
                                      [&](const protobuf::ProtoField& text) -> Result<void> {
                                        if (!text.is_message(1)) return {};
                                        item.text = text.bytes;
                                        return inner.see(text);
                                      });
    }
    return {};
  };
  if (auto ok = protobuf::for_each_field(message, visit); !ok) return pass(ok);
  return item;
}

Result<std::string> checked_text(ByteView bytes) {
  if (!is_utf8(as_text(bytes)) || as_text(bytes).find('\0') != std::string_view::npos) {
    return fail(BundleError::kBadText, "a text that is not UTF-8 or holds a zero");
  }
  return touchmark::to_string(bytes);
}

// The `id` = 1 of the small messages PackageId, TypeId and EntryId.
Result<std::uint32_t> read_id(ByteView message) {
  std::uint32_t id = 0;
  const auto ok =
      protobuf::for_each_field(message, [&](const protobuf::ProtoField& field) -> Result<void> {
        if (field.is_number(1)) id = static_cast<std::uint32_t>(field.value);
        return {};
      });
  if (!ok) return pass(ok);
  return id;
}

// Finds among the messages `list_field` of `message` the one whose id, in its field 1, is `id`.
// Empty when there is none. A missing id message means 0.
Result<ByteView> find_by_id(ByteView message, std::uint32_t list_field, std::uint32_t id) {
  ByteView found;
  const auto visit = [&](const protobuf::ProtoField& entry) -> Result<void> {
    if (!entry.is_message(list_field)) return {};
    std::uint32_t entry_id = 0;
    const auto inner = protobuf::for_each_field(
        entry.bytes, [&](const protobuf::ProtoField& field) -> Result<void> {
          if (!field.is_message(1)) return {};
          const auto value = read_id(field.bytes);
          if (!value) return pass(value);
          entry_id = *value;
          return {};
        });
    if (!inner) return pass(inner);
    if (entry_id != id) return {};
    if (!found.empty()) {
      return fail(BundleError::kDuplicateField, "two resources have the same id");
    }
    found = entry.bytes;
    return {};
  };
  if (auto ok = protobuf::for_each_field(message, visit); !ok) return pass(ok);
  return found;
}

// The Item of a ConfigValue, if that is of the default configuration and plain.
Result<std::optional<ByteView>> default_item(ByteView config_value) {
  bool is_default = true;
  std::optional<ByteView> item;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(1)) is_default = field.bytes.empty();
    if (!field.is_message(2)) return {};
    return protobuf::for_each_field(field.bytes,
                                    [&](const protobuf::ProtoField& part) -> Result<void> {
                                      if (part.is_message(4)) item = part.bytes;  // Value.item
                                      return {};
                                    });
  };
  if (auto ok = protobuf::for_each_field(config_value, visit); !ok) return pass(ok);
  return is_default ? item : std::nullopt;
}

Result<Item> lookup(ByteView table, std::uint32_t resource_id) {
  const auto package = find_by_id(table, 2, resource_id >> 24);
  if (!package) return pass(package);
  const auto type = find_by_id(*package, 3, resource_id >> 16 & 0xff);
  if (!type) return pass(type);
  const auto entry = find_by_id(*type, 3, resource_id & 0xffff);
  if (!entry) return pass(entry);
  std::optional<ByteView> found;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_message(6)) return {};  // Entry.config_value
    const auto item = default_item(field.bytes);
    if (!item) return pass(item);
    if (*item && found) return fail(BundleError::kDuplicateField, "two default values");
    if (*item) found = *item;
    return {};
  };
  if (auto ok = protobuf::for_each_field(*entry, visit); !ok) return pass(ok);
  if (!found) {
    return fail(BundleError::kNoSuchResource,
                "resource " + std::to_string(resource_id) + " has no default value");
  }
  return parse_item(*found);
}

Result<Item> resolve(ByteView table, std::uint32_t resource_id) {
  for (unsigned hops = 0; hops <= kMaxReferences; ++hops) {
    auto item = lookup(table, resource_id);
    if (!item || !item->value.is_reference()) return item;
    resource_id = item->value.data;
  }
  return fail(BundleError::kReferenceCycle, "a resource is reached again and again");
}

}  // namespace

std::string_view error_id(BundleError error) {
  using enum BundleError;
  static constexpr auto kIds = error_table<BundleError>({
      {kNoManifest, "bundle.no-manifest"},
      {kNotXml, "bundle.not-xml"},
      {kTooDeep, "bundle.too-deep"},
      {kDuplicateField, "bundle.duplicate-field"},
      {kDuplicateAttribute, "bundle.duplicate-attribute"},
      {kBadText, "bundle.bad-text"},
      {kNoSuchString, "bundle.no-such-string"},
      {kNoSuchResource, "bundle.no-such-resource"},
      {kNotAString, "bundle.not-a-string"},
      {kNotAnInteger, "bundle.not-an-integer"},
      {kReferenceCycle, "bundle.reference-cycle"},
      {kUnknownPlace, "bundle.unknown-place"},
      {kPartCollision, "bundle.part-collision"},
      {kNotInstallable, "bundle.not-installable"},
  });
  return kIds[error];
}

Result<ProtoXml> ProtoXml::parse(ByteView document) {
  ProtoXml xml;
  if (auto ok = xml.read_node(document, 1); !ok) return pass(ok);
  if (xml.elements_.empty()) return fail(BundleError::kNotXml, "the manifest has no element");
  return xml;
}

Result<std::optional<XmlElement>> ProtoXml::next() {
  if (next_ == elements_.size()) return std::nullopt;
  return elements_[next_++];
}

Result<std::string> ProtoXml::string(std::uint32_t index) const {
  if (index >= strings_.size()) return fail(BundleError::kNoSuchString, std::to_string(index));
  return checked_text(as_bytes(strings_[index]));
}

std::uint32_t ProtoXml::add_string(ByteView text) {
  strings_.push_back(touchmark::to_string(text));
  return static_cast<std::uint32_t>(strings_.size() - 1);
}

Result<void> ProtoXml::read_node(ByteView node, unsigned depth) {
  Once once;
  return protobuf::for_each_field(node, [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_message(1)) return {};  // text and source positions say nothing here
    if (auto ok = once.see(field); !ok) return ok;
    return read_element(field.bytes, depth);
  });
}

Result<void> ProtoXml::read_element(ByteView message, unsigned depth) {
  if (depth > kMaxDepth) return fail(BundleError::kTooDeep, "elements over 100 levels deep");
  XmlElement element;
  element.depth = depth;
  std::vector<ByteView> children;
  Once once;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(4)) {
      auto attribute = read_attribute(field.bytes);
      if (!attribute) return pass(attribute);
      if (attribute->resource_id != 0 && element.find(attribute->resource_id) != nullptr) {
        return fail(BundleError::kDuplicateAttribute, "attribute " + attribute->name);
      }
      element.attributes.push_back(*std::move(attribute));
    } else if (field.is_message(5)) {
      children.push_back(field.bytes);
    } else if (field.is_message(2) || field.is_message(3)) {
      if (field.number == 2) element.has_namespace = !field.bytes.empty();
      if (field.number == 3) element.name = touchmark::to_string(field.bytes);
      return once.see(field);
    }
    return {};
  };
  if (auto ok = protobuf::for_each_field(message, visit); !ok) return ok;
  elements_.push_back(std::move(element));
  for (const ByteView child : children) {
    if (auto ok = read_node(child, depth + 1); !ok) return ok;
  }
  return {};
}

Result<XmlAttribute> ProtoXml::read_attribute(ByteView message) {
  XmlAttribute attribute;
  ByteView text;
  std::optional<Item> item;
  Once once;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(1)) attribute.has_namespace = !field.bytes.empty();
    if (field.is_message(2)) attribute.name = touchmark::to_string(field.bytes);
    if (field.is_message(3)) text = field.bytes;
    if (field.is_number(5)) attribute.resource_id = static_cast<std::uint32_t>(field.value);
    if (field.is_message(6)) {
      auto parsed = parse_item(field.bytes);
      if (!parsed) return pass(parsed);
      item = *parsed;
    }
    return once.see(field);
  };
  if (auto ok = protobuf::for_each_field(message, visit); !ok) return pass(ok);
  if (item && item->value.type != ValueType::kNull) {
    attribute.value = item->value;
    if (item->value.type == ValueType::kString) attribute.value.data = add_string(item->text);
  } else {
    attribute.value = {ValueType::kString, add_string(text)};
  }
  return attribute;
}

Result<std::string> ProtoTable::string(std::uint32_t resource_id) const {
  const auto item = resolve(table_, resource_id);
  if (!item) return pass(item);
  if (item->value.type != ValueType::kString) {
    return fail(BundleError::kNotAString, "resource " + std::to_string(resource_id));
  }
  return checked_text(item->text);
}

Result<std::uint32_t> ProtoTable::integer(std::uint32_t resource_id) const {
  const auto item = resolve(table_, resource_id);
  if (!item) return pass(item);
  if (!item->value.is_int()) {
    return fail(BundleError::kNotAnInteger, "resource " + std::to_string(resource_id));
  }
  return item->value.data;
}

}  // namespace touchmark::package::bundle
