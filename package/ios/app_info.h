// What an iOS app's Info.plist says of it, as service and SDK read it.
#pragma once

#include <cstdint>
#include <string>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::ios {

struct AppInfo {
  std::string identifier;
  std::string executable;
  std::string version_name;
  std::uint64_t version_code = 0;
  std::string label;
  std::uint32_t min_os = 1;
};

// Fails with PlistError, or IpaError::kInfo.
Result<AppInfo> read_app_info(ByteView file, Budget& budget);

}  // namespace touchmark::package::ios
