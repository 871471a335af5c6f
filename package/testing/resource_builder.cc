#include "package/testing/resource_builder.h"

#include <algorithm>
#include <map>

#include "formats/testing/bytes_writer.h"

namespace touchmark::package::testing {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr char kNamespace[] = "http://schemas.android.com/apk/res/android";

std::string padded(std::string text) {
  while (text.size() % 4 != 0) text += '\0';
  return text;
}

std::string utf8_length(std::size_t length) {
  return length < 0x80 ? u8(length) : u8(0x80 | length >> 8) + u8(length);
}

// Gives every string of the document its index; attribute names with a resource id come first.
class Pool {
 public:
  explicit Pool(const XmlTestElement& root) {
    collect_ids(root);
    for (const auto& [id, name] : ids_) add("#" + std::to_string(id), name);
  }
  std::uint32_t of(const std::string& text) { return add(text, text); }
  std::uint32_t of(const XmlTestAttribute& attribute) {
    if (attribute.resource_id == 0) return of(attribute.name);
    return add("#" + std::to_string(attribute.resource_id), attribute.name);
  }
  std::string map() const {
    std::string body;
    for (const auto& [id, name] : ids_) body += u32(id);
    return chunk(0x0180, "", body);
  }
  const std::vector<std::string>& strings() const { return strings_; }

 private:
  void collect_ids(const XmlTestElement& element) {
    for (const auto& attribute : element.attributes) {
      if (attribute.resource_id != 0) ids_[attribute.resource_id] = attribute.name;
    }
    for (const auto& child : element.children) collect_ids(child);
  }
  std::uint32_t add(const std::string& key, const std::string& text) {
    const auto [at, fresh] = index_.try_emplace(key, static_cast<std::uint32_t>(strings_.size()));
    if (fresh) strings_.push_back(text);
    return at->second;
  }

  std::map<std::uint32_t, std::string> ids_;
  std::map<std::string, std::uint32_t> index_;
  std::vector<std::string> strings_;
};

std::string attribute_bytes(const XmlTestAttribute& attribute, Pool& pool) {
  const std::uint32_t ns = attribute.has_namespace ? pool.of(kNamespace) : kNone;
  const std::uint32_t text = attribute.text ? pool.of(*attribute.text) : kNone;
  const std::uint8_t type = attribute.text ? 0x03 : attribute.type;
  return u32(ns) + u32(pool.of(attribute)) + u32(text) + u16(8) + u8(0) + u8(type) +
         u32(attribute.text ? text : attribute.data);
}

void add_nodes(const XmlTestElement& element, Pool& pool, std::vector<std::string>& nodes) {
  const std::string line_and_comment = u32(1) + u32(kNone);
  const std::uint32_t ns = element.has_namespace ? pool.of(kNamespace) : kNone;
  const std::string name = u32(ns) + u32(pool.of(element.name));
  std::string body = name + u16(20) + u16(20) + u16(element.attributes.size()) + u16(0) + u32(0);
  for (const auto& attribute : element.attributes) body += attribute_bytes(attribute, pool);
  nodes.push_back(chunk(0x0102, line_and_comment, body));
  if (!element.text.empty()) {
    const std::uint32_t text = pool.of(element.text);
    nodes.push_back(
        chunk(0x0104, line_and_comment, u32(text) + u16(8) + u8(0) + u8(0x03) + u32(text)));
  }
  for (const auto& child : element.children) add_nodes(child, pool, nodes);
  nodes.push_back(chunk(0x0103, line_and_comment, name));
}

}  // namespace

std::string chunk(std::uint16_t type, std::string_view header, std::string_view body) {
  const std::string padded_body = padded(std::string(body));
  return u16(type) + u16(8 + header.size()) + u32(8 + header.size() + padded_body.size()) +
         std::string(header) + padded_body;
}

