#include "package/android/axml.h"

#include <gtest/gtest.h>

#include "formats/testing/bytes_writer.h"
#include "package/testing/resource_builder.h"

namespace touchmark::package::android {
namespace {

using testing::chunk;
using testing::u16;
using testing::u32;
using testing::XmlDocument;
using testing::XmlTestElement;

// The id of the refusal of the document, "" for none.
std::string refusal(const std::string& document) {
  Budget budget(document.size());
  auto reader = XmlReader::open(as_bytes(document), budget);
  if (!reader) return reader.error().id();
  for (;;) {
    const auto element = reader->next();
    if (!element) return element.error().id();
    if (!*element) return "";
  }
}

template <class Change>
std::string refusal_after(Change change) {
  XmlDocument document = testing::xml_document(testing::sample_manifest());
  change(document);
  return refusal(document.build());
}

TEST(Axml, ReadsElementsAndAttributes) {
  const std::string bytes = testing::xml_document(testing::sample_manifest()).build();
  Budget budget(bytes.size());
  auto reader = XmlReader::open(as_bytes(bytes), budget);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto manifest = reader->next();
  ASSERT_TRUE(manifest && *manifest);
  EXPECT_EQ((*manifest)->name, "manifest");
  EXPECT_EQ((*manifest)->depth, 1u);
  const XmlAttribute* code = (*manifest)->find(0x0101021b);
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(code->name, "versionCode");
  EXPECT_EQ(code->value.data, 7u);
  EXPECT_EQ((*manifest)->find(0x01010003), nullptr);
  const auto uses_sdk = reader->next();
  ASSERT_TRUE(uses_sdk && *uses_sdk);
  EXPECT_EQ((*uses_sdk)->depth, 2u);
  const auto application = reader->next();
  ASSERT_TRUE(application && *application);
  EXPECT_EQ(reader->string((*application)->attributes[0].value.data).value(), "Example");
  const auto end = reader->next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(Axml, AcceptsNamespacesTextAndNoResourceMap) {
  EXPECT_EQ(refusal_after([](XmlDocument& d) {
              const std::string line = u32(1) + u32(0xffffffff);
              d.nodes.insert(d.nodes.begin(), chunk(0x0100, line, u32(0) + u32(0)));
              d.nodes.insert(d.nodes.begin() + 2, chunk(0x0104, line, u32(0) + u32(8) + u32(0)));
              d.nodes.push_back(chunk(0x0101, line, u32(0) + u32(0)));
            }),
            "");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.map.clear(); }), "");
}

TEST(Axml, RefusesWhatIsNotOneDocument) {
  EXPECT_EQ(refusal(""), "axml.not-xml");
  EXPECT_EQ(refusal("<manifest package=\"a\"/>"), "axml.not-xml");
  const std::string good = testing::xml_document(testing::sample_manifest()).build();
  EXPECT_EQ(refusal(good.substr(0, good.size() - 4)), "axml.not-xml");
  EXPECT_EQ(refusal(chunk(0x0002, u32(0), "")), "axml.not-xml");
  // The platform does not look at the outermost type, so packers change it.
  std::string renamed = good;
  testing::patch(renamed, 0, u16(0));
  EXPECT_EQ(refusal(renamed), "axml.not-xml");
}

TEST(Axml, RefusesWrongChunkSizes) {
  EXPECT_EQ(refusal(chunk(0x0003, "", "")), "axml.chunk-order");
  // Larger than what is left, shorter than its header, a header past the end, and not of 4 bytes.
  for (const std::string_view size : {u32(0x1000), u32(4), u32(0), u32(0xfffffff0), u32(30)}) {
    EXPECT_EQ(refusal_after([&](XmlDocument& d) { testing::patch(d.nodes[1], 4, size); }),
              "axml.chunk-size");
  }
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[1], 2, u16(0xfff0)); }),
            "axml.chunk-size");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[1], 2, u16(8)); }),
            "axml.chunk-size");
}

TEST(Axml, RefusesChunksOutOfPlace) {
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.nodes.push_back(d.pool); }), "axml.chunk-order");
  // apksig would take this map, the platform would not see it.
  EXPECT_EQ(refusal_after([](XmlDocument& d) {
              d.nodes.insert(d.nodes.begin() + 1, d.map);
              d.map.clear();
            }),
            "axml.chunk-order");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.map += d.map; }), "axml.chunk-order");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.map += d.pool; }), "axml.chunk-order");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.pool.clear(); }), "axml.chunk-order");
}

