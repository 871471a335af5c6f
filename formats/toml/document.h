// A TOML 1.0 document that people write: a table, or the place where it is not TOML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "formats/toml/toml.h"

namespace touchmark::toml_text {

struct Fault {
  std::uint32_t line = 0;  // from 1
  std::uint32_t column = 0;
  std::string message;  // "not TOML: ..."
};

// Never throws; bounded in the size of `text`, which the caller bounds.
tl::expected<toml::table, Fault> parse(std::string_view text);

// A key as a path shows it: quoted when it is not a bare key.
std::string key_text(std::string_view key);

}  // namespace touchmark::toml_text
