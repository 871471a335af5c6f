// Walks every element of arbitrary bytes, in DER and in both kinds of BER, and decodes each
// primitive one in every way. Elements must lie inside their parents and cover them without a gap.
#include <cstdlib>

#include "formats/der.h"

namespace {

using namespace touchmark;

void decode_all(const der::Element& element, der::Options options) {
  (void)der::decode_boolean(element.content);
  (void)der::decode_uint64(element.content);
  (void)der::decode_octet_aligned_bits(element.content);
  (void)der::decode_oid(element.content);
  (void)der::decode_time(element);
  (void)der::decode_string(element);
  (void)der::decode_octets(element, options);
  (void)der::to_string(element.tag);
}

void walk(ByteView data, der::Options options, int depth) {
  der::Reader reader(data, options);
  const std::byte* expected = data.data();
  while (!reader.at_end()) {
    auto element = reader.read();
    if (!element) return;
    if (element->full.data() != expected) std::abort();
    expected += element->full.size();
    decode_all(*element, options);
    if (element->tag.constructed && depth < 32) walk(element->content, options, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView bytes = std::as_bytes(std::span(data, size));
  walk(bytes, {}, 0);
  walk(bytes, der::kBer, 0);
  walk(bytes, der::kAnyBer, 0);
  return 0;
}
