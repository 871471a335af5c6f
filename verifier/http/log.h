// Structured logs: one event a line, as JSON for machines or as text for people. Callers never pass
// secrets or whole tokens.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/mutex.h"

namespace touchmark::verifier::http {

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

enum class LogError { kOpen };
std::string_view error_id(LogError error);

// Fields of one event, each with its JSON text, in the order in which they are written: for the
// events of ordinary requests, whose lines cost as little as may be. Other events give a Json.
class LogFields {
 public:
  LogFields() { all_.reserve(kUsual); }
  LogFields& text(std::string_view name, std::string_view value) {
    return literal(name, JsonWriter().text(value).take());
  }
  LogFields& boolean(std::string_view name, bool value) {
    return literal(name, value ? "true" : "false");
  }
  // `json`: JSON already. `name` outlives this.
  LogFields& literal(std::string_view name, std::string json) {
    all_.emplace_back(name, std::move(json));
    return *this;
  }
  const std::vector<std::pair<std::string_view, std::string>>& all() const { return all_; }
  Json to_json() const;

 private:
  static constexpr std::size_t kUsual = 8;
  std::vector<std::pair<std::string_view, std::string>> all_;
};

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

  virtual void write(LogLevel level, std::string_view name, const LogFields& fields) {
    event(level, name, fields.to_json());
  }

  void info(std::string_view name, const Json& fields) { event(LogLevel::kInfo, name, fields); }
  void warning(std::string_view name, const Json& fields) {
    event(LogLevel::kWarning, name, fields);
  }
  void error(std::string_view name, const Json& fields) { event(LogLevel::kError, name, fields); }

  // The same for what a client can cause as often as it likes: of each name about 4 MiB at once and
  // 64 KiB a second are written. What is left out is counted, in an event "log.dropped" with
  // "event" and "count".
  void client(LogLevel level, std::string_view name, const Json& fields);
  void client(LogLevel level, std::string_view name, const LogFields& fields);
  // Writes the counts that no later line has written. To be called now and then.
  void report_dropped();

  // Opens the file by its name again, for whoever has moved it away. Where it cannot be opened, the
  // old one goes on (LogError::kOpen).
  virtual Result<void> reopen() { return {}; }

 private:
  struct Allowance {
    double bytes;
    std::chrono::steady_clock::time_point when;
    std::uint64_t dropped = 0;
  };
  // Whether a line of so many bytes may be written; says how many were dropped before it.
  bool may_write(std::string_view name, std::size_t bytes);
  // How many were dropped before this one; nullopt when it is to be dropped too.
  std::optional<std::uint64_t> allow(std::string_view name, std::size_t bytes);

  Mutex mutex_;
  std::map<std::string, Allowance, std::less<>> allowances_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::http
