// Every look-up in a table that is accepted ends, whatever its references do.
#include "package/android/arsc.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  Budget budget(size);
  const auto table = package::android::ResourceTable::parse(file, budget);
  if (!table) return 0;
  for (std::uint32_t type = 0; type < 8; ++type) {
    for (std::uint32_t entry = 0; entry < 16; ++entry) {
      const std::uint32_t id = 0x7f000000 | type << 16 | entry;
      (void)table->string(id);
      (void)table->installer_string(id);
      (void)table->integer(id);
    }
  }
  return 0;
}
