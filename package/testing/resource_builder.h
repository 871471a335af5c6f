// Builds binary XML and resource tables for tests, from chunks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchmark::package::testing {

// One chunk: its 8 bytes, `header`, `body`, padded to 4 bytes.
std::string chunk(std::uint16_t type, std::string_view header, std::string_view body);

enum class PoolEncoding { kUtf8, kUtf16 };  // ASCII strings only
std::string string_pool(const std::vector<std::string>& strings,
                        PoolEncoding encoding = PoolEncoding::kUtf8);

struct XmlTestAttribute {
  std::string name;
  std::uint32_t resource_id = 0;
  std::uint8_t type = 0x10;
  std::uint32_t data = 0;
  std::optional<std::string> text = {};  // makes it a string attribute
  bool has_namespace = false;
};

struct XmlTestElement {
  std::string name;
  std::vector<XmlTestAttribute> attributes = {};
  std::vector<XmlTestElement> children = {};
  bool has_namespace = false;
  std::string text = {};  // before the children
};

// The chunks of a document, to be changed by a test before they are joined.
struct XmlDocument {
  std::string pool = {};
  std::string map = {};
  std::vector<std::string> nodes;

  std::string build() const;
};
XmlDocument xml_document(const XmlTestElement& root, PoolEncoding encoding = PoolEncoding::kUtf8);

// <manifest package="org.example.app" versionCode="7" versionName="1.2"> with <uses-sdk> (min 21,
// target 33) and <application label="Example">.
XmlTestElement sample_manifest();

struct TableEntry {
  std::uint16_t index = 0;  // within the type
  std::uint8_t type = 0x03;
  std::uint32_t data = 0;
  bool complex = false;
};
enum class TypeLayout { kPlain, kSparse, kOffset16, kCompact };
// A type chunk; `language` "" for the default configuration.
std::string type_chunk(std::uint8_t type_id, const std::vector<TableEntry>& entries,
                       TypeLayout layout = TypeLayout::kPlain, std::string_view language = "");
// A whole table with one package (id 0x7f).
std::string resource_table(const std::vector<std::string>& strings, std::string_view types);

}  // namespace touchmark::package::testing
