#include "cli/serve/option_sources.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "formats/toml/document.h"

// POSIX; a process's environment.
extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigFile = 256 * 1024;
constexpr std::size_t kLongestGuess = 64;  // the distance to a very long word is of no use
constexpr ::uid_t kFirstPerson = 1000;     // Debian policy, section 9.2: system users are below
constexpr std::string_view kPrefix = "TOUCHMARK_";
constexpr const char* kConfigVariable = "TOUCHMARK_CONFIG";
constexpr const char* kConfigFlag = "--config";
constexpr const char* kCredentials = "CREDENTIALS_DIRECTORY";
constexpr std::string_view kCredentialsPrefix = "$CREDENTIALS_DIRECTORY/";
constexpr const char* kMasterKeyCredential = "master.key";
// The old spelling of another option, still taken.
constexpr const char* kOldProxyFlag = "--tls-ended-by-proxy";

// Variables of the command, of API servers and of the SDK's Linux build, which a shell that is used
// for several of them may hold; and of the project's tests.
constexpr auto kOtherVariables = std::to_array<std::string_view>({
    "TOUCHMARK_URL",
    "TOUCHMARK_TOKEN",
    "TOUCHMARK_PIN",
    "TOUCHMARK_PROFILE",
    "TOUCHMARK_HOME",
    "TOUCHMARK_SECRET",
    "TOUCHMARK_DECOY_SECRET",
    "TOUCHMARK_MODE",
    "TOUCHMARK_LEEWAY",
    "TOUCHMARK_BINDING_HEADERS",
    "TOUCHMARK_HOST_SYSTEM_DIRS",
    "TOUCHMARK_BIN",
});

