#include "formats/cbor.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/encoding.h"
#include "base/utf.h"

namespace touchmark::cbor {
namespace {

class Parser {
 public:
  Parser(ByteView data, Limits limits) : data_(data), limits_(limits) {}

  Result<Value> parse(std::size_t depth) {
    if (depth > limits_.max_depth) return fail(CborError::kTooDeep, "items nest too deep");
    if (++items_ > limits_.max_items) return fail(CborError::kTooManyItems, "too many items");
    std::size_t begin = position_;
    Value value;
    if (auto head = read_head(value); !head) return pass(head);
    auto body = read_body(value, depth);
    if (!body) return pass(body);
    value.encoded = data_.subspan(begin, position_ - begin);
    return value;
  }

 private:
  std::size_t left() const { return data_.size() - position_; }
  tl::unexpected<Error> truncated() const {
    return fail(CborError::kTruncated,
                "the data ends inside an item, at byte " + std::to_string(data_.size()));
  }

  // Initial byte and argument (RFC 8949 section 3).
  Result<void> read_head(Value& value) {
    if (left() == 0) return truncated();
    auto initial = std::to_integer<std::uint8_t>(data_[position_++]);
    unsigned major = initial >> 5;
    unsigned info = initial & 31U;
    value.type = major == 7 ? Type::kSimple : static_cast<Type>(major);
    if (info < 24) {
      value.number = info;
      return {};
    }
    if (info == 31) return fail(CborError::kIndefinite, "an item has an indefinite length");
    if (info > 27) return fail(CborError::kReserved, "an item has a reserved head");
    std::size_t size = std::size_t{1} << (info - 24);
    if (left() < size) return truncated();
    for (std::size_t i = 0; i < size; ++i) {
      value.number = value.number << 8 | std::to_integer<std::uint64_t>(data_[position_++]);
    }
    if (major == 7) return check_simple(value, size);
    std::uint64_t floor = size == 1 ? 24 : std::uint64_t{1} << (4 * size);
    if (value.number < floor) return fail(CborError::kNonMinimal, "a number is not minimal");
    return {};
  }

  Result<void> check_simple(Value& value, std::size_t size) {
    if (size > 1) {
      value.type = Type::kFloat;
      return {};
    }
    // Below 32 only the one-byte form is well-formed (section 3.3).
    if (value.number < 32) return fail(CborError::kReserved, "a simple value is in the long form");
    return {};
  }

  Result<void> read_body(Value& value, std::size_t depth) {
    switch (value.type) {
      case Type::kBytes:
      case Type::kText:
        return read_string(value);
      case Type::kArray:
        return read_items(value, value.number, depth);
      case Type::kTag:
        return read_items(value, 1, depth);
      case Type::kMap:
        return read_map(value, depth);
      default:
        return {};
    }
  }

  Result<void> read_string(Value& value) {
    if (value.number > left()) return truncated();
    value.bytes = data_.subspan(position_, static_cast<std::size_t>(value.number));
    position_ += value.bytes.size();
    if (value.type == Type::kText && !is_utf8(as_text(value.bytes))) {
      return fail(CborError::kBadText, "a text string is not UTF-8");
    }
    return {};
  }

  Result<void> read_items(Value& value, std::uint64_t count, std::size_t depth) {
    // Each item takes at least a byte: a count that cannot be met is found before anything is
    // built.
    if (count > left()) return truncated();
    for (std::uint64_t i = 0; i < count; ++i) {
      auto item = parse(depth + 1);
      if (!item) return pass(item);
      value.items.push_back(std::move(*item));
    }
    return {};
  }

  Result<void> read_map(Value& value, std::size_t depth) {
    if (value.number > left() / 2) return truncated();
    if (auto items = read_items(value, value.number * 2, depth); !items) return items;
    // Heads are minimal, so equal keys have equal bytes.
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
      for (std::size_t k = 0; k < i; k += 2) {
        if (as_text(value.items[i].encoded) == as_text(value.items[k].encoded)) {
          return fail(CborError::kDuplicateKey, "a key stands twice in a map");
        }
      }
    }
    return {};
  }

