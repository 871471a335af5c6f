// The package of the SDK for Swift: how its archive is called. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace touchmark::verifier::sdk {

// As attester/ios/build-package calls it: "touchmark-swift-0.1.0.zip".
std::string swift_file_name(std::string_view version);
// The version; nullopt for whatever is no such name.
std::optional<std::string> parse_swift_file_name(std::string_view name);

}  // namespace touchmark::verifier::sdk
