#include "protocol/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/text.h"

namespace touchmark::protocol {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxIpv6Text = 45;
constexpr std::uint16_t kHttpsPort = 443;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// Not the locale's: only ASCII has two cases in a host name.
// A decimal number without sign and leading zeros.
std::optional<std::uint16_t> parse_number(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

// Takes the text up to the next `mark`, and the mark, from the front of `rest`.
std::string_view take_until(std::string_view& rest, char mark) {
  const std::size_t at = std::min(rest.find(mark), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
         });
}

// What a client reads as a number, and a name that ends in it as an IPv4 address.
bool is_numeric(std::string_view label) {
  if (std::ranges::all_of(label, is_digit)) return true;
  return label.starts_with("0x") && std::ranges::all_of(label.substr(2), is_hex);
}

bool is_ipv4(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    const auto number = parse_number(take_until(name, '.'));
    if (!number || *number > 255) return false;
  }
  return name.empty();
}

std::optional<std::string> parse_name(std::string_view text) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() || name.size() > kMaxName || name.ends_with('.')) return std::nullopt;
  std::string_view label;
  for (std::string_view rest = name; !rest.empty();) {
    label = take_until(rest, '.');
    if (!is_label(label)) return std::nullopt;
  }
  if (is_numeric(label) && (text.ends_with('.') || !is_ipv4(name))) return std::nullopt;
  return name;
}

using Ipv6Groups = std::array<std::uint16_t, 8>;

std::string hex_groups(std::span<const std::uint16_t> groups) {
  std::string out;
  for (const std::uint16_t group : groups) {
    std::array<char, 4> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + 4, group, 16);
    if (!out.empty()) out += ':';
    out.append(digits.data(), end);
  }
  return out;
}

// RFC 5952 section 4: lower case, no leading zeros, "::" for the first of the longest runs of two
// or more zero groups.
std::string canonical(const Ipv6Groups& groups) {
  std::size_t best = 0;
  std::size_t length = 0;
  for (std::size_t from = 0; from < groups.size(); ++from) {
    std::size_t to = from;
    while (to < groups.size() && groups[to] == 0) ++to;
    if (to - from > length) {
      best = from;
      length = to - from;
    }
  }
  const std::span<const std::uint16_t> all(groups);
  if (length < 2) return hex_groups(all);
  return hex_groups(all.first(best)) + "::" + hex_groups(all.subspan(best + length));
}

std::optional<std::string> parse_ipv6(std::string_view text) {
  in6_addr address{};
  // inet_pton reads no zone, but it stops at a zero byte.
  if (text.size() > kMaxIpv6Text || text.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  Ipv6Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] =
        static_cast<std::uint16_t>(address.s6_addr[2 * i] << 8 | address.s6_addr[2 * i + 1]);
  }
  return canonical(groups);
}

bool is_path_character(char c) {
  constexpr std::string_view kMarks = "-._~!$&'()*+,;=:@%/";  // RFC 3986 section 3.3
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = std::min(text.find(bracketed ? ']' : ':'), text.size());
  if (bracketed && end == text.size()) return std::nullopt;
  const std::string_view rest = text.substr(bracketed ? end + 1 : end);
  auto host = bracketed ? parse_ipv6(text.substr(1, end - 1)) : parse_name(text.substr(0, end));
  if (!host) return std::nullopt;
  HostPort out{std::move(*host), std::nullopt};
  if (rest.empty()) return out;
  if (rest.front() != ':') return std::nullopt;
  out.port = parse_number(rest.substr(1));
  if (!out.port || *out.port == 0) return std::nullopt;
  return out;
}

std::string to_string(const HostPort& host) {
  const bool ipv6 = host.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host.host + "]" : host.host) +
         (host.port ? ":" + std::to_string(*host.port) : "");
}

std::optional<HostPort> parse_service_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";  // RFC 3986: in any case
  if (lower(url.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  if (!std::ranges::all_of(url.substr(slash), is_path_character)) return std::nullopt;
  auto host = parse_host_port(url.substr(0, slash));
  if (host && !host->port) host->port = kHttpsPort;
  return host;
}

}  // namespace touchmark::protocol
