// Reads ASN.1 in DER (X.690), element by element, from bytes of any origin. Nothing is copied: what
// is returned points into the input, which must outlive it. Nothing recurses but the skipping of
// BER's indefinite lengths, which is bounded; a caller steps into a constructed element by making a
// Reader of its content, so depth is what the caller's own code has. To read many fields in a row,
// see formats/der_fields.h.
//
// Strict by default. What genuine evidence and genuine packages break is a named option, so that
// each deviation is allowed only where it was seen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

namespace touchmark::der {

enum class DerError {
  kTruncated,         // ends inside an element
  kBadTag,            // a tag number that is not minimal, or over 2^31
  kBadLength,         // a length that is not minimal, or over 2^31
  kIndefiniteLength,  // BER's indefinite length where DER is asked for
  kTooDeep,           // indefinite lengths nested deeper than kMaxBerDepth
  kUnexpectedTag,     // another element than the one that must stand here
  kTrailingData,      // bytes after the last element that may stand here
  kBadBoolean,
  kBadInteger,  // empty, not minimal, or out of the range asked for
  kBadBitString,
  kBadNull,
  kBadOid,
  kBadTime,
  kBadString,  // text that is not of its type's alphabet
};
std::string_view error_id(DerError error);

enum class Class : std::uint8_t { kUniversal = 0, kApplication = 1, kContext = 2, kPrivate = 3 };

struct Tag {
  Class tag_class = Class::kUniversal;
  bool constructed = false;
  std::uint32_t number = 0;
  bool operator==(const Tag&) const = default;
};
// "SEQUENCE", "[704]", "[APPLICATION 3]": for messages.
std::string to_string(Tag tag);

inline constexpr Tag kBoolean{Class::kUniversal, false, 1};
inline constexpr Tag kInteger{Class::kUniversal, false, 2};
inline constexpr Tag kBitString{Class::kUniversal, false, 3};
inline constexpr Tag kOctetString{Class::kUniversal, false, 4};
inline constexpr Tag kNull{Class::kUniversal, false, 5};
inline constexpr Tag kOid{Class::kUniversal, false, 6};
inline constexpr Tag kEnumerated{Class::kUniversal, false, 10};
inline constexpr Tag kUtf8String{Class::kUniversal, false, 12};
inline constexpr Tag kPrintableString{Class::kUniversal, false, 19};
inline constexpr Tag kIa5String{Class::kUniversal, false, 22};
inline constexpr Tag kUtcTime{Class::kUniversal, false, 23};
inline constexpr Tag kGeneralizedTime{Class::kUniversal, false, 24};
inline constexpr Tag kSequence{Class::kUniversal, true, 16};
inline constexpr Tag kSet{Class::kUniversal, true, 17};
// [number] with an element inside (EXPLICIT, or an IMPLICIT SEQUENCE or SET).
constexpr Tag context(std::uint32_t number) { return {Class::kContext, true, number}; }
// [number] IMPLICIT over a primitive type.
constexpr Tag context_primitive(std::uint32_t number) { return {Class::kContext, false, number}; }

struct Element {
  Tag tag;
  ByteView content;  // between header and end
  ByteView full;     // header, content and, in BER, the end marker
};

struct Options {
  // BER's indefinite length of constructed elements, as in the CMS that Apple's receipts are.
  bool indefinite_length = false;
  // The same of a primitive element, which then ends before the first two zero bytes. No standard
  // allows it; the platform's reader of JAR signatures does.
  bool indefinite_primitive = false;
  // Lengths, tag numbers and arcs of object identifiers in more bytes than they need: BER leaves
  // that to the writer, and old signing tools reserve four bytes for every length.
  bool padded_numbers = false;
  // An element counts as the wanted one whether it calls itself constructed or primitive, as to the
  // platform's reader of JAR signatures.
  bool any_form = false;
};
// What Apple writes: CMS in streams.
inline constexpr Options kBer{.indefinite_length = true};
// What Android's reader of JAR signatures takes.
inline constexpr Options kAnyBer{.indefinite_length = true,
                                 .indefinite_primitive = true,
                                 .padded_numbers = true,
                                 .any_form = true};

inline constexpr std::size_t kMaxBerDepth = 16;

// A position in a run of elements. Cheap to copy; a failed call does not move it.
class Reader {
 public:
  explicit Reader(ByteView data, Options options = {}) : rest_(data), options_(options) {}

