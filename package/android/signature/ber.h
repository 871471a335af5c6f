// A bounded reader of BER values (ITU-T X.690) as lenient as the platform's own: lengths that are
// indefinite or longer than needed, any tag, whatever the constructed bit says. Signature blocks
// that old tools wrote need that; everything else reads DER with formats/der.h. Nothing is copied.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace touchmark::package::signature {

enum class BerClass : std::uint8_t { kUniversal = 0, kApplication = 1, kContext = 2, kPrivate = 3 };

inline constexpr std::uint32_t kBerInteger = 2;
inline constexpr std::uint32_t kBerOctetString = 4;
inline constexpr std::uint32_t kBerObjectId = 6;
inline constexpr std::uint32_t kBerSequence = 16;
inline constexpr std::uint32_t kBerSet = 17;

struct BerValue {
  BerClass tag_class = BerClass::kUniversal;
  std::uint32_t tag = 0;
  ByteView encoded;   // tag, length and content
  ByteView contents;  // without the end mark of an indefinite length

  bool is(std::uint32_t universal_tag) const {
    return tag_class == BerClass::kUniversal && tag == universal_tag;
  }
  bool is_context(std::uint32_t number) const {
    return tag_class == BerClass::kContext && tag == number;
  }
};

// How deep values of indefinite length may nest: their ends must be searched for.
inline constexpr unsigned kMaxBerDepth = 16;

class BerReader {
 public:
  explicit BerReader(ByteView data) : rest_(data) {}
  bool empty() const { return rest_.empty(); }
  // The next value. Nothing at the end, and when it is malformed (then empty() is false).
  std::optional<BerValue> next() { return read(kMaxBerDepth); }

 private:
  std::optional<BerValue> read(unsigned depth);
  std::optional<std::uint8_t> byte();
  std::optional<std::uint32_t> tag_number(std::uint8_t first);
  std::optional<std::size_t> indefinite_length(bool constructed, unsigned depth) const;

  ByteView rest_;
};

// "1.2.840.113549.1.7.2" of an OBJECT IDENTIFIER's contents; nothing when malformed.
std::optional<std::string> oid_text(ByteView contents);

}  // namespace touchmark::package::signature
