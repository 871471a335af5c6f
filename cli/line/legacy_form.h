// The older spelling of the command line, single-dash verbs after the group:
//   touchmark registration -add app.apk -expireAfter 600s
// is taken for
//   touchmark registration add app.apk --expire-after 600s
// So is every verb and option of a group in that spelling, and what the closed service calls
// otherwise where the thing exists here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/line/cli11_fwd.h"

namespace touchmark::cli::line {

// `args` without the program's name. Words that neither the tree nor the table knows stay as they
// are, and so does everything after "--".
std::vector<std::string> translate_article_form(const CLI::App& root,
                                                std::vector<std::string> args);

// Of what the closed service has and this one has not, in one sentence that says what there is
// instead; nullopt for anything else.
std::optional<std::string> without_counterpart(const std::vector<std::string>& args);

}  // namespace touchmark::cli::line
