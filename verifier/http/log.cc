#include "verifier/http/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <ctime>

namespace touchmark::verifier::http {
namespace {

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
  const auto now = time_point_cast<milliseconds>(system_clock::now());
  const std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(now));
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char day[32];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
  char out[48];
  std::snprintf(out, sizeof out, "%s.%03dZ", day,
                static_cast<int>(now.time_since_epoch().count() % 1000));
  return out;
}

// time, level and event first, so that a person can read the lines too.
std::string json_line(LogLevel level, std::string_view name, const Json& fields) {
  std::string line = R"({"time":")" + timestamp() + R"(","level":")" +
                     std::string(level_name(level)) + R"(","event":)" + dump_json(Json(name));
  const std::string rest = dump_json(fields);
  if (rest.size() > 2) line += "," + rest.substr(1, rest.size() - 2);
  return line + "}";
}

std::string text_line(LogLevel level, std::string_view name, const Json& fields) {
  std::string line = timestamp() + " " + std::string(level_name(level)) + " " + std::string(name);
  for (const auto& [key, value] : fields.items()) line += " " + key + "=" + dump_json(value);
  return line;
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
std::string bounded_line(const Json& fields, Render render) {
  std::string line = render(fields);
  if (line.size() <= kMaxLine) return line;
  Json shorter = fields;
  cut(shorter);
  shorter["cut_from_bytes"] = line.size();
  std::string cut_line = render(shorter);
  if (cut_line.size() <= kMaxLine) return cut_line;
  return render(Json{{"cut_from_bytes", line.size()}});
}

class SpdLog final : public Log {
 public:
  SpdLog(spdlog::sink_ptr sink, LogFormat format, LogLevel lowest)
      : logger_("touchmark", std::move(sink)), format_(format) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog_level(lowest));
    logger_.flush_on(spdlog::level::trace);
  }

  void event(LogLevel level, std::string_view name, const Json& fields) override {
    if (!logger_.should_log(spdlog_level(level))) return;
    logger_.log(spdlog_level(level), "{}", bounded_line(fields, [&](const Json& bounded) {
                  return format_ == LogFormat::kJson ? json_line(level, name, bounded)
                                                     : text_line(level, name, bounded);
                }));
  }

 private:
  spdlog::logger logger_;
  LogFormat format_;
};

}  // namespace

std::string_view error_id(LogError error) {
  using enum LogError;
  static constexpr auto kIds = error_table<LogError>({
      {kOpen, "log.open"},
  });
  return kIds[error];
}

Result<std::unique_ptr<Log>> Log::open(const std::string& path, LogFormat format, LogLevel lowest) {
  try {
    spdlog::sink_ptr sink;
    if (path.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    }
    return std::make_unique<SpdLog>(std::move(sink), format, lowest);
  } catch (const spdlog::spdlog_ex& error) {
    return fail(LogError::kOpen, error.what());
  }
}

}  // namespace touchmark::verifier::http
