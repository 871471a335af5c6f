// A manifest and the resources it refers to, in whichever form a package holds them: compiled (an
// APK's binary XML and resources.arsc) or as protocol buffers (an app bundle's).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace touchmark::package {

// Types of typed values (Res_value::dataType).
enum class ValueType : std::uint8_t {
  kNull = 0x00,
  kReference = 0x01,
  kAttribute = 0x02,
  kString = 0x03,
  kFloat = 0x04,
  kDimension = 0x05,
  kFraction = 0x06,
  kDynamicReference = 0x07,
  kIntDec = 0x10,  // the first of the whole numbers
  kIntHex = 0x11,
  kBoolean = 0x12,
  kFirstColor = 0x1c,
  kLastColor = 0x1f,  // the last of the whole numbers
};

struct TypedValue {
  ValueType type = ValueType::kNull;
  std::uint32_t data = 0;  // for kString the index of a string of the document or table

  bool is_int() const { return type == ValueType::kIntDec || type == ValueType::kIntHex; }
  // A number, a truth value or a colour: what the platform takes where it wants an integer.
  bool is_whole_number() const {
    return type >= ValueType::kIntDec && type <= ValueType::kLastColor;
  }
  bool is_reference() const {
    return type == ValueType::kReference || type == ValueType::kDynamicReference;
  }
};

// What the platform shows for a value that is no string, as TypedValue.coerceToString() has it:
// "3", "0x1f", "1.5", "true", "#ff00ff00", "12.0dip". Nothing for a value that has no text.
std::optional<std::string> coerce_to_text(const TypedValue& value);

struct XmlAttribute {
  std::string name;
  bool has_namespace = false;
  std::uint32_t resource_id = 0;  // what the platform looks attributes up by; 0 for none
  TypedValue value;
};

struct XmlElement {
  std::string name;
  bool has_namespace = false;
  unsigned depth = 0;  // 1 for the root
  std::vector<XmlAttribute> attributes;

  // By resource id; nullptr when absent.
  const XmlAttribute* find(std::uint32_t resource_id) const {
    for (const XmlAttribute& attribute : attributes) {
      if (attribute.resource_id == resource_id) return &attribute;
    }
    return nullptr;
  }
};

// The start tags of one document, in order.
class XmlSource {
 public:
  virtual ~XmlSource() = default;
  // The next start tag, or nothing at the end of a well-formed document.
  virtual Result<std::optional<XmlElement>> next() = 0;
  // The string that a value of type kString names, in UTF-8.
  virtual Result<std::string> string(std::uint32_t index) const = 0;
  // The text between the start tag that next() gave last and the tag after it.
  virtual Result<std::string> text() const = 0;
};

// The values of resources. References are followed. A value that is no string is coerced to one.
class ResourceSource {
 public:
  virtual ~ResourceSource() = default;
  // For people: in the default configuration, and of a resource that has no value there, what a
  // phone of today would show, or any device.
  virtual Result<std::string> string(std::uint32_t resource_id) const = 0;
  // As the installer reads it, which knows nothing of the device but its version: empty when the
  // value depends on the device's configuration.
  virtual Result<std::string> installer_string(std::uint32_t resource_id) const = 0;
  // As the installer reads it; a truth value is 0 or not 0.
  virtual Result<std::uint32_t> integer(std::uint32_t resource_id) const = 0;
  // Each once: what string() would give, in whichever configuration of devices. A file is its path.
  virtual Result<std::set<std::string>> every_string(std::uint32_t resource_id) const = 0;
};

}  // namespace touchmark::package
