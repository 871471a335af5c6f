// The tree of commands and their options. CLI11 parses it; only this folder includes CLI11, whose
// templates are slow to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

// An option or a positional of a command. Each setter returns the option itself.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option* required();
  Option* type_name(const std::string& name);     // what stands for the value: "FILE"
  Option* group(const std::string& heading);      // of --help; "" hides the option
  Option* show_default();                         // what the target holds now
  Option* default_text(const std::string& text);  // what counts without the option, in words
  Option* delimiter(char between_values);         // for a list
  Option* count(int values);                      // exactly that many
  Option* one_value_each();  // a list takes one value for each time it is named
  Option* excludes(Option* other);
  Option* range(std::int64_t least, std::int64_t most);
  Option* one_of(std::initializer_list<const char*> words);

  // Whether it stood on the line that was parsed.
  bool given() const;

 private:
  CLI::Option* option_;
};

// A command, or a group of commands. Each owns its subcommands and options, so pointers to them
// stay valid as long as the root. Targets of options must outlive the parse.
class Command {
 public:
  explicit Command(CLI::App& app);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command* add_subcommand(const std::string& name, const std::string& description);
  // Names as CLI11 takes them: "--to", "-h,--help"; without dashes a positional. T is one of the
  // types that command.cc names.
  template <typename T>
  Option* add_option(const std::string& names, T& target, const std::string& description);
  Option* add_flag(const std::string& names, bool& target, const std::string& description);
  Command* footer(const std::string& text);
  // Shown nowhere: for scripts of our own.
  Command* hide();
  Command* require_subcommand();
  // What happens when this command was chosen, while the line is parsed.
  void on_chosen(std::function<void()> run);
  // Whether the line chose one of this one's subcommands; both are told that they were chosen.
  bool chose_subcommand() const;

  const CLI::App& app() const { return app_; }

 private:
  Option* keep(CLI::Option* option);

  CLI::App& app_;
  std::vector<std::unique_ptr<Command>> subcommands_;
  std::vector<std::unique_ptr<Option>> options_;
};

struct Parsed {
  enum class Kind {
    kCommand,  // a command was chosen
    kText,     // `text` answers --help or --version
    kWrong,    // `text` says what is wrong with the line, in one sentence
  };
  Kind kind = Kind::kCommand;
  std::string text{};
};

// The root of a tree.
class Root {
 public:
  // `version` is what --version prints.
  Root(const std::string& name, const std::string& description, const std::string& version);
  ~Root();

  Command& command() { return *command_; }
  const CLI::App& app() const { return *app_; }
  std::string help() const;  // of the whole; without a final newline
  // Of one command, by the words of its path; kWrong names the word that is none.
  Parsed help_of_command(const std::vector<std::string>& words) const;
  // Arguments without the program's name. Once in the life of a tree.
  Parsed parse(const std::vector<std::string>& arguments);

 private:
  std::unique_ptr<CLI::App> app_;
  std::unique_ptr<Command> command_;
};

}  // namespace touchmark::cli::line
