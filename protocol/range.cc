#include "protocol/range.h"

namespace touchmark::protocol {

std::string_view error_id(RangeError error) {
  using enum RangeError;
  static constexpr auto kIds = error_table<RangeError>({
      {kMalformed, "range.malformed"},
      {kTooMany, "range.too-many"},
  });
  return kIds[error];
}

Json to_json(std::span<const Range> ranges) {
  Json out = Json::array();
  for (const Range& range : ranges) out.push_back({range.part, range.offset, range.length});
  return out;
}

void write_json(JsonWriter& out, std::span<const Range> ranges) {
  out.begin_array();
  for (const Range& range : ranges) {
    out.begin_array().text(range.part).number(range.offset).number(range.length).end_array();
  }
  out.end_array();
}

Result<std::vector<Range>> ranges_from_json(JsonView json) {
  if (!json.is_array()) return fail(RangeError::kMalformed, "ranges are not an array");
  if (json.size() > kMaxRanges) {
    return fail(RangeError::kTooMany, std::to_string(json.size()) + " ranges are too many");
  }
  std::vector<Range> out;
  for (const JsonView item : json) {
    if (!item.is_array() || item.size() != 3 || !item[0].is_string() || !item[1].is_unsigned() ||
        !item[2].is_unsigned()) {
      return fail(RangeError::kMalformed,
                  "range " + std::to_string(out.size()) + " is not [part, offset, length]");
    }
    Range range{std::string(item[0].text()), item[1].natural(), item[2].natural()};
    if (range.length > kMaxRangeLength) {
      return fail(RangeError::kTooMany, "range " + std::to_string(out.size()) + " is " +
                                            std::to_string(range.length) + " bytes long");
    }
    out.push_back(std::move(range));
  }
  return out;
}

}  // namespace touchmark::protocol
