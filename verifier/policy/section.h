// Reads one table of a policy document and notes all that is wrong with it. For document.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/toml/document.h"
#include "verifier/policy/document.h"

namespace touchmark::verifier::policy {

using toml_text::key_text;

// The problems of a document, in the order in which they are found.
class Report {
 public:
  void problem(const toml::source_region& where, std::string key, std::string message,
               std::string suggestion = "");
  void warning(const Rule& rule, std::string message);
  // Moves everything into `out`, by place and bounded.
  void deliver(Document& out);

 private:
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
};

using Choices = std::span<const std::string_view>;

// Each method that takes a name reads the key of that name, when it is there, and makes it known;
// finish() reports the keys that no method asked for. What cannot be read leaves `out` as it was.
class Section {
 public:
  // `path`: "android.min_patch_level"; empty for the document itself.
  Section(const toml::table& table, std::string path, Report& report)
      : table_(table), path_(std::move(path)), report_(report) {}

  void boolean(std::string_view name, Ruled<bool>& out);

  // Text, an integer or a date that `parse` (std::string_view -> std::optional<T>) takes;
  // `expected` says what that is.
  template <class Parse, class Use>
  void parsed(std::string_view name, Parse parse, const char* expected, Use use) {
    const Found found = find(name);
    if (found.node == nullptr) return;
    const auto text = scalar_text(*found.node);
    auto value = text ? parse(std::string_view(*text)) : decltype(parse(std::string_view()))();
    if (!value) return wrong(found, expected);
    use(std::move(*value), found.rule);
  }
  template <class T, class Parse>
  void value(std::string_view name, Optional<T>& out, Parse parse, const char* expected) {
    parsed(name, parse, expected, [&](T value, const Rule& rule) {
      out = Ruled<T>{std::move(value), rule};
    });
  }

  // One of `choices`; empty when it is missing or wrong.
  Ruled<std::string> word(std::string_view name, Choices choices);
  // Non-empty text; likewise.
  Ruled<std::string> text(std::string_view name);
  // An array of text, or one text for an array of one. With `choices`, each must be one of them.
  void words(std::string_view name, Choices choices, Optional<Words>& out);
  void words(std::string_view name, Choices choices, Ruled<Words>& out);
  void numbers(std::string_view name, Optional<std::vector<std::uint32_t>>& out);

  // The value of `name`, whatever it is; nullptr when there is none.
  const toml::node* node(std::string_view name) { return find(name).node; }
  // The table below `name`; nullptr when there is none.
  const toml::table* table(std::string_view name);
  // The tables of the array below `name`; none when it is missing.
  std::vector<const toml::table*> tables(std::string_view name);

  void finish();

  const toml::table& raw() const { return table_; }
  std::string path_of(std::string_view name) const;
  Report& report() { return report_; }
  // Notes that `given` is none of `candidates`, with the nearest of them.
  void unknown(const toml::source_region& where, const std::string& key, const std::string& message,
               std::string_view given, const std::vector<std::string>& candidates);

 private:
  struct Found {
    const toml::node* node = nullptr;
    Rule rule;
  };
  Found find(std::string_view name);
  void wrong(const Found& found, const std::string& expected);
  std::optional<std::string> choice(const toml::node& node, const std::string& key,
                                    Choices choices);
  static std::optional<std::string> scalar_text(const toml::node& node);

  const toml::table& table_;
  std::string path_;
  Report& report_;
  std::vector<std::string> known_;
};

}  // namespace touchmark::verifier::policy
