// Builds protocol buffer messages for tests, field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/testing/bytes_writer.h"

namespace touchmark::package::testing {

inline std::string proto_varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += u8(value | 0x80);
  return out + u8(value);
}
inline std::string proto_number(std::uint32_t field, std::uint64_t value) {
  return proto_varint(std::uint64_t{field} << 3) + proto_varint(value);
}
inline std::string proto_bytes(std::uint32_t field, std::string_view content) {
  return proto_varint(std::uint64_t{field} << 3 | 2) + proto_varint(content.size()) +
         std::string(content);
}

// The messages of aapt2's Resources.proto.
inline std::string proto_attribute(std::string_view name, std::uint32_t resource_id,
                                   std::string_view text, std::string_view item = "") {
  return proto_bytes(2, name) + proto_bytes(3, text) +
         (resource_id == 0 ? "" : proto_number(5, resource_id)) +
         (item.empty() ? "" : proto_bytes(6, item));
}
inline std::string proto_int_item(std::uint32_t value) {
  return proto_bytes(7, proto_number(6, value));
}
inline std::string proto_reference_item(std::uint32_t id) {
  return proto_bytes(1, proto_number(2, id));
}
inline std::string proto_string_item(std::string_view text) {
  return proto_bytes(2, proto_bytes(1, text));
}
// A node that is an element: `attributes` and `children` are fields 4 and 5, already written.
inline std::string proto_element(std::string_view name, std::string_view attributes,
                                 std::string_view children = "") {
  return proto_bytes(1, proto_bytes(3, name) + std::string(attributes) + std::string(children));
}

// A table with one type (id 1) of package 0x7f: entries are field 3, already written.
inline std::string proto_table(std::string_view entries) {
  const std::string type = proto_bytes(1, proto_number(1, 1)) + std::string(entries);
  return proto_bytes(2, proto_bytes(1, proto_number(1, 0x7f)) + proto_bytes(3, type));
}
// Entry `id` with one value, in the default configuration or in that of a language.
inline std::string proto_entry(std::uint32_t id, std::string_view item,
                               std::string_view language = "") {
  const std::string config = language.empty() ? "" : proto_bytes(1, proto_bytes(3, language));
  const std::string value = proto_bytes(2, proto_bytes(4, item));
  return proto_bytes(3, proto_bytes(1, proto_number(1, id)) + proto_bytes(6, config + value));
}

}  // namespace touchmark::package::testing
