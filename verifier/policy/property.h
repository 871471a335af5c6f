// The properties of a device that filters compare.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "verifier/policy/facts.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

// Text, or what is ordered; monostate when the evidence does not say.
using PropertyValue = std::variant<std::monostate, std::string, Version>;

struct Property {
  std::string_view name;
  bool ordered = false;  // compared as "<13" rather than as "sam*"
  PropertyValue (*of)(const Facts& facts);
};

std::span<const Property> all_properties();
const Property* find_property(std::string_view name);  // nullptr when unknown

// Whether every condition of `filter` holds; one about a property that the evidence does not state
// does not.
bool matches(const Filter& filter, const Facts& facts);

}  // namespace touchmark::verifier::policy
