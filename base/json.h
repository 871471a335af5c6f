// JSON from outside: bounded in size and depth, duplicate keys refused, and typed getters that fail
// with the path of the member rather than throw.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark {

// Members are sorted by name: dump() is canonical. To destroy a tree takes memory: nlohmann moves
// its values to a list first, so that no depth exhausts the stack, and where there is none for that
// list the process ends, for a destructor does not throw. Depth hardly counts there: it is at most
// 32 bytes for each byte of a text, whose size parse_json() bounds (json_test.cc).
using Json = nlohmann::json;

enum class JsonError {
  kSyntax,
  kTooDeep,
  kTooLarge,
  kDuplicateKey,
  kMissingMember,
  kWrongType,
  kOutOfRange,
};
std::string_view error_id(JsonError error);

struct JsonLimits {
  std::size_t max_bytes = 1 << 20;
  std::size_t max_depth = 16;
};
// Never throws. The top-level value may be of any type.
Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

// Members of `object`; an error names the member. A missing member is kMissingMember.
Result<std::string> get_string(const Json& object, const char* name, std::size_t max_bytes = 4096);
Result<std::int64_t> get_int(const Json& object, const char* name, std::int64_t min,
                             std::int64_t max);
Result<Bytes> get_base64url(const Json& object, const char* name, std::size_t max_bytes = 4096);
// Nullptr when absent or of another type.
const Json* find_object(const Json& object, const char* name);
const Json* find_array(const Json& object, const char* name);
std::optional<std::string> find_string(const Json& object, const char* name);

// Dump that never throws on invalid UTF-8 (replaces it); for logs and answers.
std::string dump_json(const Json& value);

// Writes text as dump_json() would, without a value in between, for what every attestation writes.
// The caller gives the members of an object in the order of their names, each once. Text that is
// not UTF-8 is replaced.
class JsonWriter {
 public:
  JsonWriter() = default;
  // `expected`: about how many bytes will be written.
  explicit JsonWriter(std::size_t expected) { out_.reserve(expected); }
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::int64_t value) { return literal(std::to_string(value)); }
  JsonWriter& number(std::uint64_t value) { return literal(std::to_string(value)); }
  JsonWriter& boolean(bool value) { return literal(value ? "true" : "false"); }
  // `value`: JSON already.
  JsonWriter& literal(std::string_view value);

  const std::string& written() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void append(std::string_view value);
  void separate();

  std::string out_;
  bool follows_ = false;  // something that a comma comes after
};

}  // namespace touchmark
