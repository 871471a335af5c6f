// A manifest that is accepted has a package name, and its API levels are at least 1.
#include <cstdlib>

#include "package/android/manifest.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView document(reinterpret_cast<const std::byte*>(data), size);
  Budget budget(size);
  const auto manifest = package::android::parse_manifest(document, nullptr, budget);
  if (!manifest) return 0;
  if (manifest->package_name.empty() || manifest->min_sdk < 1 || manifest->target_sdk < 1) {
    std::abort();
  }
  return 0;
}
