#include "verifier/policy/property.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::verifier::policy {
namespace {

using Number = std::optional<std::uint32_t>;

PropertyValue ordered(Number number) {
  if (!number) return {};
  return Version{{*number, 0, 0, 0}};
}

PropertyValue ordered(const std::optional<Version>& version) {
  if (!version) return {};
  return *version;
}

// A number of Android's hardware evidence.
template <Number AndroidFacts::*Member>
PropertyValue android_number(const Facts& facts) {
  return facts.android ? ordered((*facts.android).*Member) : PropertyValue();
}

template <std::string Facts::*Member>
PropertyValue text(const Facts& facts) {
  return facts.*Member;
}

PropertyValue os_version(const Facts& facts) {
  if (facts.android && facts.android->os_version) {
    return android_version(*facts.android->os_version);
  }
  return ordered(parse_version(facts.os_version));
}

PropertyValue boot_state(const Facts& facts) {
  if (!facts.android || !facts.android->boot) return {};
  return std::string(to_string(facts.android->boot->state));
}

PropertyValue boot_key(const Facts& facts) {
  if (!facts.android || !facts.android->boot) return {};
  return hex_encode(facts.android->boot->key);
}

PropertyValue app_attest_environment(const Facts& facts) {
  if (!facts.app_attest) return {};
  return std::string(facts.app_attest->production ? "production" : "development");
}

constexpr Property kProperties[] = {
    {"platform", false, text<&Facts::platform>},
    {"manufacturer", false, text<&Facts::manufacturer>},
    {"model", false, text<&Facts::model>},
    {"os_version", true, os_version},
    {"installer", false, text<&Facts::installer>},
    {"package", false, text<&Facts::package_name>},
    {"version_code", true,
     [](const Facts& facts) -> PropertyValue {
       return Version{{facts.version_code, 0, 0, 0}};
     }},
    {"sdk_version", true,
     [](const Facts& facts) { return ordered(parse_version(facts.sdk_version)); }},
    {"did", false, text<&Facts::device_id>},
    {"assurance", false,
     [](const Facts& facts) -> PropertyValue { return std::string(to_string(facts.assurance)); }},
    {"boot_state", false, boot_state},
    {"boot_key", false, boot_key},
    {"attestation_version", true, android_number<&AndroidFacts::attestation_version>},
    {"keymint_version", true, android_number<&AndroidFacts::keymint_version>},
    {"app_attest_environment", false, app_attest_environment},
    {"validation_category", true,
     [](const Facts& facts) {
       return facts.app_attest ? ordered(facts.app_attest->validation_category) : PropertyValue();
     }},
    {"play_sdk_version", true,
     [](const Facts& facts) {
       return facts.play ? ordered(facts.play->sdk_version) : PropertyValue();
     }},
};

bool holds(const Condition& condition, const Facts& facts) {
  const Property* property = find_property(condition.property);
  if (property == nullptr) return false;
  const PropertyValue value = property->of(facts);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return std::ranges::any_of(
        condition.patterns, [&](const std::string& pattern) { return glob_match(pattern, *text); });
  }
  const auto* version = std::get_if<Version>(&value);
  if (version == nullptr) return false;
  return std::ranges::any_of(condition.ranges, [&](const std::vector<Comparison>& range) {
    return std::ranges::all_of(range, [&](const Comparison& one) { return holds(one, *version); });
  });
}

}  // namespace

std::span<const Property> all_properties() { return kProperties; }

const Property* find_property(std::string_view name) {
  const auto* found = std::ranges::find(kProperties, name, &Property::name);
  return found == std::end(kProperties) ? nullptr : found;
}

bool matches(const Filter& filter, const Facts& facts) {
  return std::ranges::all_of(filter.conditions,
                             [&](const Condition& condition) { return holds(condition, facts); });
}

}  // namespace touchmark::verifier::policy
