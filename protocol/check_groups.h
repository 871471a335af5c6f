// The groups of checks that an attester runs, claim `checks` of the evidence. One that did not run
// is a finding itself.
#pragma once

#include <array>
#include <string_view>

namespace touchmark::protocol {

inline constexpr std::string_view kAppChecks = "app";
inline constexpr std::string_view kHookChecks = "hook";
inline constexpr std::string_view kDebugChecks = "debug";
inline constexpr std::string_view kRootChecks = "root";
inline constexpr std::string_view kNetworkChecks = "network";

inline constexpr std::array kCheckGroups{kAppChecks, kHookChecks, kDebugChecks, kRootChecks,
                                         kNetworkChecks};

}  // namespace touchmark::protocol
