#include "package/bundle/resources_proto.h"

#include <algorithm>

#include "base/text.h"
#include "base/utf.h"
#include "package/android/configuration.h"

namespace touchmark::package::bundle {
namespace {

constexpr unsigned kMaxDepth = 100;
constexpr unsigned kMaxReferences = 20;
// What an attribute takes in memory beside its name, in lists that grow: itself, its string, and
// its place in the list that is sorted to find one that is there twice.
constexpr std::size_t kAttributeCost =
    3 * (sizeof(XmlAttribute) + sizeof(ByteView) + sizeof(std::uint32_t));

// protobuf::for_each_field, on the budget.
template <class Visit>
Result<void> for_each_field(ByteView message, Budget& budget, const Visit& visit) {
  return protobuf::for_each_field(message, [&](const protobuf::ProtoField& field) -> Result<void> {
    if (auto ok = budget.take_steps(1); !ok) return ok;
    return visit(field);
  });
}

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

Result<void> read_reference(ByteView message, Budget& budget, Item& item) {
  item.value.type = ValueType::kReference;
  Once once;
  return for_each_field(message, budget, [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_number(2)) return {};  // Reference.id
    item.value.data = static_cast<std::uint32_t>(field.value);
    return once.see(field);
  });
}

// Which type of value the fields of Primitive stand for.
ValueType primitive_type(std::uint32_t field) {
  constexpr ValueType kTypes[] = {
      ValueType::kNull,                                           // null
      ValueType::kNull,                                           // empty
      ValueType::kFloat,   ValueType::kNull,   ValueType::kNull,  // two that are written no longer
      ValueType::kIntDec,  ValueType::kIntHex, ValueType::kBoolean,   ValueType::kFirstColor,
      ValueType{0x1d},     ValueType{0x1e},    ValueType::kLastColor, ValueType::kDimension,
      ValueType::kFraction};
  return field >= 1 && field <= std::size(kTypes) ? kTypes[field - 1] : ValueType::kNull;
}

Result<void> read_primitive(ByteView message, Budget& budget, Item& item) {
  Once once;
  return for_each_field(message, budget, [&](const protobuf::ProtoField& field) -> Result<void> {
    item.value.type = field.is_bytes ? ValueType::kNull : primitive_type(field.number);
    item.value.data = static_cast<std::uint32_t>(field.value);
    // One of the alternatives: two of them are two readings.
    return once.see({1, 0, {}, false});
  });
}

Result<Item> parse_item(ByteView message, Budget& budget) {
  Item item;
  Once once;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_bytes) return {};  // flags
    if (auto ok = once.see({1, 0, {}, false}); !ok) return ok;
    if (field.is_message(1)) return read_reference(field.bytes, budget, item);
    if (field.is_message(7)) return read_primitive(field.bytes, budget, item);
    // String, RawString and StyledString: value = 1. FileReference: path = 1.
    if (!field.is_message(2) && !field.is_message(3) && !field.is_message(4) &&
        !field.is_message(5)) {
      return {};
    }
    item.value.type = ValueType::kString;
    Once inner;
    return for_each_field(field.bytes, budget,
                          [&](const protobuf::ProtoField& text) -> Result<void> {
                            if (!text.is_message(1)) return {};
                            item.text = text.bytes;
                            return inner.see(text);
                          });
  };
  if (auto ok = for_each_field(message, budget, visit); !ok) return pass(ok);
  return item;
}

Result<std::string> checked_text(ByteView bytes, Budget& budget) {
  if (auto ok = budget.take_bytes(bytes.size()); !ok) return pass(ok);
  if (!is_utf8(as_text(bytes)) || as_text(bytes).find('\0') != std::string_view::npos) {
    return fail(BundleError::kBadText, "a text that is not UTF-8 or holds a zero");
  }
  return touchmark::to_string(bytes);
}

// The `id` = 1 of the small messages PackageId, TypeId and EntryId.
Result<std::uint32_t> read_id(ByteView message, Budget& budget) {
  std::uint32_t id = 0;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_number(1)) id = static_cast<std::uint32_t>(field.value);
    return {};
  };
  if (auto ok = for_each_field(message, budget, visit); !ok) return pass(ok);
  return id;
}

