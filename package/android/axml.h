// Binary XML, the form of AndroidManifest.xml in a package (ResXMLTree of AOSP's androidfw).
//
// A document is read as the platform's ResXMLParser reads it, which goes by the sizes that headers
// state: of a node's header, of the place and size of attributes. What it passes over is passed
// over: chunks of other types, bytes after the last attribute or after the document. A document on
// which it and AOSP's other reader, that of apksig, could differ is refused.
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
  kChunkOrder,          // no string pool before the nodes; a second one, or a second resource map
  kAttributeLayout,     // attributes that leave their tag, or are shorter than their fields
  kAttributeOrder,      // resource ids not rising: the platform's look-up would miss an attribute
  kAttributeDuplicate,  // the same resource id or name twice
  kValueConflict,       // the text of an attribute and its typed value differ
  kUnbalanced,          // an end without its start, or the other way round
  kTooDeep,             // over 100 levels
  kSeveralRoots,
};
std::string_view error_id(AxmlError error);

// Reads one document from start to end. A view: bytes and budget must outlive it. Besides the above
// StringPoolError and BudgetError.
class XmlReader final : public XmlSource {
 public:
  static Result<XmlReader> open(ByteView document, Budget& budget);

  Result<std::optional<XmlElement>> next() override;
  Result<std::string> string(std::uint32_t index) const override { return strings_.get(index); }
  Result<std::string> text() const override;

 private:
  Result<void> read_prologue();
  Result<XmlElement> read_start(const Chunk& chunk);
  Result<void> read_end(const Chunk& chunk);
  Result<XmlAttribute> read_attribute(ByteView bytes) const;

  Budget* budget_ = nullptr;
  ByteView rest_;
  StringPool strings_;
  ByteView resource_ids_;
  std::vector<std::uint32_t> open_;  // name indices of the elements that are open
  bool had_root_ = false;
};

}  // namespace touchmark::package::android
