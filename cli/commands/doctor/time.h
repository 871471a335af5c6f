// When something that ends is near its end.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace touchmark::cli::commands::doctor {

// Whether the end is nearer than `longest`, and than a fifth of the whole time: what is made for a
// day or an hour on purpose is not near its end from the start.
bool ends_soon(std::optional<UnixTime> begin, UnixTime end, UnixTime now, Seconds longest);

// "3 d", "5 h", "20 min", "40 s"; of a negative time without its sign.
std::string rough(Seconds time);

}  // namespace touchmark::cli::commands::doctor
