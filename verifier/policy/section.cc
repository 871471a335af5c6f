#include "verifier/policy/section.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace touchmark::verifier::policy {
namespace {

std::string listed(Choices choices) {
  std::string out;
  for (const std::string_view choice : choices) {
    out += (out.empty() ? "" : ", ") + std::string(choice);
  }
  return out;
}

void sort_by_place(std::vector<Problem>& problems) {
  std::ranges::stable_sort(problems, {}, [](const Problem& problem) {
    return std::tuple(problem.line, problem.column);
  });
}

}  // namespace

void Report::problem(const toml::source_region& where, std::string key, std::string message,
                     std::string suggestion) {
  problems_.push_back({where.begin.line, where.begin.column, std::move(key), std::move(message),
                       std::move(suggestion)});
}

void Report::warning(const Rule& rule, std::string message) {
  warnings_.push_back({rule.line, 1, rule.key, std::move(message), ""});
}

void Report::deliver(Document& out) {
  sort_by_place(problems_);
  sort_by_place(warnings_);
  if (problems_.size() > kMaxProblems) {
    const Problem last = problems_[kMaxProblems];
    const std::size_t more = problems_.size() - kMaxProblems;
    problems_.resize(kMaxProblems);
    problems_.push_back(
        {last.line, last.column, "", std::to_string(more) + " more problems from here on", ""});
  }
  if (warnings_.size() > kMaxProblems) warnings_.resize(kMaxProblems);
  out.problems = std::move(problems_);
  out.warnings = std::move(warnings_);
}

std::string Section::path_of(std::string_view name) const {
  return path_.empty() ? key_text(name) : path_ + "." + key_text(name);
}

Section::Found Section::find(std::string_view name) {
  known_.emplace_back(name);
  const auto found = table_.find(name);
  if (found == table_.end()) return {};
  return {&found->second, {path_of(name), found->first.source().begin.line}};
}

void Section::wrong(const Found& found, const std::string& expected) {
  report_.problem(found.node->source(), found.rule.key, "is not " + expected);
}

void Section::unknown(const toml::source_region& where, const std::string& key,
                      const std::string& message, std::string_view given,
                      const std::vector<std::string>& candidates) {
  // A word of any length may come in; the distance to a very long one is of no use.
  constexpr std::size_t kMaxWord = 64;
  auto near = given.size() <= kMaxWord ? nearest(given, candidates) : std::nullopt;
  report_.problem(where, key, message, near.value_or(""));
}

std::optional<std::string> Section::scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* date = node.as_date()) {
    const auto padded = [](unsigned value) {
      return (value < 10 ? "0" : "") + std::to_string(value);
    };
    return std::to_string(date->get().year) + "-" + padded(date->get().month) + "-" +
           padded(date->get().day);
  }
  return std::nullopt;
}

void Section::boolean(std::string_view name, Ruled<bool>& out) {
  const Found found = find(name);
  if (found.node == nullptr) return;
  const auto* value = found.node->as_boolean();
  if (value == nullptr) return wrong(found, "true or false");
  out = {value->get(), found.rule};
}

std::optional<std::string> Section::choice(const toml::node& node, const std::string& key,
                                           Choices choices) {
  const auto* text = node.as_string();
  if (text == nullptr) {
    report_.problem(node.source(), key, "is not a text in quotation marks");
    return std::nullopt;
  }
  if (choices.empty() || std::ranges::find(choices, text->get()) != choices.end()) {
    return text->get();
  }
  unknown(node.source(), key, key_text(text->get()) + " is not one of " + listed(choices),
          text->get(), {choices.begin(), choices.end()});
  return std::nullopt;
}

Ruled<std::string> Section::word(std::string_view name, Choices choices) {
  const Found found = find(name);
  if (found.node == nullptr) return {};
  auto chosen = choice(*found.node, found.rule.key, choices);
  return chosen ? Ruled<std::string>{std::move(*chosen), found.rule} : Ruled<std::string>{};
}

Ruled<std::string> Section::text(std::string_view name) {
  const Found found = find(name);
  if (found.node == nullptr) return {};
  const auto* text = found.node->as_string();
  if (text != nullptr && !text->get().empty()) return {text->get(), found.rule};
  wrong(found, "a text in quotation marks");
  return {};
}

void Section::words(std::string_view name, Choices choices, Optional<Words>& out) {
  const Found found = find(name);
  if (found.node == nullptr) return;
  Words words;
  bool good = true;
  const auto take = [&](const toml::node& node) {
    auto word = choice(node, found.rule.key, choices);
    if (word) {
      words.push_back(std::move(*word));
    } else {
      good = false;
    }
  };
  if (const auto* array = found.node->as_array()) {
    for (const toml::node& node : *array) take(node);
  } else {
    take(*found.node);
  }
  if (good) out = Ruled<Words>{std::move(words), found.rule};
}

void Section::words(std::string_view name, Choices choices, Ruled<Words>& out) {
  Optional<Words> read;
  words(name, choices, read);
  if (read) out = std::move(*read);
}

void Section::numbers(std::string_view name, Optional<std::vector<std::uint32_t>>& out) {
  const Found found = find(name);
  if (found.node == nullptr) return;
  const auto* array = found.node->as_array();
  if (array == nullptr) return wrong(found, "an array of numbers, such as [1, 2]");
  std::vector<std::uint32_t> numbers;
  for (const toml::node& node : *array) {
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < 0 || number->get() > UINT32_MAX) {
      report_.problem(node.source(), found.rule.key, "is not a whole number from 0 to 4294967295");
      return;
    }
    numbers.push_back(static_cast<std::uint32_t>(number->get()));
  }
  out = Ruled<std::vector<std::uint32_t>>{std::move(numbers), found.rule};
}

const toml::table* Section::table(std::string_view name) {
  const Found found = find(name);
  if (found.node == nullptr) return nullptr;
  const toml::table* table = found.node->as_table();
  if (table == nullptr) wrong(found, "a table: [" + found.rule.key + "]");
  return table;
}

std::vector<const toml::table*> Section::tables(std::string_view name) {
  const Found found = find(name);
  if (found.node == nullptr) return {};
  std::vector<const toml::table*> out;
  if (const auto* array = found.node->as_array()) {
    for (const toml::node& node : *array) {
      if (const toml::table* table = node.as_table()) out.push_back(table);
    }
    if (out.size() == array->size()) return out;
  }
  wrong(found, "an array of tables: [[" + found.rule.key + "]]");
  return {};
}

void Section::finish() {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known_, key.str()) != known_.end()) continue;
    unknown(key.source(), path_of(key.str()), "unknown key", key.str(), known_);
  }
}

}  // namespace touchmark::verifier::policy