TEST(Axml, RefusesAttributesThatLeaveTheirTag) {
  const auto layout = [](std::size_t at, std::uint16_t value) {
    return refusal_after([&](XmlDocument& d) { testing::patch(d.nodes[1], at, u16(value)); });
  };
  EXPECT_EQ(layout(24, 24), "axml.attribute-layout");  // start
  EXPECT_EQ(layout(26, 24), "axml.attribute-layout");  // size
  EXPECT_EQ(layout(26, 0), "axml.attribute-layout");
  EXPECT_EQ(layout(26, 16), "axml.attribute-layout");
  EXPECT_EQ(layout(28, 9), "axml.attribute-layout");  // count
}

// A node with `more` bytes at the end of its header.
std::string with_longer_header(std::string node, std::string_view more) {
  node.insert(16, more);
  testing::patch(node, 2, u16(16 + more.size()));
  testing::patch(node, 4, u32(node.size()));
  return node;
}

// The elements of a document and the texts of their attributes, one line each.
std::string dump(const std::string& document) {
  Budget budget(document.size());
  auto reader = XmlReader::open(as_bytes(document), budget);
  if (!reader) return reader.error().id();
  std::string out;
  for (;;) {
    const auto element = reader->next();
    if (!element) return element.error().id();
    if (!*element) return out;
    out += std::to_string((*element)->depth) + (*element)->name;
    for (const XmlAttribute& attribute : (*element)->attributes) {
      const bool text = attribute.value.type == ValueType::kString;
      out += " " + attribute.name + "=" +
             (text ? reader->string(attribute.value.data).value_or("?")
                   : std::to_string(attribute.value.data));
    }
    out += "\n";
  }
}

// What ResXMLParser goes by are the sizes that the headers state.
TEST(Axml, ReadsOtherLayoutsAsThePlatformDoes) {
  const XmlDocument plain = testing::xml_document(testing::sample_manifest());
  const std::string expected = dump(plain.build());
  ASSERT_NE(expected.find("package=org.example.app"), std::string::npos) << expected;
  const auto after = [&](auto change) {
    XmlDocument document = plain;
    change(document);
    return dump(document.build());
  };
  // Headers of nodes of 20 bytes, of 64, and of each kind of node alone.
  for (const std::size_t more : {4U, 48U}) {
    EXPECT_EQ(after([&](XmlDocument& d) {
                for (std::string& node : d.nodes) {
                  node = with_longer_header(node, std::string(more, '\7'));
                }
              }),
              expected);
  }
  for (std::size_t i = 0; i < plain.nodes.size(); ++i) {
    EXPECT_EQ(after([&](XmlDocument& d) { d.nodes[i] = with_longer_header(d.nodes[i], u32(7)); }),
              expected)
        << i;
  }
  // Attributes that begin later, that are larger, and bytes after the last.
  EXPECT_EQ(after([](XmlDocument& d) {
              std::string& node = d.nodes[0];
              testing::patch(node, 24, u16(28));
              node.insert(36, u32(0x01010101) + u32(0x02020202));
              testing::patch(node, 4, u32(node.size()));
            }),
            expected);
  EXPECT_EQ(after([](XmlDocument& d) {
              std::string& node = d.nodes[0];
              testing::patch(node, 26, u16(24));
              for (std::size_t i = 3; i-- > 0;) node.insert(36 + 20 * (i + 1), u32(0x03030303));
              testing::patch(node, 4, u32(node.size()));
            }),
            expected);
  EXPECT_EQ(after([](XmlDocument& d) {
              for (std::string& node : d.nodes) {
                node += u32(0);
                testing::patch(node, 4, u32(node.size()));
              }
            }),
            expected);
  // Chunks that nobody knows, before the nodes and between them.
  EXPECT_EQ(after([](XmlDocument& d) { d.pool.insert(0, chunk(0x1234, "", u32(1))); }), expected);
  EXPECT_EQ(after([](XmlDocument& d) {
              const std::string unknown = chunk(0x017f, std::string(8, '\0'), u32(1));
              d.nodes.insert(d.nodes.begin() + 1, unknown);
              d.nodes.push_back(unknown);
            }),
            expected);
  // The parser looks at such a chunk as at a node, and those have a header of 16 bytes.
  EXPECT_EQ(after([](XmlDocument& d) { d.nodes.push_back(chunk(0x017f, "", u32(1))); }),
            "axml.chunk-size");
  // The resource map before the pool, a longer header of either, bytes after the document.
  EXPECT_EQ(after([](XmlDocument& d) { std::swap(d.pool, d.map); }), expected);
  EXPECT_EQ(after([](XmlDocument& d) {
              d.map.insert(8, u32(9));
              testing::patch(d.map, 2, u16(12));
              testing::patch(d.map, 4, u32(d.map.size()));
            }),
            expected);
  EXPECT_EQ(dump(plain.build() + u32(0)), expected);
  std::string long_header = plain.build();
  long_header.insert(8, u32(0));
  testing::patch(long_header, 2, u16(12));
  testing::patch(long_header, 4, u32(long_header.size()));
  EXPECT_EQ(dump(long_header), expected);
}

