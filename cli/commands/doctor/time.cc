#include "cli/commands/doctor/time.h"

#include <fmt/format.h>

#include <algorithm>

namespace touchmark::cli::commands::doctor {

bool ends_soon(std::optional<UnixTime> begin, UnixTime end, UnixTime now, Seconds longest) {
  Seconds early = longest;
  if (begin && *begin < end) early = std::min(early, Seconds((end - *begin) / 5));
  return end - now < early;
}

std::string rough(Seconds time) {
  const std::int64_t seconds = time.count() < 0 ? -time.count() : time.count();
  if (seconds >= 2 * 86400) return fmt::format("{} d", seconds / 86400);
  if (seconds >= 2 * 3600) return fmt::format("{} h", seconds / 3600);
  if (seconds >= 2 * 60) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

}  // namespace touchmark::cli::commands::doctor