std::string string_pool(const std::vector<std::string>& strings, PoolEncoding encoding) {
  std::string offsets;
  std::string texts;
  for (const std::string& text : strings) {
    offsets += u32(texts.size());
    if (encoding == PoolEncoding::kUtf8) {
      texts += utf8_length(text.size()) + utf8_length(text.size()) + text + u8(0);
    } else {
      texts += u16(text.size());
      for (const char c : text) texts += u16(static_cast<unsigned char>(c));
      texts += u16(0);
    }
  }
  const std::uint32_t flags = encoding == PoolEncoding::kUtf8 ? 0x100 : 0;
  const std::string header =
      u32(strings.size()) + u32(0) + u32(flags) + u32(28 + offsets.size()) + u32(0);
  return chunk(0x0001, header, offsets + texts);
}

std::string XmlDocument::build() const {
  std::string body = pool + map;
  for (const std::string& node : nodes) body += node;
  return chunk(0x0003, "", body);
}

XmlDocument xml_document(const XmlTestElement& root, PoolEncoding encoding) {
  Pool pool(root);
  XmlDocument document;
  add_nodes(root, pool, document.nodes);
  document.pool = string_pool(pool.strings(), encoding);
  document.map = pool.map();
  return document;
}

XmlTestElement sample_manifest() {
  XmlTestElement manifest{"manifest"};
  manifest.attributes = {
      {.name = "versionCode", .resource_id = 0x0101021b, .data = 7, .has_namespace = true},
      {.name = "versionName", .resource_id = 0x0101021c, .text = "1.2", .has_namespace = true},
      {.name = "package", .text = "org.example.app"},
  };
  manifest.children = {
      {"uses-sdk",
       {{.name = "minSdkVersion", .resource_id = 0x0101020c, .data = 21, .has_namespace = true},
        {.name = "targetSdkVersion",
         .resource_id = 0x01010270,
         .data = 33,
         .has_namespace = true}}},
      {"application",
       {{.name = "label", .resource_id = 0x01010001, .text = "Example", .has_namespace = true}}},
  };
  return manifest;
}

std::string type_chunk(std::uint8_t type_id, const std::vector<TableEntry>& entries,
                       TypeLayout layout, std::string_view language) {
  std::string values;
  std::map<std::uint16_t, std::size_t> offsets;
  for (const TableEntry& entry : entries) {
    offsets[entry.index] = values.size();
    if (layout == TypeLayout::kCompact) {
      values += u16(0) + u16(0x0008 | entry.type << 8) + u32(entry.data);
    } else {
      values += u16(8) + u16(entry.complex ? 1 : 0) + u32(0) + u16(8) + u8(0) + u8(entry.type) +
                u32(entry.data);
    }
  }
  std::string table;
  std::size_t count = offsets.empty() ? 0 : std::size_t{offsets.rbegin()->first} + 1;
  if (layout == TypeLayout::kSparse) {
    for (const auto& [index, offset] : offsets) table += u16(index) + u16(offset / 4);
    count = offsets.size();
  } else {
    for (std::uint16_t i = 0; i < count; ++i) {
      const auto at = offsets.find(i);
      const bool present = at != offsets.end();
      table += layout == TypeLayout::kOffset16 ? u16(present ? at->second / 4 : 0xffff)
                                               : u32(present ? at->second : kNone);
    }
  }
  table = padded(table);
  const std::uint8_t flags = layout == TypeLayout::kSparse     ? 1
                             : layout == TypeLayout::kOffset16 ? 2
                                                               : 0;
  std::string config = u32(64) + std::string(60, '\0');
  config.replace(8, language.size(), language);
  const std::string header = u8(type_id) + u8(flags) + u16(0) + u32(count) +
                             u32(8 + 12 + config.size() + table.size()) + config;
  return chunk(0x0201, header, table + values);
}

std::string resource_table(const std::vector<std::string>& strings, std::string_view types) {
  const std::string header =
      u32(0x7f) + std::string(256, '\0') + u32(288) + u32(0) + u32(0) + u32(0) + u32(0);
  const std::string package =
      chunk(0x0200, header, string_pool({"string"}) + string_pool({"name"}) + std::string(types));
  return chunk(0x0002, u32(1), string_pool(strings) + package);
}

}  // namespace touchmark::package::testing
