#include "base/json.h"

#include <algorithm>
#include <vector>

#include "base/json_document.h"
#include "base/plain_json.h"

namespace touchmark {
namespace {

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

// `object` without what no getter of one member needs.
JsonDocument around(const Json& object, const char* name) {
  if (!object.is_object()) return JsonDocument(Json());
  Json out = Json::object();
  const auto at = object.find(name);
  if (at != object.end()) out[name] = at->is_structured() ? Json() : *at;
  return JsonDocument(out);
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
  std::string copy(text);
  if (const auto plain = PlainJson::read(copy, limits.max_depth)) {
    return plain->root().to_json();
  }
  Builder builder(limits.max_depth);
  bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take(parsed);
}

Result<std::string> get_string(const Json& object, const char* name, std::size_t max_bytes) {
  return get_string(around(object, name).root(), name, max_bytes);
}

Result<std::int64_t> get_int(const Json& object, const char* name, std::int64_t min,
                             std::int64_t max) {
  return get_int(around(object, name).root(), name, min, max);
}

Result<Bytes> get_base64url(const Json& object, const char* name, std::size_t max_bytes) {
  return get_base64url(around(object, name).root(), name, max_bytes);
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
  if (std::ranges::all_of(value, is_plain_json_text)) {
    out_.push_back('"');
    out_.append(value).push_back('"');
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
