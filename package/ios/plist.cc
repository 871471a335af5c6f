#include "package/ios/plist.h"

#include <algorithm>

namespace touchmark::package {

std::string_view error_id(PlistError error) {
  switch (error) {
    case PlistError::kUnknownForm:
      return "plist.unknown-form";
    case PlistError::kBadTrailer:
      return "plist.bad-trailer";
    case PlistError::kBadObject:
      return "plist.bad-object";
    case PlistError::kBadXml:
      return "plist.bad-xml";
    case PlistError::kBadValue:
      return "plist.bad-value";
    case PlistError::kDuplicateKey:
      return "plist.duplicate-key";
    case PlistError::kTooDeep:
      return "plist.too-deep";
    case PlistError::kTooLarge:
      return "plist.too-large";
  }
  return "plist.unknown";
}

const PlistValue* PlistValue::find(std::string_view key) const {
  const Dict* dict = as<Dict>();
  if (dict == nullptr) return nullptr;
  const auto at = std::ranges::find(*dict, key, &PlistEntry::key);
  return at == dict->end() ? nullptr : &at->value;
}

const std::string* PlistValue::find_text(std::string_view key) const {
  const PlistValue* value = find(key);
  return value == nullptr ? nullptr : value->as<std::string>();
}

Result<PlistValue> parse_plist(ByteView file) {
  const std::string_view text = as_text(file);
  if (text.starts_with("bplist00")) return parse_binary_plist(file);
  const std::size_t start = text.find_first_not_of("\xef\xbb\xbf \t\r\n");
  if (start != text.npos && text[start] == '<') return parse_xml_plist(text.substr(start));
  return fail(PlistError::kUnknownForm, "neither a binary nor an XML property list");
}

}  // namespace touchmark::package