// Finds among the messages `list_field` of `message` the one whose id, in its field 1, is `id`.
// Empty when there is none. A missing id message means 0.
Result<ByteView> find_by_id(ByteView message, std::uint32_t list_field, std::uint32_t id,
                            Budget& budget) {
  ByteView found;
  const auto visit = [&](const protobuf::ProtoField& entry) -> Result<void> {
    if (!entry.is_message(list_field)) return {};
    std::uint32_t entry_id = 0;
    const auto read = [&](const protobuf::ProtoField& field) -> Result<void> {
      if (!field.is_message(1)) return {};
      const auto value = read_id(field.bytes, budget);
      if (!value) return pass(value);
      entry_id = *value;
      return {};
    };
    if (auto ok = for_each_field(entry.bytes, budget, read); !ok) return ok;
    if (entry_id != id) return {};
    if (!found.empty()) {
      return fail(BundleError::kDuplicateField, "two resources have the same id");
    }
    found = entry.bytes;
    return {};
  };
  if (auto ok = for_each_field(message, budget, visit); !ok) return pass(ok);
  return found;
}

// "de-AT", "zh-Hant-TW": language, script, region.
void read_locale(std::string_view text, android::Configuration& out) {
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view part = text.substr(0, text.find_first_of("-_"));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (first) {
      // Three letters are another language than any two, whichever.
      out.language = {part.empty() ? '?' : part[0], part.size() == 2 ? part[1] : '?'};
    } else if (part.size() == 2) {
      out.country = {part[0], part[1]};
    }
  }
}

// Configuration of aapt2's Configuration.proto.
Result<android::Configuration> read_proto_configuration(ByteView message, Budget& budget) {
  android::Configuration out;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(3)) read_locale(as_text(field.bytes), out);
    if (field.is_bytes) return {};
    const auto wide = static_cast<std::uint16_t>(std::min<std::uint64_t>(field.value, 0xffff));
    const auto small = static_cast<std::uint8_t>(std::min<std::uint64_t>(field.value, 0xff));
    // Where the message counts yes before no, and the table no before yes.
    const auto swapped = static_cast<std::uint8_t>(small == 1 ? 2 : small == 2 ? 1 : small);
    switch (field.number) {
      case 1:
        out.mcc = wide;
        break;
      case 2:
        out.mnc = wide;
        break;
      case 4:
        out.layout_direction = small;
        break;
      case 5:
        out.width_pixels = wide;
        break;
      case 6:
        out.height_pixels = wide;
        break;
      case 7:
        out.width = wide;
        break;
      case 8:
        out.height = wide;
        break;
      case 9:
        out.smallest_width = wide;
        break;
      case 10:
        out.screen_size = small;
        break;
      case 11:
        out.screen_long = swapped;
        break;
      case 12:
        out.round = swapped;
        break;
      case 13:
        out.wide_gamut = swapped;
        break;
      case 14:
        out.hdr = swapped;
        break;
      case 15:
        out.orientation = small;
        break;
      case 16:
        out.mode_type = small;
        break;
      case 17:
        out.mode_night = swapped;
        break;
      case 18:
        out.density = wide;
        break;
      case 19:
        out.touchscreen = small;
        break;
      case 20:
        out.keys_hidden = small;
        break;
      case 21:
        out.keyboard = small;
        break;
      case 22:
        out.navigation_hidden = small;
        break;
      case 23:
        out.navigation = small;
        break;
      case 24:
        out.sdk = wide;
        break;
      default:
        break;
    }
    return {};
  };
  if (auto ok = for_each_field(message, budget, visit); !ok) return pass(ok);
  return out;
}

// A ConfigValue, if it is plain.
struct ConfiguredItem {
  bool is_default = true;
  ByteView configuration;
  std::optional<ByteView> item;
};

Result<ConfiguredItem> read_config_value(ByteView message, Budget& budget) {
  ConfiguredItem out;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(1)) {
      out.is_default = field.bytes.empty();
      out.configuration = field.bytes;
    }
    if (!field.is_message(2)) return {};
    return for_each_field(field.bytes, budget,
                          [&](const protobuf::ProtoField& part) -> Result<void> {
                            if (part.is_message(4)) out.item = part.bytes;  // Value.item
                            return {};
                          });
  };
  if (auto ok = for_each_field(message, budget, visit); !ok) return pass(ok);
  return out;
}

