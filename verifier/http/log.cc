#include "verifier/http/log.h"

#include <spdlog/details/file_helper.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace touchmark::verifier::http {
namespace {

// Of Log::client().
constexpr double kMostAtOnce = 4 << 20;
constexpr double kPerSecond = 64 << 10;
constexpr std::size_t kLineBytes = 64;  // time, level and event

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// "2026-11-24T20:28:28.123Z" (RFC 3339).
std::string timestamp() {
  using namespace std::chrono;
  const auto now = floor<milliseconds>(system_clock::now());
  const auto today = floor<days>(now);
  const year_month_day date(today);
  const hh_mm_ss time(now - today);
  std::string out = "0000-00-00T00:00:00.000Z";
  const auto put = [&out](std::size_t last, std::int64_t number) {
    for (; number > 0; number /= 10) out[last--] = static_cast<char>('0' + number % 10);
  };
  put(3, int{date.year()} % 10000);
  put(6, unsigned{date.month()});
  put(9, unsigned{date.day()});
  put(12, time.hours().count());
  put(15, time.minutes().count());
  put(18, time.seconds().count());
  put(22, time.subseconds().count());
  return out;
}

std::size_t size_of(const LogFields& fields) {
  constexpr std::size_t kBetween = 8;
  std::size_t out = 0;
  for (const auto& [name, value] : fields.all()) out += name.size() + value.size() + kBetween;
  return out;
}

// time, level and event first, so that a person can read the lines too.
std::string json_line(LogLevel level, std::string_view name, const LogFields& fields) {
  JsonWriter line(2 * kLineBytes + size_of(fields));
  line.begin_object();
  line.key("time").text(timestamp()).key("level").text(level_name(level)).key("event").text(name);
  for (const auto& [key, value] : fields.all()) line.key(key).literal(value);
  return line.end_object().take();
}

std::string text_line(LogLevel level, std::string_view name, const LogFields& fields) {
  std::string line = timestamp();
  line.append(" ").append(level_name(level)).append(" ").append(name);
  for (const auto& [key, value] : fields.all()) {
    line.append(" ").append(key).append("=").append(value);
  }
  return line;
}

LogFields fields_of(const Json& object) {
  LogFields out;
  for (const auto& [key, value] : object.get_ref<const Json::object_t&>()) {
    out.literal(key, dump_json(value));
  }
  return out;
}

// --- Bounds --------------------------------------------------------------------------------------

// What one line takes, whatever a client wrote into its request.
constexpr std::size_t kMaxLine = 8192;
constexpr std::size_t kCutText = 256;
constexpr std::size_t kCutItems = 16;

void cut(Json& value) {
  if (auto* text = value.get_ptr<std::string*>()) {
    if (text->size() > kCutText) text->resize(kCutText);
  } else if (value.is_array() && value.size() > kCutItems) {
    value.erase(value.begin() + kCutItems, value.end());
  }
  if (value.is_structured()) {
    for (Json& item : value) cut(item);
  }
}

// `line` by `render` (fields -> text); shorter fields where they would be too long.
template <class Render>
std::string bounded_line(const LogFields& fields, Render render) {
  std::string line = render(fields);
  if (line.size() <= kMaxLine) return line;
  Json shorter = fields.to_json();
  cut(shorter);
  shorter["cut_from_bytes"] = line.size();
  std::string cut_line = render(fields_of(shorter));
  if (cut_line.size() <= kMaxLine) return cut_line;
  return render(LogFields().literal("cut_from_bytes", std::to_string(line.size())));
}

// Appends to a file, which can be opened again under its name. A line is what was logged, no more.
class FileSink final : public spdlog::sinks::sink {
 public:
  // Throws spdlog_ex, as reopen() does.
  explicit FileSink(std::string path) : path_(std::move(path)), file_(open()) {}

  void reopen() {
    auto file = open();
    const MutexLock lock(mutex_);
    file_ = std::move(file);
  }

  void log(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    line.append(message.payload.data(), message.payload.data() + message.payload.size());
    line.push_back('\n');
    const MutexLock lock(mutex_);
    file_->write(line);
  }
  void flush() override {
    const MutexLock lock(mutex_);
    file_->flush();
  }
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  std::unique_ptr<spdlog::details::file_helper> open() const {
    auto file = std::make_unique<spdlog::details::file_helper>();
    file->open(path_);
    return file;
  }

