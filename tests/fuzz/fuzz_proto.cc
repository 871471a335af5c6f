// An app bundle's manifest, with itself as the resource table: what is accepted has a package name.
#include <cstdlib>

#include "package/android/manifest.h"
#include "package/bundle/resources_proto.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView document(reinterpret_cast<const std::byte*>(data), size);
  Budget budget(size);
  const package::bundle::ProtoTable table(document, budget);
  for (std::uint32_t entry = 0; entry < 4; ++entry) {
    (void)table.string(0x7f010000 | entry);
    (void)table.installer_string(0x7f010000 | entry);
  }
  auto xml = package::bundle::ProtoXml::parse(document, budget);
  if (!xml) return 0;
  const auto manifest = package::android::parse_manifest(*xml, &table);
  if (manifest && manifest->package_name.empty()) std::abort();
  return 0;
}
