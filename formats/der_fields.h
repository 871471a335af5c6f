// Reads the fields of DER one after the other and keeps the first thing that is wrong, so that a
// parser asks once, at its end, whether everything was there:
//
//   der::Failure failure;
//   auto fields = der::Fields::of(data, der::kSequence, failure);
//   Signer signer;
//   signer.version = fields.number();
//   signer.name = fields.read(der::kSequence).full;
//   fields.finish();
//   return failure.or_else(signer);
//
// After a failure every read gives an empty value, every loop `while (!fields.at_end())` ends, and
// nothing is read any more.
#pragma once

#include <optional>

#include "formats/der.h"

namespace touchmark::der {

// The first failure of one parse. All Fields of the parse share it, and must not outlive it.
class Failure {
 public:
  explicit operator bool() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  void note(Error error) {
    if (!error_) error_ = std::move(error);
  }
  template <ErrorEnum E>
  void note(E code, std::string message) {
    note(Error(code, std::move(message)));
  }
  // The value, or an empty one of its type.
  template <class T>
  T take(Result<T> result) {
    if (result) return std::move(*result);
    note(std::move(result.error()));
    return T{};
  }
  void take(const Result<void>& result) {
    if (!result) note(result.error());
  }
  // The outcome of the parse.
  template <class T>
  Result<T> or_else(T value) const {
    if (error_) return tl::unexpected<Error>(*error_);
    return value;
  }
  Result<void> result() const {
    if (error_) return tl::unexpected<Error>(*error_);
    return {};
  }

 private:
  std::optional<Error> error_;
};

class Fields {
 public:
  Fields(ByteView data, Failure& failure, Options options = {})
      : reader_(data, options), failure_(&failure) {}
  // The fields within the one element that `data` consists of.
  static Fields of(ByteView data, Tag tag, Failure& failure, Options options = {});

  Failure& failure() const { return *failure_; }
  bool at_end() const { return *failure_ || reader_.at_end(); }
  bool next_is(Tag tag) const { return !at_end() && reader_.next_is(tag); }

  Element read();
  Element read(Tag tag);
  std::optional<Element> optional(Tag tag);
  Fields enter(Tag tag);
  // Notes what is left over.
  void finish();

  // Fields with their content decoded, as the functions of formats/der.h do it.
  ByteView octets() { return read(kOctetString).content; }
  ByteView oid() { return read(kOid).content; }
  std::uint64_t number(Tag tag = kInteger);
  bool boolean(bool any_true = false);
  ByteView bits();
  UnixTime time();
  std::string text();
  void null();

 private:
  Reader reader_;
  Failure* failure_;
};

}  // namespace touchmark::der