std::optional<std::string> variable(const Surroundings& surroundings, std::string_view name) {
  for (const auto& [key, value] : surroundings.environment) {
    // Empty is not set, as everywhere in the command.
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

std::string nearest_word(std::string_view given, const std::vector<std::string>& words) {
  return given.size() <= kLongestGuess ? nearest(given, words).value_or("") : "";
}

// The parts between commas, without the spaces around them.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    out.emplace_back(part);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

std::string file_place(const Origin& origin) {
  return origin.file + ":" + std::to_string(origin.line) + ":" + std::to_string(origin.column);
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

// Reads the sources, the weakest first, into one configuration.
class Reader {
 public:
  Reader(const GivenFlags& flags, const Surroundings& surroundings)
      : flags_(flags), surroundings_(surroundings) {
    out_.origins.resize(option_table().size());
  }

  Configuration read() {
    read_file_of_options();
    read_environment();
    read_flags();
    assign_all();
    take_credential();
    if (out_.problems.empty()) {
      for (const Conflict& conflict : find_conflicts(out_.options)) {
        const OptionRow& row = *find_option(conflict.option);
        problem(OptionError::kConflicting, place_of(row, out_.origin_of(conflict.option)),
                conflict.message);
      }
    }
    return std::move(out_);
  }

 private:
  struct Given {
    std::vector<std::string> values;
    Origin origin;
    std::vector<Origin> places;  // of each value, in a file
  };

  void problem(OptionError code, std::string where, std::string message,
               std::string suggestion = "") {
    out_.problems.push_back({code, std::move(where), std::move(message), std::move(suggestion)});
  }

  // --- The file ----------------------------------------------------------------------------------

  void read_file_of_options() {
    fs::path path;
    std::string named_by;
    if (flags_.config.given()) {
      path = flags_.config.text;
      named_by = kConfigFlag;
    } else if (const auto named = variable(surroundings_, kConfigVariable)) {
      path = *named;
      named_by = kConfigVariable;
    } else {
      std::error_code error;
      if (surroundings_.default_file.empty() || !fs::exists(surroundings_.default_file, error)) {
        return;
      }
      path = surroundings_.default_file;
    }
    if (path.empty()) return problem(OptionError::kBadFile, named_by, "is empty");
    const auto bytes = read_file(path, kMaxConfigFile);
    if (!bytes) {
      return problem(OptionError::kBadFile, named_by.empty() ? "configuration file" : named_by,
                     bytes.error().message());
    }
    out_.file = path;
    const auto table = toml_text::parse(as_text(*bytes));
    if (table) return read_table(*table);
    Origin where = at(table.error().line, table.error().column);
    problem(OptionError::kBadFile, file_place(where), table.error().message);
  }

  Origin at(std::uint32_t line, std::uint32_t column) const {
    return {Origin::Kind::kFile, out_.file->string(), line, column};
  }
  Origin at(const toml::source_region& source) const {
    return at(source.begin.line, source.begin.column);
  }

  void read_table(const toml::table& table) {
    // A table knows no order; people read mistakes by their place.
    std::vector<std::pair<const toml::key*, const toml::node*>> entries;
    for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
    std::ranges::stable_sort(entries, {}, [](const auto& entry) {
      return std::pair(entry.first->source().begin.line, entry.first->source().begin.column);
    });
    for (const auto& [key, node] : entries) read_entry(*key, *node);
  }

  void read_entry(const toml::key& key, const toml::node& node) {
    const std::string name(key.str());
    const auto rows = option_table();
    const auto row = std::ranges::find(rows, name, key_name);
    const Origin where = at(key.source());
    const std::string place = file_place(where) + ": " + toml_text::key_text(name);
    if (row == rows.end()) return unknown_key(name, place, node);
    if (row->use == Use::kOneStart) {
      return problem(OptionError::kUnknown, place,
                     "is for one start alone: give " + flag_name(*row) + " on the command line");
    }
    Given given{{}, where, {}};
    if (read_node(*row, node, given)) given_[index(*row)] = std::move(given);
  }

  void unknown_key(const std::string& name, const std::string& place, const toml::node& node) {
    std::vector<std::string> keys;
    for (const OptionRow& row : option_table()) {
      if (row.use != Use::kOneStart) keys.push_back(key_name(row));
    }
    std::string spelled = name;
    std::ranges::replace(spelled, '-', '_');
    if (node.is_table()) {
      return problem(OptionError::kUnknown, place,
                     "there are no tables: every option stands at the top, such as listen = "
                     "\"127.0.0.1:8443\"");
    }
    problem(OptionError::kUnknown, place, "unknown key", nearest_word(spelled, keys));
  }

  bool read_node(const OptionRow& row, const toml::node& node, Given& given) {
    const auto wrong = [&](const toml::node& bad, const char* expected) {
      problem(OptionError::kBadValue, place_of(row, at(bad.source())),
              std::string("is not ") + expected);
      return false;
    };
    const auto take = [&](const toml::node& from, std::string value) {
      given.values.push_back(std::move(value));
      given.places.push_back(at(from.source()));
      return true;
    };
    if (is_flag(row)) {
      const auto* value = node.as_boolean();
      if (value == nullptr) return wrong(node, "true or false");
      return take(node, value->get() ? "true" : "false");
    }
    if (is_number(row)) {
      const auto* value = node.as_integer();
      if (value == nullptr) return wrong(node, "a whole number");
      return take(node, std::to_string(value->get()));
    }
    if (const auto* text = node.as_string()) return take(node, text->get());
    if (!is_list(row)) return wrong(node, "a text in quotation marks");
    const auto* array = node.as_array();
    if (array == nullptr) return wrong(node, "an array of texts, such as [\"a\", \"b\"]");
    bool good = true;
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      if (text != nullptr) {
        take(element, text->get());
      } else {
        good = wrong(element, "a text in quotation marks");
      }
    }
    return good;
  }

  // --- The environment ---------------------------------------------------------------------------

  void read_environment() {
    std::vector<std::string> known{kConfigVariable};
    for (const OptionRow& row : option_table()) {
      if (row.use != Use::kOneStart) known.push_back(variable_name(row));
    }
    const std::size_t of_serve = known.size();
    known.insert(known.end(), kOtherVariables.begin(), kOtherVariables.end());
    auto sorted = surroundings_.environment;
    std::ranges::sort(sorted);
    for (const auto& [name, value] : sorted) {
      if (!name.starts_with(kPrefix)) continue;
      if (std::ranges::find(known, name) == known.end()) {
        warn_of(name, {known.begin(), known.begin() + static_cast<std::ptrdiff_t>(of_serve)});
      }
    }
    for (const OptionRow& row : option_table()) {
      if (row.use == Use::kOneStart) continue;
      const auto value = variable(surroundings_, variable_name(row));
      if (!value) continue;
      given_[index(row)] = {
          is_list(row) ? split(*value) : std::vector{*value}, {Origin::Kind::kEnvironment}, {}};
    }
  }

  void warn_of(const std::string& name, const std::vector<std::string>& known) {
    const OptionRow* once = nullptr;
    for (const OptionRow& row : option_table()) {
      if (row.use == Use::kOneStart && variable_name(row) == name) once = &row;
    }
    if (once != nullptr) {
      out_.warnings.push_back(shortened(name) +
                              " does nothing: what one start does stands on the "
                              "command line alone (" +
                              flag_name(*once) + ")");
      return;
    }
    // What all names share must not count as likeness.
    std::vector<std::string> words;
    for (const std::string& word : known) words.push_back(word.substr(kPrefix.size()));
    const std::string near = nearest_word(std::string_view(name).substr(kPrefix.size()), words);
    out_.warnings.push_back(
        shortened(name) + " is set, and nothing reads it" +
        (near.empty() ? "" : "; did you mean " + std::string(kPrefix) + near + "?"));
  }

  // --- The command line --------------------------------------------------------------------------

  void read_flags() {
    for (const OptionRow& row : option_table()) {
      const GivenFlags::Slot& slot = flags_.slots[index(row)];
      if (!slot.given()) continue;
      Given given{{}, {Origin::Kind::kFlag}, {}};
      if (is_flag(row)) {
        given.values = {slot.on ? "true" : "false"};
      } else if (is_list(row)) {
        for (const std::string& text : slot.list) {
          for (std::string& part : split(text)) given.values.push_back(std::move(part));
        }
      } else {
        given.values = {slot.text};
      }
      given_[index(row)] = std::move(given);
    }
  }

  // --- All of them -------------------------------------------------------------------------------

  void assign_all() {
    for (const OptionRow& row : option_table()) {
      auto& given = given_[index(row)];
      if (!given) continue;
      out_.origins[index(row)] = given->origin;
      bool good = true;
      for (std::size_t i = 0; i < given->values.size(); ++i) {
        const Origin& place = i < given->places.size() ? given->places[i] : given->origin;
        good = check(row, given->values[i], place) && good;
      }
      if (good) assign(row, std::move(given->values));
    }
  }

  // Checks one value and brings it into its form.
  bool check(const OptionRow& row, std::string& value, const Origin& origin) {
    const auto wrong = row.check != nullptr ? row.check(value) : std::nullopt;
    if (wrong) {
      problem(OptionError::kBadValue, place_of(row, origin), *wrong);
      return false;
    }
    if (is_flag(row) && !parse_switch(value)) {
      problem(OptionError::kBadValue, place_of(row, origin),
              shown(value) + " is not true or false");
      return false;
    }
    return row.use != Use::kPath || expand(row, value, origin);
  }

  // A credential's folder, and a path beside the file that names it.
  bool expand(const OptionRow& row, std::string& value, const Origin& origin) {
    if (value.starts_with(kCredentialsPrefix)) {
      const auto folder = variable(surroundings_, kCredentials);
      if (!folder) {
        problem(OptionError::kBadValue, place_of(row, origin),
                shown(value) +
                    ": systemd set no $CREDENTIALS_DIRECTORY; see LoadCredential= of "
                    "the unit");
        return false;
      }
      value = (fs::path(*folder) / value.substr(kCredentialsPrefix.size())).string();
      return true;
    }
    const bool is_word = std::string_view(row.name) == "revocation" &&
                         (value == "off" || value == "google" || value.find("://") != value.npos);
    if (origin.kind == Origin::Kind::kFile && !is_word && fs::path(value).is_relative()) {
      value = (fs::absolute(origin.file).parent_path() / value).lexically_normal().string();
    }
    return true;
  }

  void assign(const OptionRow& row, std::vector<std::string> values) {
    struct Write {
      ServeOptions& options;
      std::vector<std::string>& values;
      void operator()(std::string& (*to)(ServeOptions&)) const { to(options) = values.back(); }
      void operator()(std::vector<std::string>& (*to)(ServeOptions&)) const {
        to(options) = values;
      }
      void operator()(bool& (*to)(ServeOptions&)) const {
        to(options) = parse_switch(values.back()).value_or(false);
      }
      void operator()(std::uint64_t& (*to)(ServeOptions&)) const {
        to(options) = parse_count(values.back()).value_or(0);
      }
    };
    if (values.empty() && std::string_view(row.name) == "listen") {
      return problem(OptionError::kBadValue, place_of(row, out_.origins[index(row)]),
                     "names no address");
    }
    std::visit(Write{out_.options, values}, row.target);
  }

  // LoadCredential=master.key:... of the unit says all that --master-key would.
  void take_credential() {
    if (!out_.options.master_key.empty()) return;
    const auto folder = variable(surroundings_, kCredentials);
    if (!folder) return;
    const fs::path file = fs::path(*folder) / kMasterKeyCredential;
    std::error_code error;
    if (!fs::exists(file, error)) return;
    out_.options.master_key = file.string();
    out_.origins[index(*find_option("master-key"))] = {Origin::Kind::kCredential, file.string()};
  }

  static std::size_t index(const OptionRow& row) {
    return static_cast<std::size_t>(&row - option_table().data());
  }

  const GivenFlags& flags_;
  const Surroundings& surroundings_;
  std::vector<std::optional<Given>> given_{option_table().size()};
  Configuration out_;
};

bool runs_as_service() {
  if (::geteuid() < kFirstPerson || ::getpid() == 1) return true;  // root among them
  for (const char* name : {"STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", kCredentials}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return true;
  }
  return false;
}

}  // namespace

bool GivenFlags::Slot::given() const {
  return std::ranges::any_of(options, [](const line::Option* option) { return option->given(); });
}

void add_options(line::Command& command, GivenFlags& flags) {
  flags.slots.resize(option_table().size());
  flags.config.options = {
      command.add_option("--config", flags.config.text, "TOML file of these options")
          ->type_name("FILE")
          ->default_text("/etc/touchmark/touchmark.toml for root and services, where it is there")};
  for (std::size_t i = 0; i < flags.slots.size(); ++i) {
    const OptionRow& row = option_table()[i];
    GivenFlags::Slot& slot = flags.slots[i];
    line::Option* option = nullptr;
    if (is_flag(row)) {
      option = command.add_flag(flag_name(row), slot.on, row.help);
    } else if (is_list(row)) {
      option = command.add_option(flag_name(row), slot.list, row.help)->one_value_each();
    } else {
      option = command.add_option(flag_name(row), slot.text, row.help);
    }
    if (!is_flag(row)) option->type_name(row.word)->default_text(default_text(row));
    if (*row.group != '\0') option->group(row.group);
    slot.options = {option};
    if (std::string_view(row.name) == "tls-terminated-by-proxy") {
      slot.options.push_back(
          command.add_flag(kOldProxyFlag, slot.on, "The old spelling")->group(""));
    }
  }
}

Surroundings process_surroundings() {
  Surroundings out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (name.starts_with(kPrefix) || name == kCredentials) {
      out.environment.emplace_back(name, text.substr(equals + 1));
    }
  }
  if (runs_as_service()) out.default_file = "/etc/touchmark/touchmark.toml";
  return out;
}

