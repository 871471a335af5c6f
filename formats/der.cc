#include "formats/der.h"

#include <algorithm>

namespace touchmark::der {
namespace {

constexpr std::uint32_t kMaxNumber = 0x7fffffff;

std::uint8_t at(ByteView data, std::size_t index) {
  return std::to_integer<std::uint8_t>(data[index]);
}

tl::unexpected<Error> truncated() {
  return fail(DerError::kTruncated, "the data ends inside an element");
}

struct Header {
  Tag tag;
  std::size_t size = 0;    // of the header itself
  std::size_t length = 0;  // of the content
  bool indefinite = false;
};

// The tag number of the high form (X.690 section 8.1.2.4): base 128 after the first byte.
Result<std::uint32_t> read_high_tag(ByteView data, std::size_t& position, Options options) {
  std::uint64_t number = 0;
  for (;;) {
    if (position >= data.size()) return truncated();
    std::uint8_t byte = at(data, position++);
    number = number << 7 | (byte & 0x7fU);
    if ((number == 0 && !options.padded_numbers) || number > kMaxNumber) {
      return fail(DerError::kBadTag, "a tag number is not minimal or over 2^31");
    }
    if ((byte & 0x80U) == 0) break;
  }
  if (number < 31 && !options.padded_numbers) {
    return fail(DerError::kBadTag, "a tag number under 31 is in the long form");
  }
  return static_cast<std::uint32_t>(number);
}

Result<void> read_length(ByteView data, std::size_t& position, Header& header, Options options) {
  if (position >= data.size()) return truncated();
  std::uint8_t first = at(data, position++);
  if (first < 0x80) {
    header.length = first;
    return {};
  }
  if (first == 0x80) {
    if (header.tag.constructed ? !options.indefinite_length : !options.indefinite_primitive) {
      return fail(DerError::kIndefiniteLength, "an element has BER's indefinite length");
    }
    header.indefinite = true;
    return {};
  }
  std::size_t count = first & 0x7fU;
  if (count > 4) return fail(DerError::kBadLength, "a length is over 4 bytes");
  if (data.size() - position < count) return truncated();
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8 | at(data, position++);
  bool minimal = length >= 0x80 && length >> (8 * (count - 1)) != 0;
  if ((!minimal && !options.padded_numbers) || length > kMaxNumber) {
    return fail(DerError::kBadLength, "a length is not minimal or over 2^31");
  }
  header.length = static_cast<std::size_t>(length);
  return {};
}

Result<Header> read_header(ByteView data, Options options) {
  if (data.empty()) return truncated();
  Header header;
  std::uint8_t first = at(data, 0);
  std::size_t position = 1;
  header.tag.tag_class = static_cast<Class>(first >> 6);
  header.tag.constructed = (first & 0x20U) != 0;
  header.tag.number = first & 0x1fU;
  if (header.tag.number == 31) {
    auto number = read_high_tag(data, position, options);
    if (!number) return pass(number);
    header.tag.number = *number;
  }
  if (auto ok = read_length(data, position, header, options); !ok) return pass(ok);
  header.size = position;
  if (!header.indefinite && header.length > data.size() - position) return truncated();
  return header;
}

bool is_end_marker(ByteView data) {
  return data.size() >= 2 && at(data, 0) == 0 && at(data, 1) == 0;
}

// The number of bytes before the end marker of an element of indefinite length.
Result<std::size_t> find_end_marker(ByteView data, bool constructed, Options options,
                                    std::size_t depth) {
  if (!constructed) {
    std::size_t end = as_text(data).find(std::string_view("\0\0", 2));
    if (end == std::string_view::npos) return truncated();
    return end;
  }
  if (depth > kMaxBerDepth) return fail(DerError::kTooDeep, "indefinite lengths nest too deep");
  std::size_t position = 0;
  while (!is_end_marker(data.subspan(position))) {
    auto header = read_header(data.subspan(position), options);
    if (!header) return pass(header);
    position += header->size + header->length;
    if (header->indefinite) {
      auto inner =
          find_end_marker(data.subspan(position), header->tag.constructed, options, depth + 1);
      if (!inner) return pass(inner);
      position += *inner + 2;
    }
  }
  return position;
}

Result<Element> read_element(ByteView data, Options options) {
  auto header = read_header(data, options);
  if (!header) return pass(header);
  std::size_t marker = 0;
  if (header->indefinite) {
    auto end = find_end_marker(data.subspan(header->size), header->tag.constructed, options, 1);
    if (!end) return pass(end);
    header->length = *end;
    marker = 2;
  }
  return Element{header->tag, data.subspan(header->size, header->length),
                 data.first(header->size + header->length + marker)};
}

bool matches(Tag found, Tag wanted, Options options) {
  if (options.any_form) found.constructed = wanted.constructed;
  return found == wanted;
}

tl::unexpected<Error> unexpected(Tag wanted, Tag found) {
  return fail(DerError::kUnexpectedTag,
              to_string(wanted) + " must stand where " + to_string(found) + " is");
}

}  // namespace

std::string_view error_id(DerError error) {
  using enum DerError;
  static constexpr auto kIds = error_table<DerError>({
      {kTruncated, "der.truncated"},
      {kBadTag, "der.bad-tag"},
      {kBadLength, "der.bad-length"},
      {kIndefiniteLength, "der.indefinite-length"},
      {kTooDeep, "der.too-deep"},
      {kUnexpectedTag, "der.unexpected-tag"},
      {kTrailingData, "der.trailing-data"},
      {kBadBoolean, "der.bad-boolean"},
      {kBadInteger, "der.bad-integer"},
      {kBadBitString, "der.bad-bit-string"},
      {kBadNull, "der.bad-null"},
      {kBadOid, "der.bad-oid"},
      {kBadTime, "der.bad-time"},
      {kBadString, "der.bad-string"},
  });
  return kIds[error];
}

std::string to_string(Tag tag) {
  constexpr std::pair<Tag, std::string_view> kNames[] = {{kBoolean, "BOOLEAN"},
                                                         {kInteger, "INTEGER"},
                                                         {kBitString, "BIT STRING"},
                                                         {kOctetString, "OCTET STRING"},
                                                         {kNull, "NULL"},
                                                         {kOid, "OBJECT IDENTIFIER"},
                                                         {kEnumerated, "ENUMERATED"},
                                                         {kUtf8String, "UTF8String"},
                                                         {kUtcTime, "UTCTime"},
                                                         {kGeneralizedTime, "GeneralizedTime"},
                                                         {kSequence, "SEQUENCE"},
                                                         {kSet, "SET"}};
  for (auto [named, name] : kNames) {
    if (tag == named) return std::string(name);
  }
  constexpr std::string_view kClasses[] = {"UNIVERSAL ", "APPLICATION ", "", "PRIVATE "};
  std::string text = "[";
  text += kClasses[static_cast<std::size_t>(tag.tag_class)];
  text += std::to_string(tag.number) + "]";
  return tag.constructed ? text : text + " IMPLICIT";
}

bool Reader::next_is(Tag tag) const {
  auto header = read_header(rest_, options_);
  return header && matches(header->tag, tag, options_);
}

Result<Element> Reader::read() {
  auto element = read_element(rest_, options_);
  if (element) rest_ = rest_.subspan(element->full.size());
  return element;
}

Result<Element> Reader::read(Tag tag) {
  auto element = read_element(rest_, options_);
  if (!element) return element;
  if (!matches(element->tag, tag, options_)) return unexpected(tag, element->tag);
  rest_ = rest_.subspan(element->full.size());
  return element;
}

Result<Reader> Reader::enter(Tag tag) {
  auto element = read(tag);
  if (!element) return pass(element);
  return Reader(element->content, options_);
}

Result<std::optional<Element>> Reader::read_optional(Tag tag) {
  if (at_end()) return std::nullopt;
  auto element = read_element(rest_, options_);
  if (!element) return pass(element);
  if (!matches(element->tag, tag, options_)) return std::nullopt;
  rest_ = rest_.subspan(element->full.size());
  return *element;
}

Result<void> Reader::finish() const {
  if (at_end()) return {};
  return fail(DerError::kTrailingData,
              std::to_string(rest_.size()) + " bytes follow the last element");
}

Result<Element> parse(ByteView data, Tag tag, Options options) {
  Reader reader(data, options);
  auto element = reader.read(tag);
  if (!element) return element;
  if (auto end = reader.finish(); !end) return pass(end);
  return element;
}

bool operator==(ByteView content, const Oid& oid) {
  return std::ranges::equal(content, oid.content());
}

}  // namespace touchmark::der
