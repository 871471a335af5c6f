// Words for people: the nearest known word to a mistyped one, and the text of others in a message.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchmark {

// Edits (insert, delete, replace, swap of neighbours) that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the fewest edits, when they are few for the word's length, or one that begins
// with the word. nullopt when nothing is near.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// Somebody else's text as it stands in a message or a log: in quotes, and cut to 100 bytes.
std::string shown(std::string_view text);
// The same without quotes, for names and paths; what is cut off is an ellipsis. Ends no character
// of UTF-8 in its middle.
std::string shortened(std::string_view text, std::size_t max_bytes = 100);

// In lower case, of ASCII alone, whatever the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string_view text);
// Whether they are equal without regard to that case.
bool same_word(std::string_view a, std::string_view b);

// Takes the part before the next `separator`, or before the end, off the front of `rest`. Nothing
// when nothing is left: what ends in a separator has no empty part behind it. For lines and lists,
// in place of the standard library's streams, which bring its locales into an app.
std::optional<std::string_view> take_part(std::string_view& rest, char separator = '\n');
// The same, between blanks; empty when there is no further word.
std::string_view take_word(std::string_view& rest);

// "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

}  // namespace touchmark
