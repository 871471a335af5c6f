// The operator tokens: made on the first start, shown once, kept as hashes only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "verifier/service.h"

namespace touchmark::verifier {

struct Credentials {
  std::string url;
  std::string pin;
  std::string admin_token;
  std::string developer_token;
};

// Makes both tokens and, when `file` is given, writes them there as JSON
// {"url","pin","admin_token","developer_token"}, mode 0600.
Result<Credentials> make_credentials(Service& service, const std::string& url,
                                     const std::string& pin,
                                     const std::optional<std::filesystem::path>& file);

// What a person needs to go on, commands included.
std::string welcome_text(const Credentials& credentials, const std::filesystem::path& data);

}  // namespace touchmark::verifier
