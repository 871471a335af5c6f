// The byte ranges of a challenge, and the digest that answers them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_document.h"
#include "protocol/limits.h"

namespace touchmark::protocol {

// Part of a package's code: [offset, offset + length) over the part's uncompressed bytes. Bytes
// beyond its end, or of an absent part, are absent.
struct Range {
  std::string part;  // "classes.dex"
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const Range&) const = default;
};

enum class RangeError {
  kMalformed,  // not an array of [string, integer, integer]
  kTooMany,    // over kMaxRanges, or one longer than kMaxRangeLength
};
std::string_view error_id(RangeError error);

// [["classes.dex",123456,4096], ...]
Json to_json(std::span<const Range> ranges);
void write_json(JsonWriter& out, std::span<const Range> ranges);  // the same, as text
Result<std::vector<Range>> ranges_from_json(JsonView json);

}  // namespace touchmark::protocol