  bool at_end() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }
  Options options() const { return options_; }
  // True when an element of this tag comes next.
  bool next_is(Tag tag) const;

  Result<Element> read();
  Result<Element> read(Tag tag);
  // Steps into a constructed element: a reader of its content.
  Result<Reader> enter(Tag tag);
  // The element when it comes next, nullopt when another does or the end.
  Result<std::optional<Element>> read_optional(Tag tag);
  // Fails unless everything was read.
  Result<void> finish() const;

 private:
  ByteView rest_;
  Options options_;
};

// The single element that `data` consists of.
Result<Element> parse(ByteView data, Tag tag, Options options = {});

// Decoders of the content of a primitive element.

// DER's TRUE is FF only. `any_true` also takes what some phones write (01): BER's "not zero".
Result<bool> decode_boolean(ByteView content, bool any_true = false);
// Minimal two's complement, as it stands: for serial numbers and moduli of any size.
Result<ByteView> decode_integer(ByteView content);
// A number from 0 to 2^64 - 1.
Result<std::uint64_t> decode_uint64(ByteView content);
Result<void> decode_null(ByteView content);
// The bits as bytes; the number of bits must be a multiple of 8, as in keys and signatures.
Result<ByteView> decode_octet_aligned_bits(ByteView content);
// "1.3.6.1.4.1.11129.2.1.17". At most 64 arcs, each under 2^64.
Result<std::string> decode_oid(ByteView content, Options options = {});
// UTCTime (YYMMDDHHMMSSZ; 1950 to 2049, RFC 5280 section 4.1.2.5.1) or GeneralizedTime
// (YYYYMMDDHHMMSSZ), by the element's tag.
Result<UnixTime> decode_time(const Element& element);
// UTF8String, PrintableString, IA5String: its text, in UTF-8.
Result<std::string> decode_string(const Element& element);
// The bytes of an OCTET STRING; in BER, those of its pieces joined.
Result<Bytes> decode_octets(const Element& element, Options options = {});

// An object identifier's content bytes, made at compile time to be compared with what was read:
// `if (element.content == kEcPublicKey)`. At most 16 bytes; arcs under 2^32.
class Oid {
 public:
  consteval explicit Oid(std::string_view dotted) {
    std::uint32_t arc = 0;
    std::uint32_t first = 0;
    int index = 0;
    for (std::size_t i = 0; i <= dotted.size(); ++i) {
      if (i < dotted.size() && dotted[i] != '.') {
        arc = arc * 10 + static_cast<std::uint32_t>(dotted[i] - '0');
        continue;
      }
      if (index == 0) {
        first = arc;
      } else {
        put(index == 1 ? first * 40 + arc : arc);
      }
      ++index;
      arc = 0;
    }
  }
  constexpr ByteView content() const { return ByteView(bytes_).first(size_); }

 private:
  constexpr void put(std::uint32_t arc) {
    int groups = 1;
    while (groups < 5 && arc >> (7 * groups) != 0) ++groups;
    for (int i = groups - 1; i >= 0; --i) {
      bytes_[size_++] = static_cast<std::byte>((arc >> (7 * i) & 0x7fU) | (i > 0 ? 0x80U : 0U));
    }
  }
  std::array<std::byte, 16> bytes_{};
  std::size_t size_ = 0;
};
bool operator==(ByteView content, const Oid& oid);

}  // namespace touchmark::der