std::string to_string(const OptionProblem& problem) {
  std::string out = problem.where + ": " + problem.message;
  if (!problem.suggestion.empty()) out += "; did you mean " + problem.suggestion + "?";
  return out;
}

const Origin& Configuration::origin_of(std::string_view option) const {
  return origins[static_cast<std::size_t>(find_option(option) - option_table().data())];
}

Configuration read_configuration(const GivenFlags& flags, const Surroundings& surroundings) {
  return Reader(flags, surroundings).read();
}

std::string place_of(const OptionRow& row, const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kFile:
      return file_place(origin) + ": " + key_name(row);
    case Origin::Kind::kEnvironment:
      return variable_name(row);
    case Origin::Kind::kCredential:
    case Origin::Kind::kFlag:
    case Origin::Kind::kDefault:
      break;
  }
  return flag_name(row);
}

std::string origin_text(const OptionRow& row, const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kFile:
      return origin.file + ":" + std::to_string(origin.line);
    case Origin::Kind::kEnvironment:
      return variable_name(row);
    case Origin::Kind::kCredential:
      return "credential";
    case Origin::Kind::kFlag:
      return flag_name(row);
    case Origin::Kind::kDefault:
      break;
  }
  return "default";
}

std::vector<std::string> values_in_force(const OptionRow& row, const Configuration& configuration) {
  const std::string_view name = row.name;
  auto values = values_of(row, configuration.options);
  if (!values.empty()) return values;
  if (name == "data") return {default_data_folder().string()};
  if (name == "sdk-dir") return {default_sdk_dir().string()};
  return {};
}

}  // namespace touchmark::cli::serve
