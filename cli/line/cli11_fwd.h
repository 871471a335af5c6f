// CLI11's types by name, for headers: <CLI/CLI.hpp> is slow to compile.
#pragma once

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI
