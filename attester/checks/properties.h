// Android's properties, read from the files that init keeps them in: what libc says of them is what
// an attacker changes first.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "attester/checks/kernel.h"

namespace touchmark::attester::checks {

struct Property {
  std::string value;
  // How often it was set again since it was first set. init sets what begins with "ro." once.
  std::uint32_t changes = 0;
};

class Properties {
 public:
  // Those in one of init's files (bionic/libc/system_properties/prop_area.cpp). What is malformed
  // is left out; the file may be hostile.
  void add_area(ByteView area);

  // nullptr when there is no such property, or the app may not see it.
  const Property* find(std::string_view name) const;
  std::string value(std::string_view name) const;  // "" when there is none
  const std::map<std::string, Property, std::less<>>& all() const { return all_; }

 private:
  std::map<std::string, Property, std::less<>> all_;
};

// Of the files whose properties the checks look at, those that the app may open.
Properties read_properties(const Kernel& kernel);

}  // namespace touchmark::attester::checks
