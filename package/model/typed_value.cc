// The text of a value that is no string: android.util.TypedValue.coerceToString().
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "package/model/xml_source.h"

namespace touchmark::package {
namespace {

// The shortest digits that name the number, in the form of java.lang.Float.toString().
std::string java_text(float number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  const std::string sign = std::signbit(number) ? "-" : "";
  number = std::fabs(number);
  if (number == 0) return sign + "0.0";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t digits_at = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + digits_at, end, exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  if (exponent < -3 || exponent >= 7) {
    if (digits.size() == 1) digits += '0';
    return sign + digits.substr(0, 1) + "." + digits.substr(1) + "E" + std::to_string(exponent);
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

// A fixed-point number: 24 bits of mantissa, and where its point stands.
float complex_number(std::uint32_t data) {
  constexpr float kMantissa = 1.0F / (1 << 8);
  constexpr std::array<float, 4> kRadix = {kMantissa, kMantissa / (1 << 7), kMantissa / (1 << 15),
                                           kMantissa / (1 << 23)};
  return static_cast<float>(static_cast<std::int32_t>(data & 0xffffff00U)) * kRadix[data >> 4 & 3];
}

std::string hex(std::uint32_t number) {
  std::array<char, 8> buffer;
  return {buffer.data(),
          std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, 16).ptr};
}

}  // namespace

std::optional<std::string> coerce_to_text(const TypedValue& value) {
  constexpr std::array kDimensions = {"px", "dip", "sp", "pt", "in", "mm"};
  constexpr std::array kFractions = {"%", "%p"};
  const std::size_t unit = value.data & 0xf;
  switch (value.type) {
    case ValueType::kReference:
      return "@" + std::to_string(static_cast<std::int32_t>(value.data));
    case ValueType::kAttribute:
      return "?" + std::to_string(static_cast<std::int32_t>(value.data));
    case ValueType::kFloat:
      return java_text(std::bit_cast<float>(value.data));
    case ValueType::kDimension:
      if (unit >= kDimensions.size()) return std::nullopt;
      return java_text(complex_number(value.data)) + kDimensions[unit];
    case ValueType::kFraction:
      if (unit >= kFractions.size()) return std::nullopt;
      return java_text(complex_number(value.data) * 100) + kFractions[unit];
    case ValueType::kIntHex:
      return "0x" + hex(value.data);
    case ValueType::kBoolean:
      return value.data != 0 ? "true" : "false";
    default:
      break;
  }
  if (value.type >= ValueType::kFirstColor && value.type <= ValueType::kLastColor) {
    return "#" + hex(value.data);
  }
  if (value.is_whole_number()) return std::to_string(static_cast<std::int32_t>(value.data));
  return std::nullopt;
}

}  // namespace touchmark::package
