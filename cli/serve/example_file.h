// A configuration file with every option, commented out: packaging/touchmark.toml.
#pragma once

#include <string>

namespace touchmark::cli::serve {

// TOML without a value in force. Each option has its help above it, and its default value or, where
// there is none, an example.
std::string example_file();

}  // namespace touchmark::cli::serve
