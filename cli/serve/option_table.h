// The one table of the options of `touchmark serve`. Its flags, environment variables, keys of the
// configuration file, help, manual page, completion and `serve config show` all come from it.
//
// An option named public-url is the flag --public-url, the variable TOUCHMARK_PUBLIC_URL and the
// key public_url.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/serve/options.h"

namespace touchmark::cli::serve {

// Where an option's value goes; the type says what it is: text, a list of texts, a flag, a number.
using OptionTarget =
    std::variant<std::string& (*)(ServeOptions&), std::vector<std::string>& (*)(ServeOptions&),
                 bool& (*)(ServeOptions&), std::uint64_t& (*)(ServeOptions&)>;

// What is wrong with one value, as the end of "--name: "; nullopt when nothing is.
using ValueCheck = std::optional<std::string> (*)(const std::string& value);

enum class Use {
  kAnywhere,
  kPath,      // a file or folder: a relative one in a configuration file counts from that file
  kOneStart,  // what one start does; it may stand on the command line alone
};

struct OptionRow {
  const char* name;
  const char* group;  // heading of --help; "" for the options of the folder itself
  const char* word;   // what stands for the value; "" for a flag
  const char* help;
  const char* without;  // what counts without the option where the default is no value; may be ""
  OptionTarget target;
  ValueCheck check;  // of each value; nullptr: any will do
  Use use = Use::kAnywhere;
};

// In the order of --help.
std::span<const OptionRow> option_table();
// nullptr where there is no such option.
const OptionRow* find_option(std::string_view name);

std::string flag_name(const OptionRow& row);      // --public-url
std::string variable_name(const OptionRow& row);  // TOUCHMARK_PUBLIC_URL
std::string key_name(const OptionRow& row);       // public_url

bool is_flag(const OptionRow& row);
bool is_list(const OptionRow& row);
bool is_number(const OptionRow& row);
// The values that `options` has for it: none, one, or those of a list. A flag is "true" or "false".
std::vector<std::string> values_of(const OptionRow& row, const ServeOptions& options);
// What --help says counts without the option: the default value, or what is done instead.
std::string default_text(const OptionRow& row);

}  // namespace touchmark::cli::serve
