// What the check reads of a token's JOSE header and payload. Two readers that agree: a scanner for
// what the service writes, which allocates nothing, and the strict reader of all JSON (base/json.h)
// for everything else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace touchmark::relying {

// A member of an object without a nested one.
struct FlatMember {
  enum class Kind : std::uint8_t { kText, kNumber, kTrue, kFalse, kNull };
  std::string_view name;
  Kind kind = Kind::kNull;
  std::string_view text;    // kText
  std::int64_t number = 0;  // kNumber
};

// An object as the service writes one: text in ASCII without escapes, whole numbers from 0 of up to
// 18 digits, nothing nested, no name twice.
class FlatObject {
 public:
  static constexpr std::size_t kMaxMembers = 20;

  // False: the text is for the strict reader, whatever it is. What is taken, the strict reader
  // takes as the same object. `text` must outlive this.
  bool scan(std::string_view text);
  const FlatMember* find(std::string_view name) const;
  std::size_t size() const { return size_; }
  const FlatMember& operator[](std::size_t index) const { return members_[index]; }

 private:
  std::array<FlatMember, kMaxMembers> members_;
  std::size_t size_ = 0;
};

// The views are of what it was read from.
struct JoseHeader {
  std::string_view alg;  // empty: none, or no text
  std::optional<std::string_view> kid;
  std::optional<std::string_view> typ;
  bool kid_is_no_text = false;
  bool has_extension = false;  // `crit`, or `b64` that is false
};
JoseHeader jose_header(const FlatObject& object);
JoseHeader jose_header(const Json& object);

// A claim that is a time: not there, or there and perhaps no time (protocol/README.md).
struct TimeClaim {
  bool is_there = false;
  std::optional<double> seconds{};
};

struct Claims {
  TimeClaim exp;
  TimeClaim nbf;
  // Each nullopt where it is missing, or no text.
  std::optional<std::string_view> iss;
  std::optional<std::string_view> aud;
  std::optional<std::string_view> lvl;
  std::optional<std::string_view> pay;
  std::optional<std::string_view> jti;
  std::optional<std::string_view> did;
  std::vector<std::string_view> audiences;  // the texts of an `aud` that is an array
};
Claims claims_of(const FlatObject& object);
Claims claims_of(const Json& object);

// The strict reader: nullopt for what is no JSON object as protocol/README.md has it.
std::optional<Json> read_object(std::string_view text);

}  // namespace touchmark::relying
