#include "pki/distinguished_name.h"

#include "base/encoding.h"
#include "formats/der.h"

namespace touchmark::pki {
namespace {

struct TypeName {
  der::Oid oid;
  std::string_view name;
};
constexpr TypeName kTypes[] = {
    {der::Oid("2.5.4.3"), "CN"},  {der::Oid("2.5.4.5"), "serialNumber"},
    {der::Oid("2.5.4.6"), "C"},   {der::Oid("2.5.4.7"), "L"},
    {der::Oid("2.5.4.8"), "ST"},  {der::Oid("2.5.4.10"), "O"},
    {der::Oid("2.5.4.11"), "OU"}, {der::Oid("2.5.4.12"), "title"},
};

Result<NameAttribute> parse_attribute(const der::Element& element) {
  der::Reader reader(element.content);
  auto type = reader.read(der::kOid);
  if (!type) return pass(type);
  auto value = reader.read();
  if (!value) return pass(value);
  if (auto end = reader.finish(); !end) return pass(end);
  NameAttribute attribute;
  attribute.encoded = element.full;
  for (const TypeName& known : kTypes) {
    if (type->content == known.oid) attribute.type = known.name;
  }
  if (attribute.type.empty()) {
    auto dotted = der::decode_oid(type->content);
    if (!dotted) return pass(dotted);
    attribute.type = std::move(*dotted);
  }
  auto text = der::decode_string(*value);
  attribute.value = text ? std::move(*text) : "#" + hex_encode(value->full);
  return attribute;
}

}  // namespace

Result<std::vector<NameAttribute>> parse_name(ByteView name) {
  auto outer = der::parse(name, der::kSequence);
  if (!outer) return pass(outer);
  std::vector<NameAttribute> attributes;
  der::Reader reader(outer->content);
  while (!reader.at_end()) {
    auto set = reader.enter(der::kSet);
    if (!set) return pass(set);
    while (!set->at_end()) {
      auto element = set->read(der::kSequence);
      if (!element) return pass(element);
      auto attribute = parse_attribute(*element);
      if (!attribute) return pass(attribute);
      attributes.push_back(std::move(*attribute));
    }
  }
  return attributes;
}

std::string to_string(const std::vector<NameAttribute>& name) {
  std::string text;
  for (const NameAttribute& attribute : name) {
    if (!text.empty()) text += ", ";
    text += attribute.type + "=" + attribute.value;
  }
  return text;
}

const std::string* find_attribute(const std::vector<NameAttribute>& name, std::string_view type) {
  for (const NameAttribute& attribute : name) {
    if (attribute.type == type) return &attribute.value;
  }
  return nullptr;
}

}  // namespace touchmark::pki