TEST(Axml, ComparesStringsByTheirText) {
  const std::string expected = dump(testing::xml_document(testing::sample_manifest()).build());
  // Every string once more, and end tags and raw values that name the copies.
  XmlDocument document = testing::xml_document(testing::sample_manifest());
  const auto pool = [](const std::string& bytes, Budget& budget) {
    ByteView rest = as_bytes(bytes);
    return StringPool::parse(*take_chunk(rest), budget).value();
  };
  Budget budget(0);
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; i < pool(document.pool, budget).size(); ++i) {
    strings.push_back(pool(document.pool, budget).get(i).value());
  }
  const std::size_t count = strings.size();
  for (std::size_t i = 0; i < count; ++i) strings.push_back(strings[i]);
  document.pool = testing::string_pool(strings);
  for (std::string& node : document.nodes) {
    if (le16(as_bytes(node), 0) != 0x0103) continue;
    testing::patch(node, 20, u32(le32(as_bytes(node), 20) + count));
  }
  std::string& root = document.nodes[0];
  testing::patch(root, 36 + 20 + 8, u32(le32(as_bytes(root), 36 + 20 + 8) + count));
  EXPECT_EQ(dump(document.build()), expected);
  // Another text is another name, or another value.
  XmlDocument other = document;
  testing::patch(other.nodes.back(), 20, u32(0));
  EXPECT_EQ(dump(other.build()), "axml.unbalanced");
}

TEST(Axml, RefusesAttributesThatReadersSeeDifferently) {
  XmlTestElement manifest = testing::sample_manifest();
  std::swap(manifest.attributes[0], manifest.attributes[1]);
  EXPECT_EQ(refusal(testing::xml_document(manifest).build()), "axml.attribute-order");
  manifest = testing::sample_manifest();
  manifest.attributes.insert(manifest.attributes.begin(), manifest.attributes[0]);
  EXPECT_EQ(refusal(testing::xml_document(manifest).build()), "axml.attribute-duplicate");
  // The text of the attribute is one string, its typed value another.
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[0], 36 + 20 + 8, u32(0)); }),
            "axml.value-conflict");
}

TEST(Axml, RefusesStringsThatAreNotThere) {
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[0], 20, u32(1000)); }),
            "string-pool.no-such-string");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[0], 36 + 4, u32(1000)); }),
            "string-pool.no-such-string");
}

TEST(Axml, RefusesUnbalancedDocuments) {
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.nodes.pop_back(); }), "axml.unbalanced");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { d.nodes.push_back(d.nodes.back()); }),
            "axml.unbalanced");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { std::swap(d.nodes[2], d.nodes.back()); }),
            "axml.unbalanced");
  EXPECT_EQ(refusal_after([](XmlDocument& d) {
              d.nodes.push_back(d.nodes.front());
              d.nodes.push_back(d.nodes[d.nodes.size() - 2]);
            }),
            "axml.several-roots");
}

TEST(Axml, BoundsTheDepth) {
  XmlTestElement deep{"a"};
  for (int i = 0; i < 99; ++i) deep = {"a", {}, {deep}};
  EXPECT_EQ(refusal(testing::xml_document(deep).build()), "");
  deep = {"a", {}, {deep}};
  EXPECT_EQ(refusal(testing::xml_document(deep).build()), "axml.too-deep");
}

}  // namespace
}  // namespace touchmark::package::android
