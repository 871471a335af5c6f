// Property lists of both forms: reading ends, whatever refers to what.
#include "formats/plist/plist.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)plist::parse_plist(ByteView(reinterpret_cast<const std::byte*>(data), size));
  return 0;
}
