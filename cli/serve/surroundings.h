// What `touchmark doctor` asks of the process: its disk, its limits, what lies about in its folder.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/serve/data_folder.h"
#include "verifier/state/surroundings.h"

namespace touchmark::cli::serve {

// What the process was started with.
struct Started {
  std::optional<std::filesystem::path> master_key{};  // nullopt: in the data folder
  std::vector<std::filesystem::path> token_files{};   // where the first operators' tokens may be
  std::size_t max_connections = 0;
  std::size_t wanted_connections = 0;
};

// Looks now. Writes a small file into the folder for uploads and removes it again. Thread-safe.
verifier::state::Surroundings look_around(const DataFolder& folder, const Started& started);

}  // namespace touchmark::cli::serve
