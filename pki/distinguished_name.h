// X.500 names as certificates carry them (RFC 5280 section 4.1.2.4).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::pki {

struct NameAttribute {
  std::string type;   // "CN", "O", "serialNumber", "title", or the identifier in dotted form
  std::string value;  // UTF-8; of a string type that is not read, "#" and its DER in hex
  ByteView encoded;   // the AttributeTypeAndValue, for exact comparison
};

// `name` is the DER of a Name. Errors are der.*.
Result<std::vector<NameAttribute>> parse_name(ByteView name);

// "CN=Droid CA2, O=Google LLC", in the order of the certificate; for humans.
std::string to_string(const std::vector<NameAttribute>& name);
// nullptr when absent; the first of several.
const std::string* find_attribute(const std::vector<NameAttribute>& name, std::string_view type);

}  // namespace touchmark::pki
