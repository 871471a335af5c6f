#include "cli/line/legacy_form.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace touchmark::cli::line {
namespace {

struct Spelling {
  std::string_view group;
  std::string_view older;
  std::string_view modern;  // a verb, or an option when it begins with a dash
};

constexpr auto kSpellings = std::to_array<Spelling>({
    {"sdk", "-getLibrary", "library"},
    {"sdk", "-getConfig", "config"},
    {"registration", "-add", "add"},
    {"registration", "-list", "list"},
    {"registration", "-remove", "remove"},
    {"registration", "-expireAfter", "--expire-after"},
    {"api", "-add", "add"},
    {"api", "-list", "list"},
    {"api", "-remove", "remove"},
    {"token", "-check", "check"},
    {"secret", "-get", "get"},
});

const Spelling* find_spelling(std::string_view group, std::string_view word) {
  const auto found = std::find_if(kSpellings.begin(), kSpellings.end(), [&](const Spelling& row) {
    return row.group == group && row.older == word;
  });
  return found == kSpellings.end() ? nullptr : &*found;
}

bool is_group(std::string_view word) {
  return std::any_of(kSpellings.begin(), kSpellings.end(),
                     [&](const Spelling& row) { return row.group == word; });
}

}  // namespace

std::vector<std::string> translate_article_form(std::vector<std::string> args) {
  // Only options may stand before the group; the value of one (--profile NAME) never is a group's
  // name followed by one of its older verbs, so looking for the first group word is enough.
  const auto group = std::find_if(args.begin(), args.end(),
                                  [](const std::string& word) { return is_group(word); });
  if (group == args.end()) return args;
  const std::string group_name = *group;
  const auto end = std::find(group, args.end(), "--");
  auto verb_place = group + 1;
  for (auto word = group + 1; word != end; ++word) {
    const Spelling* spelling = find_spelling(group_name, *word);
    if (spelling == nullptr) continue;
    *word = spelling->modern;
    if (spelling->modern.starts_with('-')) continue;
    // The verb may follow its options (`registration -expireAfter 600s -add app.apk`).
    std::rotate(verb_place, word, word + 1);
    ++verb_place;
  }
  return args;
}

}  // namespace touchmark::cli::line