// Who asks.
enum class TableReader {
  kPerson,     // the default value, else what kPhone shows, else any
  kInstaller,  // what kInstaller takes
};

// Chooses among the values of one entry.
class Choice {
 public:
  Choice(TableReader reader, Budget& budget)
      : person_(reader == TableReader::kPerson),
        device_(person_ ? android::kPhone : android::kInstaller),
        budget_(budget) {}

  Result<void> see(const ConfiguredItem& value) {
    if (!value.item) return {};
    const auto configuration = read_proto_configuration(value.configuration, budget_);
    if (!configuration) return pass(configuration);
    if (value.is_default && had_default_) {
      return fail(BundleError::kDuplicateField, "two default values");
    }
    if (value.is_default) had_default_ = true;
    if (seen_++ > 0) {
      // Java hears of no difference between versions of the platform.
      android::Configuration first = first_;
      first.sdk = configuration->sdk;
      varies_ = varies_ || first != *configuration;
    } else {
      first_ = *configuration;
    }
    const bool suits = configuration->suits(device_);
    const bool better =
        !best_ || (suits && (!suits_ || configuration->better_than(best_of_, device_)));
    if ((suits || person_) && (person_ && had_default_ ? value.is_default : better)) {
      best_ = value.item;
      best_of_ = *configuration;
      suits_ = suits;
    }
    return {};
  }
  const std::optional<ByteView>& best() const { return best_; }
  bool varies() const { return varies_; }

 private:
  bool person_;
  const android::Configuration& device_;
  Budget& budget_;
  std::size_t seen_ = 0;
  bool had_default_ = false;
  android::Configuration first_;
  bool varies_ = false;
  std::optional<ByteView> best_;
  android::Configuration best_of_;
  bool suits_ = false;
};

// The entry of a resource; empty when there is none.
Result<ByteView> find_entry(ByteView table, std::uint32_t resource_id, Budget& budget) {
  const auto package = find_by_id(table, 2, resource_id >> 24, budget);
  if (!package) return pass(package);
  const auto type = find_by_id(*package, 3, resource_id >> 16 & 0xff, budget);
  if (!type) return pass(type);
  return find_by_id(*type, 3, resource_id & 0xffff, budget);
}

struct Found {
  Item item;
  bool varies = false;  // with a device's configuration
};

Result<Found> lookup(ByteView table, std::uint32_t resource_id, TableReader reader,
                     Budget& budget) {
  const auto entry = find_entry(table, resource_id, budget);
  if (!entry) return pass(entry);
  Choice choice(reader, budget);
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_message(6)) return {};  // Entry.config_value
    const auto value = read_config_value(field.bytes, budget);
    if (!value) return pass(value);
    return choice.see(*value);
  };
  if (auto ok = for_each_field(*entry, budget, visit); !ok) return pass(ok);
  if (!choice.best()) {
    return fail(BundleError::kNoSuchResource,
                "resource " + std::to_string(resource_id) + " has no value" +
                    (reader == TableReader::kPerson ? "" : " for the installer"));
  }
  const auto item = parse_item(*choice.best(), budget);
  if (!item) return pass(item);
  return Found{*item, choice.varies()};
}

Result<Found> resolve(ByteView table, std::uint32_t resource_id, TableReader reader,
                      Budget& budget) {
  bool varies = false;
  for (unsigned hops = 0; hops <= kMaxReferences; ++hops) {
    auto found = lookup(table, resource_id, reader, budget);
    if (!found) return found;
    varies = found->varies = varies || found->varies;
    if (!found->item.value.is_reference()) return found;
    resource_id = found->item.value.data;
  }
  return fail(BundleError::kReferenceCycle, "a resource is reached again and again");
}

