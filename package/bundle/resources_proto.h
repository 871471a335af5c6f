// Manifests and resource tables of app bundles: the messages XmlNode and ResourceTable of AOSP's
// frameworks/base/tools/aapt2/Resources.proto.
//
// In protocol buffers a field that is there twice counts by its last value or is merged; readers of
// other kinds take the first. The fields that are read here may be there once.
#pragma once

#include <string>
#include <vector>

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
  kNoSuchResource,  // no value in the default configuration
  kNotAString,
  kNotAnInteger,
  kReferenceCycle,  // over 20 references
  kUnknownPlace,    // a file that is in no place a bundle has
  kPartCollision,   // two files that become the same part of the installed app
  kNotInstallable,  // asked whether a device would take it
};
std::string_view error_id(BundleError error);

// One document, read whole when it is opened.
class ProtoXml final : public XmlSource {
 public:
  static Result<ProtoXml> parse(ByteView document);

  Result<std::optional<XmlElement>> next() override;
  Result<std::string> string(std::uint32_t index) const override;

 private:
  Result<void> read_node(ByteView node, unsigned depth);
  Result<void> read_element(ByteView element, unsigned depth);
  Result<XmlAttribute> read_attribute(ByteView attribute);
  std::uint32_t add_string(ByteView text);

  std::vector<XmlElement> elements_;
  std::vector<std::string> strings_;
  std::size_t next_ = 0;
};

// A view: the bytes must outlive it. Read when asked, so that opening costs nothing.
class ProtoTable final : public ResourceSource {
 public:
  explicit ProtoTable(ByteView table) : table_(table) {}

  Result<std::string> string(std::uint32_t resource_id) const override;
  Result<std::uint32_t> integer(std::uint32_t resource_id) const override;

 private:
  ByteView table_;
};

}  // namespace touchmark::package::bundle
