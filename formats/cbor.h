// Reads CBOR (RFC 8949) from bytes of any origin into a tree that points into the input, which must
// outlive it. Takes the deterministic core: definite lengths, shortest heads, unique keys; bounded
// in depth and in the number of items. Never allocates by a declared count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

namespace touchmark::cbor {

enum class CborError {
  kTruncated,
  kReserved,    // a head that RFC 8949 leaves undefined
  kNonMinimal,  // a number that would fit in a shorter head
  kIndefinite,  // an indefinite length
  kTooDeep,
  kTooManyItems,
  kDuplicateKey,
  kBadText,         // a text string that is not UTF-8
  kTrailingData,    // bytes after the item
  kUnexpectedType,  // another type than the one that must stand here
  kMissingMember,
};
std::string_view error_id(CborError error);

enum class Type : std::uint8_t {
  kUnsigned,
  kNegative,
  kBytes,
  kText,
  kArray,
  kMap,
  kTag,
  kSimple,  // false, true, null, undefined and the unassigned ones
  kFloat,
};
std::string_view to_string(Type type);

struct Limits {
  std::size_t max_depth = 8;
  std::size_t max_items = 1024;
};

// One item and all below it.
struct Value {
  Type type = Type::kSimple;
  // kUnsigned: the number; kNegative: n of -1 - n; kTag: the tag; kSimple: the value (20 false, 21
  // true, 22 null); kFloat: the bits, of a double, float or half by the size of `encoded`.
  std::uint64_t number = 0;
  ByteView bytes;  // content of kBytes and kText
  std::vector<Value>
      items;         // kArray: elements; kMap: key, value, key, value...; kTag: the one item
  ByteView encoded;  // the whole item as it stands in the input

  std::string_view text() const { return as_text(bytes); }
  // The value of a map's member; nullptr when absent or this is no map.
  const Value* find(std::string_view key) const;
  const Value* find(std::int64_t key) const;
};

// `data` is one item and nothing else.
Result<Value> parse(ByteView data, Limits limits = {});
// The first item of `data`; `encoded.size()` of it says where the rest begins.
Result<Value> parse_prefix(ByteView data, Limits limits = {});

// The member of a map, which must be there and of that type; an error names it.
Result<const Value*> member(const Value& map, std::string_view key, Type type);

// For humans: byte strings as {"hex": ...} objects, integer keys as their decimal text.
Json to_json(const Value& value);

}  // namespace touchmark::cbor
