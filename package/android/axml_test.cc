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
  auto reader = XmlReader::open(as_bytes(document));
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
  auto reader = XmlReader::open(as_bytes(bytes));
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
  EXPECT_EQ(refusal(good + u32(0)), "axml.not-xml");
  EXPECT_EQ(refusal(good.substr(0, good.size() - 4)), "axml.not-xml");
  EXPECT_EQ(refusal(chunk(0x0002, u32(0), "")), "axml.not-xml");
  // The platform does not look at the outermost type, so packers change it.
  std::string renamed = good;
  testing::patch(renamed, 0, u16(0));
  EXPECT_EQ(refusal(renamed), "axml.not-xml");
}

TEST(Axml, RefusesWrongChunkSizes) {
  EXPECT_EQ(refusal(chunk(0x0003, "", "")), "axml.chunk-size");
  // Larger than what is left, shorter than its header, a header past the end, and not of 4 bytes.
  for (const std::string_view size : {u32(0x1000), u32(4), u32(0), u32(0xfffffff0), u32(30)}) {
    EXPECT_EQ(refusal_after([&](XmlDocument& d) { testing::patch(d.nodes[1], 4, size); }),
              "axml.chunk-size");
  }
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[1], 2, u16(0xfff0)); }),
            "axml.chunk-size");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[1], 2, u16(8)); }),
            "axml.chunk-size");
  // Bytes after the last attribute, and fewer attributes than counted.
  EXPECT_EQ(refusal_after([](XmlDocument& d) {
              d.nodes[1] += u32(0);
              testing::patch(d.nodes[1], 4, u32(d.nodes[1].size()));
            }),
            "axml.chunk-size");
  EXPECT_EQ(refusal_after([](XmlDocument& d) { testing::patch(d.nodes[1], 28, u16(9)); }),
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
  EXPECT_EQ(refusal_after([](XmlDocument& d) { std::swap(d.pool, d.map); }), "axml.chunk-order");
  EXPECT_EQ(refusal_after([](XmlDocument& d) {
              d.nodes.insert(d.nodes.begin(), chunk(0x1234, std::string(8, '\0'), ""));
            }),
            "axml.unknown-chunk");
}

TEST(Axml, RefusesAttributesElsewhere) {
  const auto layout = [](std::size_t at, std::uint16_t value) {
    return refusal_after([&](XmlDocument& d) { testing::patch(d.nodes[1], at, u16(value)); });
  };
  EXPECT_EQ(layout(24, 24), "axml.attribute-layout");  // start
  EXPECT_EQ(layout(26, 24), "axml.attribute-layout");  // size
  EXPECT_EQ(layout(26, 0), "axml.attribute-layout");
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
