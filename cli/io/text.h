// Small text helpers of the command line: escaping, sizes, tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace touchmark::cli::io {

// Control characters (C0, DEL, C1) and the Unicode marks that reorder text become "\xNN" or
// "\u{...}"; line breaks and tabs stay.
std::string printable(std::string_view text);

// As printable(), with line breaks turned into spaces: one line, whatever was in it.
std::string one_line(std::string_view text);

// One line of ASCII: the console escapes what could drive a terminal, and not in JSON's way.
std::string json_line(const Json& json);

// "2026-11-28 02:50:28+01:00": RFC 3339 with a space, in the time zone of whoever reads it (TZ).
std::string local_time(UnixTime time);

// "4.2 MiB".
std::string human_size(std::uint64_t bytes);

// Columns padded to their widest cell, two spaces apart, one row a line, no space at a line's end.
// Widths count code points. The first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

// Without white space at both ends.
std::string_view trim(std::string_view text);

}  // namespace touchmark::cli::io
