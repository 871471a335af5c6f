#include "cli/line/manual.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/io/exit_status.h"
#include "cli/line/command_tree.h"

namespace touchmark::cli::line {
namespace {

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Text as roff prints it: backslashes and dashes as themselves, no line taken for a request.
std::string escape(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page_name(const CLI::App& app) {
  std::string name = command_path(app);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string synopsis(const CLI::App& app) {
  std::string text = fmt::format(".B {}\n", escape(command_path(app)));
  if (!options(app).empty()) text += "[\\fIoptions\\fR]\n";
  for (const CLI::Option* positional : positionals(app)) {
    text += fmt::format("\\fI{}\\fR\n", escape(positional->get_name(true)));
  }
  if (!subcommands(app).empty()) {
    text += app.get_require_subcommand_min() > 0 ? "\\fIcommand\\fR\n" : "[\\fIcommand\\fR]\n";
  }
  return text;
}

std::string option_list(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* positional : positionals(app)) {
    text += fmt::format(".TP\n.I {}\n{}\n", escape(positional->get_name(true)),
                        escape(positional->get_description()));
  }
  for (const CLI::Option* option : options(app)) {
    text += fmt::format(".TP\n.B {}\n{}\n", escape(option_spelling(*option)),
                        escape(option_text(*option)));
  }
  return text;
}

std::string examples(const CLI::App& app) {
  if (app.get_footer().empty()) return {};
  return fmt::format(".PP\n.nf\n{}\n.fi\n", escape(app.get_footer()));
}

// Each leaf below `app` with its synopsis, description and options.
std::string command_sections(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : subcommands(app)) {
    if (subcommands(*command).empty()) {
      text += fmt::format(".SS {}\n{}.PP\n{}\n{}{}", escape(command_path(*command)),
                          synopsis(*command), escape(command->get_description()),
                          option_list(*command), examples(*command));
    } else {
      text += command_sections(*command);
    }
  }
  return text;
}

std::string head(const CLI::App& app) {
  return fmt::format(
      ".TH {} 1 \"\" \"touchmark {}\" \"Touchmark\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}"
      ".SH DESCRIPTION\n{}\n",
      upper(page_name(app)), TOUCHMARK_VERSION, escape(page_name(app)),
      escape(app.get_description()), synopsis(app), escape(app.get_description()));
}

// "registration add".
std::string words_of(const CLI::App& app) {
  const std::string path = command_path(app);
  const std::size_t space = path.find(' ');
  return space == path.npos ? std::string() : path.substr(space + 1);
}

ManualPage page(const CLI::App& app) {
  std::string text = head(app);
  if (const std::string list = option_list(app); !list.empty()) text += ".SH OPTIONS\n" + list;
  if (const std::string list = command_sections(app); !list.empty())
    text += ".SH COMMANDS\n" + list;
  text += examples(app);
  text += ".SH SEE ALSO\n.BR touchmark (1)\n";
  for (const CLI::App* command : subcommands(app)) {
    text += fmt::format(".br\n.BR {} (1)\n", escape(page_name(*command)));
  }
  return {page_name(app) + ".1", words_of(app), app.get_description(), text};
}

ManualPage front_page(const CLI::App& app) {
  std::string text = head(app) + ".SH OPTIONS\n" + option_list(app) + ".SH COMMANDS\n";
  for (const CLI::App* command : subcommands(app)) {
    text += fmt::format(".TP\n.BR {} (1)\n{}\n", escape(page_name(*command)),
                        escape(command->get_description()));
  }
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : io::exit_statuses()) {
    text += fmt::format(".TP\n.B {}\n{}\n", code, escape(meaning));
  }
  return {page_name(app) + ".1",
          {},
          app.get_description(),
          text + ".SH NOTES" + examples(app).insert(0, "\n")};
}

void add_pages(const CLI::App& app, std::vector<ManualPage>& pages) {
  for (const CLI::App* command : subcommands(app)) {
    pages.push_back(page(*command));
    add_pages(*command, pages);
  }
}

}  // namespace

std::vector<ManualPage> manual_pages(const CLI::App& app) {
  std::vector<ManualPage> pages{front_page(app)};
  add_pages(app, pages);
  return pages;
}

}  // namespace touchmark::cli::line
