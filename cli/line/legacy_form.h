// The older spelling of the command line, single-dash verbs after the group:
//   touchmark registration -add app.apk -expireAfter 600s
// is taken for
//   touchmark registration add app.apk --expire-after 600s
#pragma once

#include <string>
#include <vector>

namespace touchmark::cli::line {

// `args` without the program's name. Words that the table does not know stay as they are, and so
// does everything after "--".
std::vector<std::string> translate_article_form(std::vector<std::string> args);

}  // namespace touchmark::cli::line
