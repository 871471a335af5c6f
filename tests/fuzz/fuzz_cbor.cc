// What the parser takes must lie inside the input, and the JSON it is shown as must be JSON.
#include <cstdlib>

#include "formats/cbor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchmark;
  ByteView bytes = std::as_bytes(std::span(data, size));
  auto value = cbor::parse_prefix(bytes);
  if (!value) return 0;
  if (value->encoded.data() != bytes.data() || value->encoded.size() > bytes.size()) std::abort();
  auto again = cbor::parse(value->encoded);
  if (!again || cbor::to_json(*again) != cbor::to_json(*value)) {
    // NaN is the one value that differs from itself.
    if (dump_json(cbor::to_json(*again)) != dump_json(cbor::to_json(*value))) std::abort();
  }
  if (!parse_json(dump_json(cbor::to_json(*value)), {.max_bytes = 16 << 20, .max_depth = 32})) {
    std::abort();
  }
  return 0;
}
