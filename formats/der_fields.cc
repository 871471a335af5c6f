#include "formats/der_fields.h"

namespace touchmark::der {

Fields Fields::of(ByteView data, Tag tag, Failure& failure, Options options) {
  Fields outer(data, failure, options);
  Fields inner = outer.enter(tag);
  outer.finish();
  return inner;
}

Element Fields::read() {
  if (*failure_) return {};
  return failure_->take(reader_.read());
}

Element Fields::read(Tag tag) {
  if (*failure_) return {};
  return failure_->take(reader_.read(tag));
}

std::optional<Element> Fields::optional(Tag tag) {
  if (*failure_) return std::nullopt;
  return failure_->take(reader_.read_optional(tag));
}

Fields Fields::enter(Tag tag) { return Fields(read(tag).content, *failure_, reader_.options()); }

void Fields::finish() {
  if (!*failure_) failure_->take(reader_.finish());
}

std::uint64_t Fields::number(Tag tag) {
  const ByteView content = read(tag).content;
  return *failure_ ? 0 : failure_->take(decode_uint64(content));
}

bool Fields::boolean(bool any_true) {
  const ByteView content = read(kBoolean).content;
  return !*failure_ && failure_->take(decode_boolean(content, any_true));
}

ByteView Fields::bits() {
  const ByteView content = read(kBitString).content;
  return *failure_ ? ByteView() : failure_->take(decode_octet_aligned_bits(content));
}

UnixTime Fields::time() {
  const Element element = read();
  return *failure_ ? UnixTime() : failure_->take(decode_time(element));
}

std::string Fields::text() {
  const Element element = read();
  return *failure_ ? std::string() : failure_->take(decode_string(element));
}

void Fields::null() {
  const ByteView content = read(kNull).content;
  if (!*failure_) failure_->take(decode_null(content));
}

}  // namespace touchmark::der
