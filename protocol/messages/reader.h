// Reads one member of a message after the other and keeps the first thing that is wrong, so that a
// decoder says what it reads and asks once at the end whether it could.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json_document.h"

namespace touchmark::protocol {

// The first error of a message, shared by the readers of its objects. Outlives them.
class Fault {
 public:
  // `malformed`: the failure that a missing or mistyped member is.
  template <ErrorEnum E>
  explicit Fault(E malformed) : malformed_(malformed, "") {}

  void keep(const Error& error) {
    if (!error_) error_ = error;
  }
  void malformed(std::string message) { keep(malformed_.reworded(std::move(message))); }
  explicit operator bool() const { return error_.has_value(); }
  tl::unexpected<Error> pass() const { return tl::unexpected<Error>(*error_); }

 private:
  Error malformed_;
  std::optional<Error> error_;
};

// The getters name members by `name`; messages of errors hold that name. After an error they return
// something empty. Not thread-safe.
class Reader {
 public:
  // The document outlives the reader; an `object` that is none has no members.
  Reader(JsonView object, Fault& fault) : object_(object), fault_(&fault) {}

  bool has(const char* name) const { return object_.find(name).has_value(); }
  bool has_object(const char* name) const { return find_object(object_, name).has_value(); }
  std::string text(const char* name, std::size_t max_bytes);
  // Empty when it is missing.
  std::string optional_text(const char* name, std::size_t max_bytes);
  // Empty when it is missing, of another type or too long.
  std::string lenient_text(const char* name, std::size_t max_bytes) const;
  std::int64_t integer(const char* name, std::int64_t min, std::int64_t max);
  Bytes binary(const char* name, std::size_t max_bytes);  // base64url
  Sha256Digest digest(const char* name);                  // base64url
  Reader object(const char* name) { return {object_view(name), *fault_}; }
  JsonView object_view(const char* name);
  JsonView array(const char* name, std::size_t max_size);
  // An object whose values are all base64url SHA-256. `what`: its name in messages.
  std::map<std::string, Sha256Digest> digests(const char* name, std::string_view what,
                                              std::size_t max_size);
  // An array of base64url SHA-256.
  std::vector<Sha256Digest> digest_list(const char* name, std::string_view what,
                                        std::size_t max_size);

  Fault& fault() { return *fault_; }

 private:
  template <class T>
  T keep(Result<T> value) {
    if (value) return std::move(*value);
    fault_->malformed(value.error().message());
    return T{};
  }
  Sha256Digest to_digest(ByteView bytes, std::string_view what);
  Sha256Digest read_digest(JsonView item, std::string_view what);

  JsonView object_;
  Fault* fault_;
};

}  // namespace touchmark::protocol
