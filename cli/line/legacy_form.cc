#include "cli/line/legacy_form.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "cli/line/command_tree.h"

namespace touchmark::cli::line {
namespace {

struct Spelling {
  std::string_view group;
  std::string_view older;
  std::string_view modern;  // the verb
};

// What is not its own name with a dash before it.
constexpr auto kSpellings = std::to_array<Spelling>({
    {"sdk", "-getLibrary", "library"},
    {"sdk", "-getConfig", "config"},
    {"token", "-genExample", "example"},
    {"policy", "-get", "show"},
    {"policy", "-getAll", "show"},
    {"device", "-remove", "clear"},
});

struct Absent {
  std::string_view group;
  std::string_view older;  // empty: the group itself
  std::string_view instead;
};

constexpr auto kAbsent = std::to_array<Absent>({
    {"policy", "-setRejectionPolicy",
     "policies have no numbers here; write one as a document and put it into force with `touchmark "
     "policy set FILE`, or begin with `touchmark policy presets`"},
    {"device", "-add",
     "devices are not added here; `touchmark device force-pass DEVICE` lets one pass, and "
     "`touchmark device list` shows those that were seen"},
    {"secret", "-set", "the secret is made by the service; `touchmark secret get` shows it"},
    {"registration", "-listCurrent", "`touchmark registration list` shows all, with their ends"},
    {"account", "",
     "there are no accounts here; a service is one, and `touchmark status` shows it"},
    {"role", "",
     "roles belong to operators here; `touchmark whoami` shows yours, and `touchmark operator "
     "list` those of all"},
    {"metrics", "", "there are no graphs here; `touchmark log` shows the appraisals"},
    {"forcepass", "", "`touchmark device force-pass DEVICE` is that here"},
});

const CLI::App* group_of(const CLI::App& root, std::string_view word) {
  for (const CLI::App* group : subcommands(root)) {
    if (group->get_name() == word) return group;
  }
  return nullptr;
}

// "-add" and "-expireAfter", not "-h", "--json" or "-".
bool has_one_dash(std::string_view word) {
  return word.size() > 2 && word[0] == '-' && word[1] != '-';
}

std::optional<std::string> verb_of(const CLI::App& group, std::string_view word) {
  for (const Spelling& row : kSpellings) {
    if (row.group == group.get_name() && row.older == word) return std::string(row.modern);
  }
  const std::string name = kebab(word.substr(1));
  for (const CLI::App* command : subcommands(group)) {
    if (command->get_name() == name) return name;
  }
  return std::nullopt;
}

std::optional<std::string> option_of(const CLI::App& group, std::string_view word) {
  const std::size_t equals = std::min(word.find('='), word.size());
  const std::string name = "--" + kebab(word.substr(1, equals - 1));
  const auto has = [&](const CLI::App& app) {
    const auto names = option_names(app);
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  bool known = has(group) || has(*group.get_parent());
  for (const CLI::App* command : subcommands(group)) known = known || has(*command);
  if (!known) return std::nullopt;
  return name + std::string(word.substr(equals));
}

// Words that have no place here: the API of an example token, since a token is good for every API,
// and "base64" without its option.
void mend_values(std::string_view group, std::vector<std::string>& words, std::size_t verb) {
  const auto is_value = [&](std::size_t at) {
    return at < words.size() && !words[at].starts_with('-');
  };
  if (group == "secret" && words[verb] == "get" && is_value(verb + 1)) {
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(verb) + 1, "--format");
  }
  if (group != "token" || words[verb] != "example") return;
  for (std::size_t at = verb + 1; at < words.size(); ++at) {
    if (is_value(at)) {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    }
    static constexpr std::string_view kWithValue[] = {"-type", "--type", "--profile", "--timeout"};
    if (std::ranges::find(kWithValue, words[at]) != std::end(kWithValue)) ++at;
  }
  const auto type = std::find(words.begin(), words.end(), "-type");
  if (type == words.end() || type + 1 == words.end()) return;
  if (*(type + 1) == "valid")
    words.erase(type, type + 2);
  else if (*(type + 1) == "invalid")
    *words.erase(type) = "--invalid";
}

}  // namespace

std::vector<std::string> translate_article_form(const CLI::App& root,
                                                std::vector<std::string> args) {
  // Only options may stand before the group; the value of one (--profile NAME) never is a group's
  // name followed by one of its older verbs, so looking for the first group word is enough.
  std::size_t place = 0;
  const CLI::App* group = nullptr;
  for (; place < args.size(); ++place) {
    if (args[place] == "appsigncert" && place + 1 < args.size() && has_one_dash(args[place + 1])) {
      args[place] = "registration";
      if (args[place + 1] == "-add") args[place + 1] = "-addCertificate";
    }
    group = group_of(root, args[place]);
    if (group != nullptr) break;
  }
  if (group == nullptr || subcommands(*group).empty()) return args;
  const auto end =
      static_cast<std::size_t>(std::find(args.begin(), args.end(), "--") - args.begin());
  std::size_t verb_place = place + 1;
  bool has_verb = false;
  for (std::size_t i = place + 1; i < std::min(end, args.size()); ++i) {
    if (!has_one_dash(args[i])) continue;
    if (auto verb = has_verb ? std::nullopt : verb_of(*group, args[i])) {
      args[i] = *std::move(verb);
      // The verb may follow its options (`registration -expireAfter 600s -add app.apk`).
      const auto at = args.begin() + static_cast<std::ptrdiff_t>(i);
      std::rotate(args.begin() + static_cast<std::ptrdiff_t>(verb_place), at, at + 1);
      has_verb = true;
    } else if (auto option = option_of(*group, args[i])) {
      args[i] = *std::move(option);
    }
  }
  if (has_verb) mend_values(group->get_name(), args, verb_place);
  return args;
}

std::optional<std::string> without_counterpart(const std::vector<std::string>& args) {
  // The first word that is neither an option nor the value of one.
  auto group = args.begin();
  for (; group != args.end() && group->starts_with('-'); ++group) {
    const bool has_value = *group == "--profile" || *group == "--timeout";
    if (has_value && group + 1 != args.end()) ++group;
  }
  if (group == args.end()) return std::nullopt;
  for (const Absent& row : kAbsent) {
    if (row.group != *group) continue;
    if (row.older.empty() || (group + 1 != args.end() && *(group + 1) == row.older)) {
      return std::string(row.instead);
    }
  }
  return std::nullopt;
}

}  // namespace touchmark::cli::line
