// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), as far as
// app bundles need it: no groups, and a message's fields one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::protobuf {

enum class ProtoError {
  kTruncated,  // a field runs over the end of its message
  kBadVarint,  // over 64 bits
  kBadTag,     // field number 0 or over 2^29 - 1
  kWireType,   // a group or a type that does not exist
};
std::string_view error_id(ProtoError error);

struct ProtoField {
  std::uint32_t number = 0;
  std::uint64_t value = 0;  // of a number
  ByteView bytes;           // of a string, bytes or message; a view of the message
  bool is_bytes = false;

  // A message field of this number, a string field of this number, ...
  bool is_message(std::uint32_t n) const { return number == n && is_bytes; }
  bool is_number(std::uint32_t n) const { return number == n && !is_bytes; }
};

// Takes the first field off `rest`, which is not empty.
Result<ProtoField> take_field(ByteView& rest);

// Calls visit(field) -> Result<void> for every field of a message, in order.
template <class Visit>
Result<void> for_each_field(ByteView message, const Visit& visit) {
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return pass(field);
    if (Result<void> ok = visit(*field); !ok) return ok;
  }
  return {};
}

}  // namespace touchmark::protobuf
