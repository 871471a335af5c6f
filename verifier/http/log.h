// Structured logs: one event a line, as JSON for machines or as text for people. Callers never pass
// secrets or whole tokens.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace touchmark::verifier::http {

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

enum class LogError { kOpen };
std::string_view error_id(LogError error);

// Thread-safe.
class Log {
 public:
  // Appends to `path`, or writes to standard error when it is empty.
  static Result<std::unique_ptr<Log>> open(const std::string& path, LogFormat format,
                                           LogLevel lowest = LogLevel::kInfo);
  virtual ~Log() = default;

  // `fields` is an object; a line that would be over 8 KiB is cut, and says so (cut_from_bytes);
  // the line also carries "time" (UTC, milliseconds), "level" and "event".
  virtual void event(LogLevel level, std::string_view name, const Json& fields) = 0;

  void info(std::string_view name, const Json& fields) { event(LogLevel::kInfo, name, fields); }
  void warning(std::string_view name, const Json& fields) {
    event(LogLevel::kWarning, name, fields);
  }
  void error(std::string_view name, const Json& fields) { event(LogLevel::kError, name, fields); }
};

}  // namespace touchmark::verifier::http
