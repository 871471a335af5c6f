// The policies that Touchmark comes with: documents to start from, each with its reasons in
// comments. `touchmark policy presets` prints them.
#pragma once

#include <span>
#include <string_view>

namespace touchmark::verifier::policy {

struct Preset {
  std::string_view name;      // "strict"
  std::string_view summary;   // one line: whom it lets in
  std::string_view document;  // valid; warns of nothing except what its name announces
};

// The default first, then by how much they let in.
std::span<const Preset> presets();
// nullptr when there is none of that name.
const Preset* find_preset(std::string_view name);

}  // namespace touchmark::verifier::policy
