// Errors as values. A function that can fail returns Result<T>; nothing throws across a module's
// edge.
//
// Each module declares one enum whose enumerators are its distinct failures, and a function
// `std::string_view error_id(Enum)` beside it (found by argument-dependent lookup) that gives each
// failure its stable id, such as "base64.bad-character". An Error carries that enumerator and a
// message that names the offending value. Ids are part of the public interface: scripts match them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

namespace touchmark {

template <class E>
concept ErrorEnum = requires(E e) {
  { error_id(e) } -> std::convertible_to<std::string_view>;
};

template <ErrorEnum E>
class ErrorCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "touchmark"; }
  std::string message(int value) const override {
    return std::string(error_id(static_cast<E>(value)));
  }
  static const ErrorCategory& instance() {
    static const ErrorCategory category;
    return category;
  }
};

// The ids of one enum's failures, a row each, in the enum's order (checked at compile time):
//
//   std::string_view error_id(FileError error) {
//     using enum FileError;
//     static constexpr auto kIds = error_table<FileError>({
//         {kNotFound, "file.not-found"},
//     });
//     return kIds[error];
//   }
//
// tools/check-error-ids proves that each enumerator has its row, and that no id stands twice.
template <class E>
struct ErrorRow {
  E code;
  std::string_view id;
};

inline constexpr std::string_view kUnknownError = "error.unknown";

template <class E, std::size_t kSize>
class ErrorTable {
 public:
  consteval explicit ErrorTable(const ErrorRow<E> (&rows)[kSize]) {
    for (std::size_t i = 0; i < kSize; ++i) {
      if (static_cast<std::size_t>(rows[i].code) != i) throw "not in the order of the enum";
      ids_[i] = rows[i].id;
    }
  }
  // kUnknownError for a value that the enum does not have.
  constexpr std::string_view operator[](E code) const {
    const auto index = static_cast<std::size_t>(code);
    return index < kSize ? ids_[index] : kUnknownError;
  }

 private:
  std::array<std::string_view, kSize> ids_;
};

template <class E, std::size_t kSize>
consteval ErrorTable<E, kSize> error_table(const ErrorRow<E> (&rows)[kSize]) {
  return ErrorTable<E, kSize>(rows);
}

class Error {
 public:
  template <ErrorEnum E>
  Error(E code, std::string message)
      : code_(static_cast<int>(code), ErrorCategory<E>::instance()), message_(std::move(message)) {}

  // True when this error is exactly the failure `code`.
  template <ErrorEnum E>
  bool is(E code) const {
    return code_ == std::error_code(static_cast<int>(code), ErrorCategory<E>::instance());
  }
  // The stable id, for example "token.expired".
  std::string id() const { return code_.message(); }
  // One line for a human: what was wrong, and where. Holds no secret and no whole token.
  const std::string& message() const { return message_; }
  // The same failure in other words, such as with the file's name before them.
  Error reworded(std::string message) const { return {code_, std::move(message)}; }
  // "id: message", the form logs and command-line errors print.
  std::string text() const { return id() + ": " + message_; }

 private:
  Error(std::error_code code, std::string message) : code_(code), message_(std::move(message)) {}

  std::error_code code_;
  std::string message_;
};

template <class T>
using Result = tl::expected<T, Error>;

// `return fail(Enum::kX, "...");` from any function that returns a Result.
template <ErrorEnum E>
tl::unexpected<Error> fail(E code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}

// Passes an error up unchanged: `if (!r) return pass(r);`
template <class T>
tl::unexpected<Error> pass(Result<T>& result) {
  return tl::unexpected<Error>(std::move(result.error()));
}
template <class T>
tl::unexpected<Error> pass(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

}  // namespace touchmark
