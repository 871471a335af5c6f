// Network security configurations: the XML file that android:networkSecurityConfig names
// (https://developer.android.com/privacy-and-security/security-config), read as the platform's
// XmlConfigSource reads it. It is for warnings: what is wrong with it refuses no package.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/model/network_security.h"
#include "package/model/xml_source.h"

namespace touchmark::package::android {

enum class NetworkSecurityError {
  kNoFile,         // the resource names a file that the package does not have
  kTooManyFiles,   // over kMaxNetworkSecurityFiles, one for each configuration of devices
  kNoRoot,         // the root element is not <network-security-config>
  kSecondBase,     // several <base-config>, which the platform refuses, too
  kSecondAnchors,  // several <trust-anchors> in one place, likewise
};
std::string_view error_id(NetworkSecurityError error);

// What the platform does for this target where nothing says otherwise: traffic without TLS is
// allowed below API level 28, and users' certificates count below 24.
NetworkSecurity default_network_security(std::uint32_t target_sdk);

// What two files of one configuration allow together.
void join(NetworkSecurity& security, const NetworkSecurity& other);

// One document. Debug overrides count for debuggable apps only, and are passed over.
Result<NetworkSecurity> parse_network_security(XmlSource& document, std::uint32_t target_sdk);

// How a form of package holds XML, and where its files lie.
struct XmlFiles {
  std::string folder;  // before each path: "base/" in an app bundle, else ""
  std::function<Result<std::unique_ptr<XmlSource>>(ByteView document, Budget& budget)> open;
};
// Binary XML at its own path.
XmlFiles apk_files();

// What the files that the resource has in any configuration of devices allow together; unreadable
// when one of them is. The only failure is BudgetError.
Result<NetworkSecurity> read_network_security(const zip::ZipArchive& archive,
                                              const ResourceSource& resources,
                                              const XmlFiles& files, std::uint32_t resource_id,
                                              std::uint32_t target_sdk);

inline constexpr std::size_t kMaxNetworkSecurityFiles = 64;
inline constexpr std::size_t kMaxNetworkSecurityBytes = std::size_t{1} << 20;  // of one file

}  // namespace touchmark::package::android
