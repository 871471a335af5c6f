// Reads META-INF/MANIFEST.MF and *.SF: sections of "Name: value" lines (JAR file specification),
// the way Android reads them. Spaces before and after names and values count, since obfuscators use
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::signature {

struct JarSection {
  // Where the section stands, its closing empty line included: what a .SF file digests.
  std::size_t offset = 0;
  std::size_t size = 0;
  std::vector<std::pair<std::string, std::string>> attributes;

  // The value of the first attribute with this name (ASCII case does not matter), or nullptr.
  const std::string* find(std::string_view name) const;
  // The entry the section is about: the value of a leading "Name" attribute, or nullptr.
  const std::string* name() const;
};

// All sections in order. The first one is the main section. Empty for a file without any line.
// What is decoded counts on the budget, for a line of one letter takes a hundred bytes
// (BudgetError).
Result<std::vector<JarSection>> parse_jar_manifest(ByteView text, Budget& budget);

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

}  // namespace touchmark::package::signature
