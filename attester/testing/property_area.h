// Writes the files in which Android's init keeps properties, as bionic/libc/system_properties lays
// them out: a header, and a trie over the parts of names. It shares nothing with the reader in
// attester/checks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace touchmark::attester::testing {

struct RecordedProperty {
  std::string name;
  std::string value;
  std::uint32_t changes = 0;  // how often it was set again
};

// 128 KiB, as init makes them.
Bytes make_property_area(const std::vector<RecordedProperty>& properties);

}  // namespace touchmark::attester::testing
