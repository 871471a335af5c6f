// What the options of `touchmark serve` are and who said so: a flag before the environment, the
// environment before the configuration file, the file before the default. All that is wrong is
// found at once, each with its place.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cli/line/command.h"
#include "cli/serve/option_table.h"

namespace touchmark::cli::serve {

// What stands on the command line. Filled while the line is parsed.
struct GivenFlags {
  struct Slot {
    std::string text;
    std::vector<std::string> list;
    bool on = false;
    std::vector<line::Option*> options;  // with older spellings
    bool given() const;
  };
  std::deque<Slot> slots;  // as option_table()
  Slot config;             // --config FILE
};
// `flags` must outlive the parse.
void add_options(line::Command& command, GivenFlags& flags);

// The rest of the world that options come from.
struct Surroundings {
  std::vector<std::pair<std::string, std::string>> environment;
  // Read where neither --config nor TOUCHMARK_CONFIG names another, when it is there; empty: none.
  std::filesystem::path default_file;
};
// Of this process. The default file is /etc/touchmark/touchmark.toml for root, for a system's user
// (its id is below 1000), under systemd, and in a container's first process: who types `touchmark
// serve` as themselves does not mean the system's service.
Surroundings process_surroundings();

struct Origin {
  enum class Kind { kDefault, kFile, kEnvironment, kFlag, kCredential };
  Kind kind = Kind::kDefault;
  std::string file{};  // kFile, kCredential
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct OptionProblem {
  OptionError code;
  std::string where;       // "--listen", "TOUCHMARK_LISTEN", "touchmark.toml:3:10: listen"
  std::string message;     // one sentence without its end
  std::string suggestion;  // the nearest valid word; empty when nothing is near
};
// "touchmark.toml:3:1: lisen: unknown key; did you mean listen?"
std::string to_string(const OptionProblem& problem);

struct Configuration {
  ServeOptions options;
  std::optional<std::filesystem::path> file;  // the one that was read
  std::vector<Origin> origins;                // as option_table()
  std::vector<OptionProblem> problems;        // of the file by place, then the others
  std::vector<std::string> warnings;          // variables that nothing reads

  const Origin& origin_of(std::string_view option) const;
};
Configuration read_configuration(const GivenFlags& flags, const Surroundings& surroundings);

// "--listen", "TOUCHMARK_LISTEN", "/etc/touchmark/touchmark.toml:3:10: listen": how a message
// names an option that was said there.
std::string place_of(const OptionRow& row, const Origin& origin);
// The same for `config show`: "flag --listen", "/etc/touchmark/touchmark.toml:3", "default".
std::string origin_text(const OptionRow& row, const Origin& origin);

// The values in force: those of the options, and for one that was not given what is done instead,
// where that is a value, too. Of secrets only the files that hold them.
std::vector<std::string> values_in_force(const OptionRow& row, const Configuration& configuration);

}  // namespace touchmark::cli::serve
