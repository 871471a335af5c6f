#include "cli/service/domain.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/io/error.h"
#include "cli/io/text.h"

namespace touchmark::cli::service {
namespace {

bool is_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    });
  }
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

bool is_port(std::string_view port) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
  return error == std::errc() && end == port.data() + port.size() && value >= 1 && value <= 65535;
}

}  // namespace

Result<std::string> normalize_domain(std::string_view text) {
  std::string domain = io::lower(io::trim(text));
  constexpr std::string_view kScheme = "https://";
  if (domain.starts_with(kScheme)) domain.erase(0, kScheme.size());
  if (domain.ends_with('/')) domain.pop_back();

  const std::string_view view = domain;
  const std::size_t colon = view.find(':', view.starts_with('[') ? view.find(']') : 0);
  const bool good = colon == std::string_view::npos
                        ? is_host(view)
                        : is_host(view.substr(0, colon)) && is_port(view.substr(colon + 1));
  if (!good) {
    return fail(io::CliError::kUsage,
                fmt::format("'{}' is not a domain; write it like api.example.com or "
                            "localhost:5001",
                            text));
  }
  return domain;
}

}  // namespace touchmark::cli::service
