#include "cli/line/command.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "cli/line/help.h"
#include "cli/line/usage.h"

namespace touchmark::cli::line {
namespace {

std::string help_of(const CLI::App& app) {
  std::string text = app.help();
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Option* Option::required() {
  option_->required();
  return this;
}

Option* Option::type_name(const std::string& name) {
  option_->type_name(name);
  return this;
}

Option* Option::group(const std::string& heading) {
  option_->group(heading);
  return this;
}

Option* Option::show_default() {
  option_->capture_default_str();
  return this;
}

Option* Option::default_text(const std::string& text) {
  option_->default_str(text);
  return this;
}

bool Option::given() const { return option_->count() > 0; }

Option* Option::delimiter(char between_values) {
  option_->delimiter(between_values);
  return this;
}

Option* Option::count(int values) {
  option_->expected(values);
  return this;
}

Option* Option::one_value_each() {
  option_->allow_extra_args(false);
  return this;
}

Option* Option::excludes(Option* other) {
  option_->excludes(other->option_);
  return this;
}

Option* Option::range(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most));
  return this;
}

Option* Option::one_of(std::initializer_list<const char*> words) {
  option_->check(CLI::IsMember(std::vector<std::string>(words.begin(), words.end())));
  return this;
}

Command::Command(CLI::App& app) : app_(app) {}
Command::~Command() = default;

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  CLI::App* app = app_.add_subcommand(name, description);
  app->group("Commands");  // --help's heading
  app->footer("");         // which CLI11 inherits
  return subcommands_.emplace_back(std::make_unique<Command>(*app)).get();
}

template <typename T>
Option* Command::add_option(const std::string& names, T& target, const std::string& description) {
  return keep(app_.add_option(names, target, description));
}

template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::string>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, unsigned&, const std::string&);
template Option* Command::add_option(const std::string&, std::int64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<int>&, const std::string&);
template Option* Command::add_option(const std::string&, std::optional<unsigned>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, std::optional<std::int64_t>&,
                                     const std::string&);

Option* Command::add_flag(const std::string& names, bool& target, const std::string& description) {
  return keep(app_.add_flag(names, target, description));
}

Command* Command::footer(const std::string& text) {
  app_.footer(text);
  return this;
}

Command* Command::hide() {
  app_.group("");
  return this;
}

Command* Command::require_subcommand() {
  app_.require_subcommand(1);
  return this;
}

void Command::on_chosen(std::function<void()> run) {
  // A command that has subcommands runs when none of them was named.
  app_.callback([this, run = std::move(run)] {
    if (app_.get_subcommands().empty()) run();
  });
}

bool Command::chose_subcommand() const { return !app_.get_subcommands().empty(); }

Option* Command::keep(CLI::Option* option) {
  return options_.emplace_back(std::make_unique<Option>(option)).get();
}

Root::Root(const std::string& name, const std::string& description, const std::string& version)
    : app_(std::make_unique<CLI::App>(description, name)),
      command_(std::make_unique<Command>(*app_)) {
  // Global options may stand after the subcommand too; set before subcommands are made, they
  // inherit it.
  app_->fallthrough();
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->set_version_flag("--version", version, "Print the version and exit");
}

Root::~Root() = default;

std::string Root::help() const { return help_of(*app_); }

Parsed Root::help_of_command(const std::vector<std::string>& words) const {
  auto found = find_command(*app_, words);
  if (!found.problem.empty()) return {Parsed::Kind::kWrong, std::move(found.problem)};
  return {Parsed::Kind::kText, help_of(*found.app)};
}

Parsed Root::parse(const std::vector<std::string>& arguments) {
  try {
    app_->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    // CLI11 answers before it looks at the rest of the line.
    if (auto wrong = unknown_word(*app_, arguments); !wrong.empty()) {
      return {Parsed::Kind::kWrong, std::move(wrong)};
    }
    return {Parsed::Kind::kText, help()};
  } catch (const CLI::CallForVersion& version) {
    return {Parsed::Kind::kText, version.what()};
  } catch (const CLI::ParseError& error) {
    return {Parsed::Kind::kWrong, explain_parse_error(*app_, arguments, error)};
  }
  return {};
}

}  // namespace touchmark::cli::line