// In every configuration.
Result<std::vector<Item>> every_item(ByteView table, std::uint32_t resource_id, Budget& budget) {
  const auto entry = find_entry(table, resource_id, budget);
  if (!entry) return pass(entry);
  std::vector<Item> out;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_message(6)) return {};  // Entry.config_value
    const auto value = read_config_value(field.bytes, budget);
    if (!value) return pass(value);
    if (!value->item) return {};
    const auto item = parse_item(*value->item, budget);
    if (!item) return pass(item);
    if (auto ok = budget.take_bytes(2 * sizeof(Item)); !ok) return ok;
    out.push_back(*item);
    return {};
  };
  if (auto ok = for_each_field(*entry, budget, visit); !ok) return pass(ok);
  if (!out.empty()) return out;
  return fail(BundleError::kNoSuchResource,
              "resource " + std::to_string(resource_id) + " has no value");
}

Result<std::string> text_of(std::uint32_t resource_id, const Item& item, Budget& budget) {
  if (item.value.type == ValueType::kString) return checked_text(item.text, budget);
  auto text = coerce_to_text(item.value);
  if (text) return *std::move(text);
  return fail(BundleError::kNotAString,
              "resource " + std::to_string(resource_id) + " has a value without a text");
}

// Looking up an attribute by its id must have one answer.
Result<void> check_ids(const XmlElement& element) {
  std::vector<std::uint32_t> ids;
  ids.reserve(element.attributes.size());
  for (const XmlAttribute& attribute : element.attributes) {
    if (attribute.resource_id != 0) ids.push_back(attribute.resource_id);
  }
  std::ranges::sort(ids);
  const auto doubled = std::ranges::adjacent_find(ids);
  if (doubled == ids.end()) return {};
  return fail(BundleError::kDuplicateAttribute,
              "attribute " + shortened(element.find(*doubled)->name));
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

Result<ProtoXml> ProtoXml::parse(ByteView document, Budget& budget) {
  ProtoXml xml(budget);
  xml.document_ = document;
  return xml;
}

// Gives the element's start tag once its whole message was looked at, and goes through its children
// after that: an element's attributes may stand behind them.
Result<std::optional<XmlElement>> ProtoXml::next() {
  if (!started_) {
    started_ = true;
    auto root = read_node(document_);
    if (root && !*root) return fail(BundleError::kNotXml, "the manifest has no element");
    return root;
  }
  while (!open_.empty()) {
    ByteView& rest = open_.back();
    if (rest.empty()) {
      open_.pop_back();
      continue;
    }
    if (auto ok = budget_->take_steps(1); !ok) return pass(ok);
    const auto field = protobuf::take_field(rest);
    if (!field) return pass(field);
    if (!field->is_message(5)) continue;
    auto child = read_node(field->bytes);
    if (!child || *child) return child;
  }
  return std::nullopt;
}

Result<std::string> ProtoXml::string(std::uint32_t index) const {
  if (index >= strings_.size()) return fail(BundleError::kNoSuchString, std::to_string(index));
  return checked_text(strings_[index], *budget_);
}

Result<std::string> ProtoXml::text() const {
  std::string out;
  bool tag = open_.empty();
  for (ByteView rest = tag ? ByteView() : open_.back(); !rest.empty() && !tag;) {
    if (auto ok = budget_->take_steps(1); !ok) return pass(ok);
    const auto child = protobuf::take_field(rest);
    if (!child) return pass(child);
    if (!child->is_message(5)) continue;
    ByteView bytes;
    const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
      if (field.is_message(1)) tag = true;
      if (field.is_message(2)) bytes = field.bytes;
      return {};
    };
    if (auto ok = for_each_field(child->bytes, *budget_, visit); !ok) return pass(ok);
    if (tag) break;
    const auto text = checked_text(bytes, *budget_);
    if (!text) return pass(text);
    out += *text;
  }
  return out;
}

std::uint32_t ProtoXml::add_string(ByteView text) {
  strings_.push_back(text);
  return static_cast<std::uint32_t>(strings_.size() - 1);
}

// The element that the node is, if it is one.
Result<std::optional<XmlElement>> ProtoXml::read_node(ByteView node) {
  Once once;
  std::optional<ByteView> message;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (!field.is_message(1)) return {};  // text and source positions say nothing here
    message = field.bytes;
    return once.see(field);
  };
  if (auto ok = for_each_field(node, *budget_, visit); !ok) return pass(ok);
  if (!message) return std::nullopt;
  if (open_.size() == kMaxDepth) {
    return fail(BundleError::kTooDeep, "elements over 100 levels deep");
  }
  auto element = read_element(*message);
  if (!element) return pass(element);
  open_.push_back(*message);
  element->depth = static_cast<unsigned>(open_.size());
  return *std::move(element);
}

