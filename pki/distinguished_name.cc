#include "pki/distinguished_name.h"

#include "base/encoding.h"
#include "formats/der_fields.h"

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

NameAttribute parse_attribute(const der::Element& element, der::Failure& failure) {
  der::Fields fields(element.content, failure);
  const ByteView type = fields.oid();
  const der::Element value = fields.read();
  fields.finish();
  if (failure) return {};
  NameAttribute attribute;
  attribute.encoded = element.full;
  for (const TypeName& known : kTypes) {
    if (type == known.oid) attribute.type = known.name;
  }
  if (attribute.type.empty()) attribute.type = failure.take(der::decode_oid(type));
  auto text = der::decode_string(value);
  attribute.value = text ? std::move(*text) : "#" + hex_encode(value.full);
  return attribute;
}

}  // namespace

Result<std::vector<NameAttribute>> parse_name(ByteView name) {
  der::Failure failure;
  std::vector<NameAttribute> attributes;
  for (auto sets = der::Fields::of(name, der::kSequence, failure); !sets.at_end();) {
    for (auto set = sets.enter(der::kSet); !set.at_end();) {
      attributes.push_back(parse_attribute(set.read(der::kSequence), failure));
    }
  }
  return failure.or_else(std::move(attributes));
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
