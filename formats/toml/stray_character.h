// What must be known of a document before the TOML library sees it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace touchmark::toml_text {

// Offset of the first byte outside ASCII that stands neither in a string nor in a comment, the only
// places where TOML 1.0 has it. Such a character makes toml++ 3.3 run into code that its author
// thought unreachable, instead of reporting it. A byte order mark at the start is no such
// character.
std::optional<std::size_t> find_stray_character(std::string_view text);

}  // namespace touchmark::toml_text
