// Binary XML, the form of AndroidManifest.xml in a package (ResXMLTree of AOSP's androidfw).
//
// The platform's reader skips what it does not understand, and so do others, each in its own way. A
// document on which they could differ is refused: every chunk must be one of those that the
// resource compilers write, in their order, and hold exactly what its size says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "package/android/string_pool.h"
#include "package/model/xml_source.h"

namespace touchmark::package::android {

enum class AxmlError {
  kNotXml,              // does not begin with an XML chunk that fills the document
  kChunkSize,           // a chunk or header of a wrong size
  kUnknownChunk,        // a type that has no place in a document
  kChunkOrder,          // string pool, resource map, nodes: each once, in this order
  kAttributeLayout,     // attributes elsewhere than directly after the element's fields
  kAttributeOrder,      // resource ids not rising: the platform's look-up would miss an attribute
  kAttributeDuplicate,  // the same resource id or name twice
  kValueConflict,       // the text of an attribute and its typed value differ
  kUnbalanced,          // an end without its start, or the other way round
  kTooDeep,             // over 100 levels
  kSeveralRoots,
};
std::string_view error_id(AxmlError error);

// Reads one document from start to end. A view: the bytes must outlive it.
class XmlReader final : public XmlSource {
 public:
  static Result<XmlReader> open(ByteView document);

  Result<std::optional<XmlElement>> next() override;
  Result<std::string> string(std::uint32_t index) const override { return strings_.get(index); }

 private:
  Result<XmlElement> read_start(const Chunk& chunk);
  Result<void> read_end(const Chunk& chunk);
  Result<XmlAttribute> read_attribute(ByteView bytes) const;

  ByteView rest_;
  StringPool strings_;
  ByteView resource_ids_;
  std::vector<std::uint32_t> open_;  // name indices of the elements that are open
  bool had_root_ = false;
};

}  // namespace touchmark::package::android
