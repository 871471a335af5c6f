#include "base/json.h"

#include <algorithm>
#include <vector>

#include "base/encoding.h"

namespace touchmark {
namespace {

std::string member(const char* name) { return "member \"" + std::string(name) + "\""; }

// Builds the value while it counts depth and compares keys. nlohmann's own builder would keep the
// last of two equal keys, and so let two readers of one document see different values.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::size_t max_depth) : max_depth_(max_depth) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // never in text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto [at, is_new] = open_.back()->emplace(std::move(name), nullptr);
    if (!is_new) {
      error_.emplace(JsonError::kDuplicateKey,
                     "key " + dump_json(Json(at.key())) + " stands twice");
      return false;
    }
    slot_ = &*at;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    error_.emplace(JsonError::kSyntax, "not JSON at byte " + std::to_string(position));
    return false;
  }

  Result<Json> take(bool parsed) {
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    if (!parsed) return fail(JsonError::kSyntax, "not JSON");
    return std::move(root_);
  }

 private:
  // Puts a value where the document is: the root, the member just named, or the array's end.
  template <class T>
  Json* place(T&& value) {
    if (open_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    Json* parent = open_.back();
    if (parent->is_array()) {
      parent->push_back(std::forward<T>(value));
      return &parent->back();
    }
    *slot_ = std::forward<T>(value);
    return slot_;
  }
  template <class T>
  bool add(T&& value) {
    place(std::forward<T>(value));
    return true;
  }
  bool open(Json container) {
    if (open_.size() >= max_depth_) {
      error_.emplace(JsonError::kTooDeep,
                     "nested deeper than " + std::to_string(max_depth_) + " levels");
      return false;
    }
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  Json root_;
  // The containers that are open, outermost first. A pointer stays valid while its container is
  // open: only the innermost one grows.
  std::vector<Json*> open_;
  Json* slot_ = nullptr;  // value of the member whose key came last
  std::optional<Error> error_;
};

// Reads the JSON that programs write to each other: text in ASCII without escapes, whole numbers of
// up to 18 digits. A third of the time that nlohmann's parser takes, which looks at each character
// by itself; whatever else a document holds, and all errors, are left to that parser. What both
// take, they take as the same value (tests/fuzz/fuzz_json.cc).
class PlainReader {
 public:
  // Tells `builder` what `text` holds.
  PlainReader(std::string_view text, Builder& builder)
      : at_(text.data()), end_(at_ + text.size()), builder_(builder) {}

  enum class Outcome {
    kRead,
    kRefused,  // by the builder, which has the error
    kLeft,     // the document is for another parser; the builder has had a part of it
  };
  Outcome read() {
    const Outcome outcome = value();
    if (outcome != Outcome::kRead) return outcome;
    skip_space();
    return at_ == end_ ? Outcome::kRead : Outcome::kLeft;
  }

 private:
  static constexpr std::size_t kMaxDigits = 18;

  static Outcome told(bool taken) { return taken ? Outcome::kRead : Outcome::kRefused; }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  // Takes `c`, and the space before it.
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }
  // A string into text_; at_ is at its first quote.
  bool take_string() {
    const char* begin = ++at_;
    while (at_ != end_ && *at_ >= ' ' && *at_ <= '~' && *at_ != '"' && *at_ != '\\') ++at_;
    if (at_ == end_ || *at_ != '"') return false;
    text_.assign(begin, at_++);
    return true;
  }

  Outcome value() {
    skip_space();
    if (at_ == end_) return Outcome::kLeft;
    switch (*at_) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return take_string() ? told(builder_.string(text_)) : Outcome::kLeft;
      case 't':
        return take_word("true") ? told(builder_.boolean(true)) : Outcome::kLeft;
      case 'f':
        return take_word("false") ? told(builder_.boolean(false)) : Outcome::kLeft;
      case 'n':
        return take_word("null") ? told(builder_.null()) : Outcome::kLeft;
      default:
        return number();
    }
  }

  Outcome number() {
    const bool negative = *at_ == '-';
    if (negative) ++at_;
    const char* begin = at_;
    std::int64_t number = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' &&
           at_ - begin < static_cast<std::ptrdiff_t>(kMaxDigits)) {
      number = number * 10 + (*at_++ - '0');
    }
    const std::ptrdiff_t digits = at_ - begin;
    if (digits == 0 || (*begin == '0' && digits > 1)) return Outcome::kLeft;
    // Another digit, a fraction or an exponent: not for this reader, and neither is what no JSON
    // is.
    const bool ends = at_ == end_ || std::string_view(",]} \n\r\t").find(*at_) != std::string::npos;
    if (!ends) return Outcome::kLeft;
    return told(negative ? builder_.number_integer(-number)
                         : builder_.number_unsigned(static_cast<std::uint64_t>(number)));
  }

  // Nested as deep as the builder allows.
  Outcome object() {
    ++at_;
    if (!builder_.start_object(0)) return Outcome::kRefused;
    if (take('}')) return told(builder_.end_object());
    do {
      skip_space();
      if (at_ == end_ || *at_ != '"' || !take_string()) return Outcome::kLeft;
      if (!builder_.key(text_)) return Outcome::kRefused;
      if (!take(':')) return Outcome::kLeft;
      if (const Outcome outcome = value(); outcome != Outcome::kRead) return outcome;
    } while (take(','));
    return take('}') ? told(builder_.end_object()) : Outcome::kLeft;
  }

  Outcome array() {
    ++at_;
    if (!builder_.start_array(0)) return Outcome::kRefused;
    if (take(']')) return told(builder_.end_array());
    do {
      if (const Outcome outcome = value(); outcome != Outcome::kRead) return outcome;
    } while (take(','));
    return take(']') ? told(builder_.end_array()) : Outcome::kLeft;
  }

  const char* at_;
  const char* end_;
  Builder& builder_;
  std::string text_;
};

