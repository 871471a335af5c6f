// Property lists, in their XML form and in the binary one ("bplist00").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::plist {

enum class PlistError {
  kUnknownForm,  // neither form, or XML in another encoding than UTF-8
  kBadTrailer,   // binary: sizes or offsets that do not fit into the file
  kBadObject,    // binary: an object that leaves the file, of an unknown type, or badly encoded
  kBadXml,       // XML that is not well formed, or an element that has no place in a list
  kBadValue,     // text that is not the number, date or base64 that its element announces
  kDuplicateKey,
  kTooDeep,   // over 32 levels; a reference cycle ends here too
  kTooLarge,  // over 100,000 values, counted each time one is referred to
};
std::string_view error_id(PlistError error);

struct PlistEntry;
struct PlistDate {
  double seconds = 0;  // since 2001-01-01T00:00:00Z
};

// One value. Nothing is converted: a getter of another type finds nothing.
class PlistValue {
 public:
  using Array = std::vector<PlistValue>;
  using Dict = std::vector<PlistEntry>;  // in the order of the file
  using Variant = std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes,
                               PlistDate, Array, Dict>;

  PlistValue() = default;
  explicit PlistValue(Variant value);

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value_);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&value_);
  }
  // The member of a dictionary; nullptr when there is none or this is no dictionary.
  const PlistValue* find(std::string_view key) const;
  // The same, when it is a text.
  const std::string* find_text(std::string_view key) const;

 private:
  Variant value_;
};

struct PlistEntry {
  std::string key;
  PlistValue value;
};

// Down here because moving a dictionary needs the whole PlistEntry.
inline PlistValue::PlistValue(Variant value) : value_(std::move(value)) {}

// What is decoded counts on `budget` (BudgetError); without one, on a budget of the file's size.
Result<PlistValue> parse_plist(ByteView file, Budget& budget);
Result<PlistValue> parse_plist(ByteView file);

// The two forms; parse_plist() chooses.
Result<PlistValue> parse_binary_plist(ByteView file, Budget& budget);
Result<PlistValue> parse_xml_plist(std::string_view text, Budget& budget);

inline constexpr unsigned kMaxPlistDepth = 32;
inline constexpr std::size_t kMaxPlistValues = 100'000;
// What a value takes in memory beside its content: itself, its place in a list that grows, and that
// of its key when keys are compared.
inline constexpr std::size_t kPlistValueCost = 240;
// kDuplicateKey when two members have one key. n log n in their number.
Result<void> check_plist_keys(const PlistValue::Dict& entries);

}  // namespace touchmark::plist
