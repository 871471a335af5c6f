// What the process around the service knows of where it runs: for whoever looks whether all is
// well.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace touchmark::verifier::state {

struct Surroundings {
  std::filesystem::path data;            // the data folder
  std::optional<unsigned> data_mode{};   // its permission bits; nullopt: it cannot be looked at
  std::optional<std::string> problem{};  // why a file cannot be written there
  std::uint64_t free_bytes = 0;          // on the disk of the data folder, for this user
  std::uint64_t total_bytes = 0;         // of that disk; 0: nothing is known of it
  std::optional<std::uint64_t>
      free_files{};               // inodes; nullopt: the file system does not count them
  bool master_key_apart = false;  // it is not in the data folder
  std::vector<std::filesystem::path>
      token_files{};                   // with the first operators' tokens, still there
  std::uint64_t descriptor_limit = 0;  // open files that this process may have
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_connections = 0;     // at a time
  std::uint64_t wanted_connections = 0;  // what was asked for, where that did not fit
};

}  // namespace touchmark::verifier::state