  const std::string path_;
  Mutex mutex_;
  std::unique_ptr<spdlog::details::file_helper> file_ GUARDED_BY(mutex_);
};

// About what a value takes in a line.
std::size_t weight(const Json& value) {
  constexpr std::size_t kNumber = 8;
  if (const auto* text = value.get_ptr<const std::string*>()) return text->size() + kNumber;
  std::size_t out = kNumber;
  if (!value.is_structured()) return out;
  for (const auto& [key, item] : value.items()) out += key.size() + weight(item);
  return out;
}

class SpdLog final : public Log {
 public:
  SpdLog(spdlog::sink_ptr sink, std::shared_ptr<FileSink> file, LogFormat format, LogLevel lowest)
      : logger_("touchmark", std::move(sink)), file_(std::move(file)), format_(format) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog_level(lowest));
    logger_.flush_on(spdlog::level::trace);
  }

  void event(LogLevel level, std::string_view name, const Json& fields) override {
    if (logger_.should_log(spdlog_level(level))) write(level, name, fields_of(fields));
  }

  void write(LogLevel level, std::string_view name, const LogFields& fields) override {
    if (!logger_.should_log(spdlog_level(level))) return;
    const std::string line = bounded_line(fields, [&](const LogFields& bounded) {
      return format_ == LogFormat::kJson ? json_line(level, name, bounded)
                                         : text_line(level, name, bounded);
    });
    logger_.log(spdlog_level(level), spdlog::string_view_t(line));
  }

  Result<void> reopen() override {
    if (!file_) return {};
    try {
      file_->reopen();
      return {};
    } catch (const spdlog::spdlog_ex& error) {
      return fail(LogError::kOpen, error.what());
    }
  }

 private:
  spdlog::logger logger_;
  std::shared_ptr<FileSink> file_;  // null: standard error
  LogFormat format_;
};

}  // namespace

Json LogFields::to_json() const {
  Json out = Json::object();
  for (const auto& [name, value] : all_) out[name] = parse_json(value).value_or(Json());
  return out;
}

std::string_view error_id(LogError error) {
  using enum LogError;
  static constexpr auto kIds = error_table<LogError>({
      {kOpen, "log.open"},
  });
  return kIds[error];
}

std::optional<std::uint64_t> Log::allow(std::string_view name, std::size_t bytes) {
  const auto now = std::chrono::steady_clock::now();
  const MutexLock lock(mutex_);
  auto found = allowances_.find(name);
  if (found == allowances_.end()) {
    found = allowances_.emplace(std::string(name), Allowance{kMostAtOnce, now}).first;
  }
  Allowance& left = found->second;
  const double seconds = std::chrono::duration<double>(now - left.when).count();
  left.bytes = std::min(kMostAtOnce, left.bytes + seconds * kPerSecond);
  left.when = now;
  if (left.bytes < static_cast<double>(bytes)) {
    ++left.dropped;
    return std::nullopt;
  }
  left.bytes -= static_cast<double>(bytes);
  return std::exchange(left.dropped, 0);
}

bool Log::may_write(std::string_view name, std::size_t bytes) {
  const auto dropped = allow(name, kLineBytes + bytes);
  if (!dropped) return false;
  if (*dropped > 0) warning("log.dropped", {{"event", name}, {"count", *dropped}});
  return true;
}

void Log::client(LogLevel level, std::string_view name, const Json& fields) {
  if (may_write(name, weight(fields))) event(level, name, fields);
}

void Log::client(LogLevel level, std::string_view name, const LogFields& fields) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : fields.all()) bytes += key.size() + value.size();
  if (may_write(name, bytes)) write(level, name, fields);
}

void Log::report_dropped() {
  std::map<std::string, std::uint64_t> counts;
  {
    const MutexLock lock(mutex_);
    for (auto& [name, left] : allowances_) {
      if (left.dropped > 0) counts.emplace(name, std::exchange(left.dropped, 0));
    }
  }
  for (const auto& [name, count] : counts) {
    warning("log.dropped", {{"event", name}, {"count", count}});
  }
}

Result<std::unique_ptr<Log>> Log::open(const std::string& path, LogFormat format, LogLevel lowest) {
  try {
    if (path.empty()) {
      return std::make_unique<SpdLog>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), nullptr,
                                      format, lowest);
    }
    auto file = std::make_shared<FileSink>(path);
    return std::make_unique<SpdLog>(file, file, format, lowest);
  } catch (const spdlog::spdlog_ex& error) {
    return fail(LogError::kOpen, error.what());
  }
}

}  // namespace touchmark::verifier::http
