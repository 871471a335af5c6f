// Manifests and resource tables of app bundles: the messages XmlNode and ResourceTable of AOSP's
// frameworks/base/tools/aapt2/Resources.proto.
//
// In protocol buffers a field that is there twice counts by its last value or is merged; readers of
// other kinds take the first. The fields that are read here may be there once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/budget.h"
#include "formats/protobuf_wire.h"
#include "package/model/xml_source.h"

namespace touchmark::package::bundle {

enum class BundleError {
  kNoManifest,      // no base/manifest/AndroidManifest.xml
  kNotXml,          // a manifest that is no element
  kTooDeep,         // over 100 levels of elements
  kDuplicateField,  // a field that may be there once is there twice
  kDuplicateAttribute,
  kBadText,  // a string that is not UTF-8
  kNoSuchString,
  kNoSuchResource,  // no value, or none that the installer takes
  kNotAString,      // the value has no text
  kNotAnInteger,
  kReferenceCycle,  // over 20 references
  kUnknownPlace,    // a file that is in no place a bundle has
  kPartCollision,   // two files that become the same part of the installed app
  kNotInstallable,  // asked whether a device would take it
};
std::string_view error_id(BundleError error);

// One document, element by element. A view: bytes and budget must outlive it; what is decoded
// counts on the budget (BudgetError). Besides the above ProtoError.
class ProtoXml final : public XmlSource {
 public:
  static Result<ProtoXml> parse(ByteView document, Budget& budget);

  Result<std::optional<XmlElement>> next() override;
  // Of an attribute of the element that next() gave last.
  Result<std::string> string(std::uint32_t index) const override;
  Result<std::string> text() const override;

 private:
  Result<std::optional<XmlElement>> read_node(ByteView node);
  Result<XmlElement> read_element(ByteView element);
  Result<XmlAttribute> read_attribute(ByteView attribute);
  std::uint32_t add_string(ByteView text);

  explicit ProtoXml(Budget& budget) : budget_(&budget) {}

  Budget* budget_;
  ByteView document_;
  bool started_ = false;
  std::vector<ByteView> open_;  // of each open element, what is left of its message
  std::vector<ByteView> strings_;
};

// A view: bytes and budget must outlive it. Read when asked, so that opening costs nothing.
class ProtoTable final : public ResourceSource {
 public:
  ProtoTable(ByteView table, Budget& budget) : table_(table), budget_(&budget) {}

  Result<std::string> string(std::uint32_t resource_id) const override;
  Result<std::string> installer_string(std::uint32_t resource_id) const override;
  Result<std::uint32_t> integer(std::uint32_t resource_id) const override;
  Result<std::set<std::string>> every_string(std::uint32_t resource_id) const override;

 private:
  ByteView table_;
  Budget* budget_;
};

}  // namespace touchmark::package::bundle
