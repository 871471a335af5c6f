// embedded.mobileprovision: says, signed by Apple, which certificates may sign which app for which
// devices. Apps from the App Store have none.
#pragma once

#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::ios {

struct ProvisioningProfile {
  std::string team;                 // ten characters
  std::string application_id;       // "TEAM.com.example.app" or "TEAM.*"
  std::vector<Bytes> certificates;  // DER, of those who may sign

  bool allows_app(std::string_view bundle_id) const;
  bool allows_signer(const Bytes& certificate) const;
};

inline constexpr std::size_t kMaxProfileBytes = std::size_t{4} << 20;
Result<ProvisioningProfile> read_profile(ByteView file, const std::vector<Bytes>& roots,
                                         Budget& budget);

}  // namespace touchmark::package::ios