Result<const Json*> get(const Json& object, const char* name) {
  if (!object.is_object()) return fail(JsonError::kWrongType, "not an object");
  auto at = object.find(name);
  if (at == object.end()) return fail(JsonError::kMissingMember, member(name) + " is missing");
  return &*at;
}

const Json* find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  auto at = object.find(name);
  return at == object.end() ? nullptr : &*at;
}

}  // namespace

std::string_view error_id(JsonError error) {
  using enum JsonError;
  static constexpr auto kIds = error_table<JsonError>({
      {kSyntax, "json.syntax"},
      {kTooDeep, "json.too-deep"},
      {kTooLarge, "json.too-large"},
      {kDuplicateKey, "json.duplicate-key"},
      {kMissingMember, "json.missing-member"},
      {kWrongType, "json.wrong-type"},
      {kOutOfRange, "json.out-of-range"},
  });
  return kIds[error];
}

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return fail(JsonError::kTooLarge, std::to_string(text.size()) + " bytes, at most " +
                                          std::to_string(limits.max_bytes) + " are taken");
  }
  // nlohmann skips a byte order mark; RFC 8259 section 8.1 forbids it in what is exchanged.
  if (text.starts_with("\xef\xbb\xbf")) {
    return fail(JsonError::kSyntax, "a byte order mark stands before the document");
  }
  // nlohmann takes a NUL byte for the end of the text and would not look at what follows.
  if (std::size_t at = text.find('\0'); at != text.npos) {
    return fail(JsonError::kSyntax, "not JSON at byte " + std::to_string(at + 1));
  }
  Builder plain(limits.max_depth);
  const auto outcome = PlainReader(text, plain).read();
  if (outcome != PlainReader::Outcome::kLeft) {
    return plain.take(outcome == PlainReader::Outcome::kRead);
  }
  Builder builder(limits.max_depth);
  bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take(parsed);
}

Result<std::string> get_string(const Json& object, const char* name, std::size_t max_bytes) {
  auto value = get(object, name);
  if (!value) return pass(value);
  if (!(*value)->is_string()) return fail(JsonError::kWrongType, member(name) + " is not a string");
  const auto& text = (*value)->get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    return fail(JsonError::kTooLarge,
                member(name) + " is over " + std::to_string(max_bytes) + " bytes");
  }
  return text;
}

Result<std::int64_t> get_int(const Json& object, const char* name, std::int64_t min,
                             std::int64_t max) {
  auto value = get(object, name);
  if (!value) return pass(value);
  if (!(*value)->is_number_integer()) {
    return fail(JsonError::kWrongType, member(name) + " is not an integer");
  }
  // Over the signed range a number is held as unsigned, and get<int64_t> would wrap it round.
  bool over = (*value)->is_number_unsigned() &&
              (*value)->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  std::int64_t number = over ? 0 : (*value)->get<std::int64_t>();
  if (over || number < min || number > max) {
    return fail(JsonError::kOutOfRange, member(name) + " is not within " + std::to_string(min) +
                                            " and " + std::to_string(max));
  }
  return number;
}

Result<Bytes> get_base64url(const Json& object, const char* name, std::size_t max_bytes) {
  auto value = get(object, name);
  if (!value) return pass(value);
  if (!(*value)->is_string()) return fail(JsonError::kWrongType, member(name) + " is not a string");
  const auto& text = (*value)->get_ref<const std::string&>();
  const std::size_t max_text = max_bytes / 3 * 4 + 4;
  if (text.size() > max_text) {
    return fail(JsonError::kTooLarge,
                member(name) + " is over " + std::to_string(max_text) + " bytes");
  }
  auto bytes = base64url_decode(text);
  if (!bytes) {
    return fail(JsonError::kWrongType,
                member(name) + " is not base64url: " + bytes.error().message());
  }
  if (bytes->size() > max_bytes) {
    return fail(JsonError::kTooLarge,
                member(name) + " is over " + std::to_string(max_bytes) + " bytes");
  }
  return bytes;
}

const Json* find_object(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value != nullptr && value->is_object() ? value : nullptr;
}

const Json* find_array(const Json& object, const char* name) {
  const Json* value = find(object, name);
  return value != nullptr && value->is_array() ? value : nullptr;
}

std::optional<std::string> find_string(const Json& object, const char* name) {
  const Json* value = find(object, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonWriter::separate() {
  if (follows_) out_ += ',';
}

void JsonWriter::append(std::string_view value) {
  const bool plain = std::ranges::all_of(
      value, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    out_.append(1, '"').append(value).append(1, '"');
  } else {
    out_ += dump_json(Json(value));
  }
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append(name);
  out_ += ':';
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append(value);
  follows_ = true;
  return *this;
}

JsonWriter& JsonWriter::literal(std::string_view value) {
  separate();
  out_ += value;
  follows_ = true;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  follows_ = true;
  return *this;
}

}  // namespace touchmark