  ByteView data_;
  Limits limits_;
  std::size_t position_ = 0;
  std::size_t items_ = 0;
};

// The value of a half, float or double from its bits (RFC 8949 appendix D for halves).
double to_double(std::uint64_t bits, std::size_t encoded_size) {
  if (encoded_size == 9) return std::bit_cast<double>(bits);
  if (encoded_size == 5) {
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  int exponent = static_cast<int>(bits >> 10 & 31U);
  auto mantissa = static_cast<double>(bits & 1023U);
  double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                     : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                      : std::ldexp(mantissa + 1024, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

std::string negative_text(std::uint64_t number) {
  // -1 - n reaches -2^64, which no integer type here holds.
  if (number == UINT64_MAX) return "-18446744073709551616";
  std::string text = "-";
  return text += std::to_string(number + 1);
}

std::string key_text(const Value& key) {
  switch (key.type) {
    case Type::kText:
      return std::string(key.text());
    case Type::kUnsigned:
      return std::to_string(key.number);
    case Type::kNegative:
      return negative_text(key.number);
    default:
      return "hex:" + hex_encode(key.encoded);
  }
}

Json simple_to_json(std::uint64_t number) {
  switch (number) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return nullptr;
    default:
      return {{"simple", number}};
  }
}

}  // namespace

std::string_view error_id(CborError error) {
  using enum CborError;
  static constexpr auto kIds = error_table<CborError>({
      {kTruncated, "cbor.truncated"},
      {kReserved, "cbor.reserved"},
      {kNonMinimal, "cbor.non-minimal"},
      {kIndefinite, "cbor.indefinite"},
      {kTooDeep, "cbor.too-deep"},
      {kTooManyItems, "cbor.too-many-items"},
      {kDuplicateKey, "cbor.duplicate-key"},
      {kBadText, "cbor.bad-text"},
      {kTrailingData, "cbor.trailing-data"},
      {kUnexpectedType, "cbor.unexpected-type"},
      {kMissingMember, "cbor.missing-member"},
  });
  return kIds[error];
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kUnsigned:
      return "unsigned integer";
    case Type::kNegative:
      return "negative integer";
    case Type::kBytes:
      return "byte string";
    case Type::kText:
      return "text string";
    case Type::kArray:
      return "array";
    case Type::kMap:
      return "map";
    case Type::kTag:
      return "tag";
    case Type::kSimple:
      return "simple value";
    case Type::kFloat:
      return "float";
  }
  return "unknown";
}

const Value* Value::find(std::string_view key) const {
  if (type != Type::kMap) return nullptr;
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (items[i].type == Type::kText && items[i].text() == key) return &items[i + 1];
  }
  return nullptr;
}

const Value* Value::find(std::int64_t key) const {
  if (type != Type::kMap) return nullptr;
  Type wanted = key < 0 ? Type::kNegative : Type::kUnsigned;
  std::uint64_t number = static_cast<std::uint64_t>(key < 0 ? -1 - key : key);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (items[i].type == wanted && items[i].number == number) return &items[i + 1];
  }
  return nullptr;
}

Result<Value> parse_prefix(ByteView data, Limits limits) { return Parser(data, limits).parse(1); }

Result<Value> parse(ByteView data, Limits limits) {
  auto value = parse_prefix(data, limits);
  if (value && value->encoded.size() != data.size()) {
    return fail(CborError::kTrailingData,
                std::to_string(data.size() - value->encoded.size()) + " bytes follow the item");
  }
  return value;
}

Result<const Value*> member(const Value& map, std::string_view key, Type type) {
  if (map.type != Type::kMap) {
    return fail(CborError::kUnexpectedType,
                "a map must stand where a " + std::string(to_string(map.type)) + " is");
  }
  const Value* value = map.find(key);
  if (value == nullptr) {
    return fail(CborError::kMissingMember, "member \"" + std::string(key) + "\" is missing");
  }
  if (value->type != type) {
    return fail(CborError::kUnexpectedType, "member \"" + std::string(key) + "\" is a " +
                                                std::string(to_string(value->type)) + ", not a " +
                                                std::string(to_string(type)));
  }
  return value;
}

Json to_json(const Value& value) {
  switch (value.type) {
    case Type::kUnsigned:
      return value.number;
    case Type::kNegative:
      if (value.number <= static_cast<std::uint64_t>(INT64_MAX)) {
        return -1 - static_cast<std::int64_t>(value.number);
      }
      return negative_text(value.number);
    case Type::kBytes:
      return {{"hex", hex_encode(value.bytes)}};
    case Type::kText:
      return value.text();
    case Type::kTag:
      return {{"tag", value.number}, {"value", to_json(value.items[0])}};
    case Type::kSimple:
      return simple_to_json(value.number);
    case Type::kFloat:
      return to_double(value.number, value.encoded.size());
    case Type::kArray: {
      Json array = Json::array();
      for (const Value& item : value.items) array.push_back(to_json(item));
      return array;
    }
    case Type::kMap: {
      Json object = Json::object();
      for (std::size_t i = 0; i < value.items.size(); i += 2) {
        object[key_text(value.items[i])] = to_json(value.items[i + 1]);
      }
      return object;
    }
  }
  return nullptr;
}

}  // namespace touchmark::cbor
