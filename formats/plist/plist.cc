#include "formats/plist/plist.h"

#include <algorithm>

#include "base/text.h"

namespace touchmark::plist {
std::string_view error_id(PlistError error) {
  using enum PlistError;
  static constexpr auto kIds = error_table<PlistError>({
      {kUnknownForm, "plist.unknown-form"},
      {kBadTrailer, "plist.bad-trailer"},
      {kBadObject, "plist.bad-object"},
      {kBadXml, "plist.bad-xml"},
      {kBadValue, "plist.bad-value"},
      {kDuplicateKey, "plist.duplicate-key"},
      {kTooDeep, "plist.too-deep"},
      {kTooLarge, "plist.too-large"},
  });
  return kIds[error];
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

Result<void> check_plist_keys(const PlistValue::Dict& entries) {
  std::vector<std::string_view> keys;
  keys.reserve(entries.size());
  for (const PlistEntry& entry : entries) keys.push_back(entry.key);
  std::ranges::sort(keys);
  const auto doubled = std::ranges::adjacent_find(keys);
  if (doubled == keys.end()) return {};
  return fail(PlistError::kDuplicateKey, shortened(*doubled));
}

Result<PlistValue> parse_plist(ByteView file, Budget& budget) {
  const std::string_view text = as_text(file);
  if (text.starts_with("bplist00")) return parse_binary_plist(file, budget);
  const std::size_t start = text.find_first_not_of("\xef\xbb\xbf \t\r\n");
  if (start != text.npos && text[start] == '<') return parse_xml_plist(text.substr(start), budget);
  return fail(PlistError::kUnknownForm, "neither a binary nor an XML property list");
}

Result<PlistValue> parse_plist(ByteView file) {
  Budget budget(file.size());
  return parse_plist(file, budget);
}

}  // namespace touchmark::plist
