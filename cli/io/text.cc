#include "cli/io/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace touchmark::cli::io {
namespace {

struct Utf8Rune {
  std::uint32_t value = 0;
  std::size_t length = 1;
};

// Decodes the two- and three-byte sequences at `at`, the only ones that hold marks to escape; every
// other byte stands for itself.
Utf8Rune rune_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if ((first & 0xE0U) == 0xC0U && (byte(1) & 0xC0U) == 0x80U) {
    return {((first & 0x1FU) << 6) | (byte(1) & 0x3FU), 2};
  }
  if ((first & 0xF0U) == 0xE0U && (byte(1) & 0xC0U) == 0x80U && (byte(2) & 0xC0U) == 0x80U) {
    return {((first & 0x0FU) << 12) | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU), 3};
  }
  return {first, 1};
}

// Marks of the bidirectional algorithm, which can make a line read as something else.
bool reorders_text(std::uint32_t value) {
  return value == 0x200E || value == 0x200F || (value >= 0x202A && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069);
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Rune rune = rune_at(text, at);
    const bool control = rune.length == 1 && (rune.value < 0x20 || rune.value == 0x7F) &&
                         rune.value != '\n' && rune.value != '\t';
    if (control || (rune.length == 2 && rune.value < 0xA0)) {
      out += fmt::format("\\x{:02x}", rune.value);
    } else if (reorders_text(rune.value)) {
      out += fmt::format("\\u{{{:04x}}}", rune.value);
    } else {
      out.append(text.substr(at, rune.length));
    }
    at += rune.length;
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = printable(trim(text));
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

std::string local_time(UnixTime time) {
  const std::time_t seconds = to_unix(time);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return format_time(time) + "Z";
  const long minutes = local.tm_gmtoff / 60;
  const long size = minutes < 0 ? -minutes : minutes;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}{:02}:{:02}", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                     minutes < 0 ? '-' : '+', size / 60, size % 60);
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes);
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    size /= 1024;
    if (size < 1024) return fmt::format("{:.1f} {}", size, unit);
  }
  return fmt::format("{:.1f} TiB", size / 1024);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    if (widths.size() < row.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += one_line(row[i]);
      if (i + 1 < row.size()) line.append(widths[i] - std::min(widths[i], width(row[i])) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace touchmark::cli::io
