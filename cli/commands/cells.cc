#include "cli/commands/cells.h"

#include "base/clock.h"
#include "cli/io/text.h"

namespace touchmark::cli::commands {

std::string text_cell(const Json& row, const char* name) {
  return io::one_line(find_string(row, name).value_or(""));
}

std::string time_cell(const Json& row, const char* name, std::string_view without) {
  const auto time = get_int(row, name, 0, kMaxUnixTime);
  return time ? io::local_time(from_unix(*time)) : std::string(without);
}

std::string expiry_cell(const Json& row) {
  const bool is_expired = row.value("expired", Json(false)) == Json(true);
  return time_cell(row, "expires", "never") + (is_expired ? " (expired)" : "");
}

}  // namespace touchmark::cli::commands