Result<XmlElement> ProtoXml::read_element(ByteView message) {
  XmlElement element;
  strings_.clear();
  Once once;
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(4)) {
      auto attribute = read_attribute(field.bytes);
      if (!attribute) return pass(attribute);
      element.attributes.push_back(*std::move(attribute));
    } else if (field.is_message(2) || field.is_message(3)) {
      if (field.number == 2) element.has_namespace = !field.bytes.empty();
      if (field.number == 3) {
        if (auto ok = budget_->take_bytes(field.bytes.size()); !ok) return ok;
        element.name = touchmark::to_string(field.bytes);
      }
      return once.see(field);
    }
    return {};
  };
  if (auto ok = for_each_field(message, *budget_, visit); !ok) return pass(ok);
  if (auto ok = check_ids(element); !ok) return pass(ok);
  return element;
}

Result<XmlAttribute> ProtoXml::read_attribute(ByteView message) {
  XmlAttribute attribute;
  ByteView text;
  std::optional<Item> item;
  Once once;
  if (auto ok = budget_->take_bytes(kAttributeCost); !ok) return pass(ok);
  const auto visit = [&](const protobuf::ProtoField& field) -> Result<void> {
    if (field.is_message(1)) attribute.has_namespace = !field.bytes.empty();
    if (field.is_message(2)) {
      if (auto ok = budget_->take_bytes(field.bytes.size()); !ok) return ok;
      attribute.name = touchmark::to_string(field.bytes);
    }
    if (field.is_message(3)) text = field.bytes;
    if (field.is_number(5)) attribute.resource_id = static_cast<std::uint32_t>(field.value);
    if (field.is_message(6)) {
      auto parsed = parse_item(field.bytes, *budget_);
      if (!parsed) return pass(parsed);
      item = *parsed;
    }
    return once.see(field);
  };
  if (auto ok = for_each_field(message, *budget_, visit); !ok) return pass(ok);
  if (item && item->value.type != ValueType::kNull) {
    attribute.value = item->value;
    if (item->value.type == ValueType::kString) attribute.value.data = add_string(item->text);
  } else {
    attribute.value = {ValueType::kString, add_string(text)};
  }
  return attribute;
}

Result<std::string> ProtoTable::string(std::uint32_t resource_id) const {
  const auto found = resolve(table_, resource_id, TableReader::kPerson, *budget_);
  if (!found) return pass(found);
  return text_of(resource_id, found->item, *budget_);
}

Result<std::string> ProtoTable::installer_string(std::uint32_t resource_id) const {
  const auto found = resolve(table_, resource_id, TableReader::kInstaller, *budget_);
  if (!found) return pass(found);
  if (found->varies) return std::string();
  return text_of(resource_id, found->item, *budget_);
}

Result<std::uint32_t> ProtoTable::integer(std::uint32_t resource_id) const {
  const auto found = resolve(table_, resource_id, TableReader::kInstaller, *budget_);
  if (!found) return pass(found);
  if (!found->item.value.is_whole_number()) {
    return fail(BundleError::kNotAnInteger, "resource " + std::to_string(resource_id));
  }
  return found->item.value.data;
}

Result<std::set<std::string>> ProtoTable::every_string(std::uint32_t resource_id) const {
  std::set<std::string> out;
  std::vector<std::uint32_t> resources{resource_id};  // grows with what they refer to
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (i > kMaxReferences) {
      return fail(BundleError::kReferenceCycle, "a resource refers to too many others");
    }
    const auto items = every_item(table_, resources[i], *budget_);
    if (!items) return pass(items);
    for (const Item& item : *items) {
      if (!item.value.is_reference()) {
        auto text = text_of(resources[i], item, *budget_);
        if (!text) return pass(text);
        out.insert(*std::move(text));
      } else if (std::ranges::find(resources, item.value.data) == resources.end()) {
        resources.push_back(item.value.data);
      }
    }
  }
  if (!out.empty()) return out;
  return fail(BundleError::kReferenceCycle, "a resource refers to itself alone");
}

}  // namespace touchmark::package::bundle
