#include "formats/protobuf_wire.h"

namespace touchmark::protobuf {
namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kFixed32 = 5;

tl::unexpected<Error> truncated() {
  return fail(ProtoError::kTruncated, "a field runs over the end of its message");
}

Result<std::uint64_t> take_varint(ByteView& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest.empty()) return truncated();
    const auto byte = std::to_integer<std::uint64_t>(rest[0]);
    rest = rest.subspan(1);
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return fail(ProtoError::kBadVarint, "a number of over 64 bits");
}

Result<std::uint64_t> take_fixed(ByteView& rest, std::size_t size) {
  if (rest.size() < size) return truncated();
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(rest[i]);
  rest = rest.subspan(size);
  return value;
}

}  // namespace

std::string_view error_id(ProtoError error) {
  using enum ProtoError;
  static constexpr auto kIds = error_table<ProtoError>({
      {kTruncated, "proto.truncated"},
      {kBadVarint, "proto.bad-varint"},
      {kBadTag, "proto.bad-tag"},
      {kWireType, "proto.wire-type"},
  });
  return kIds[error];
}

Result<ProtoField> take_field(ByteView& rest) {
  const auto tag = take_varint(rest);
  if (!tag) return pass(tag);
  const std::uint64_t number = *tag >> 3;
  if (number == 0 || number >= 1u << 29) {
    return fail(ProtoError::kBadTag, "field number " + std::to_string(number));
  }
  ProtoField field;
  field.number = static_cast<std::uint32_t>(number);
  const unsigned type = static_cast<unsigned>(*tag & 7);
  if (type == kBytes) {
    const auto size = take_varint(rest);
    if (!size) return pass(size);
    if (*size > rest.size()) return truncated();
    field.is_bytes = true;
    field.bytes = rest.first(static_cast<std::size_t>(*size));
    rest = rest.subspan(field.bytes.size());
    return field;
  }
  if (type != kVarint && type != kFixed64 && type != kFixed32) {
    return fail(ProtoError::kWireType, "wire type " + std::to_string(type));
  }
  const auto value =
      type == kVarint ? take_varint(rest) : take_fixed(rest, type == kFixed64 ? 8 : 4);
  if (!value) return pass(value);
  field.value = *value;
  return field;
}

}  // namespace touchmark::protobuf
