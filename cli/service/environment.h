// Environment variables come in through this, so that tests can set them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace touchmark::cli::service {

// The value of a variable; nullopt when it is not set or empty.
using Environment = std::function<std::optional<std::string>(const char* name)>;

std::optional<std::string> process_environment(const char* name);

}  // namespace touchmark::cli::service
