#include "attester/core/host.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace touchmark::attester {
namespace {

constexpr std::size_t kMaxHostLength = 253;  // RFC 1035 section 2.3.4

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Not locale's: only ASCII has two cases in a host name.
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

std::optional<std::string> normal_name(std::string_view text) {
  std::string name = lower(text);
  if (name.ends_with('.')) name.pop_back();  // "example.com." is the same host
  if (name.empty() || name.size() > kMaxHostLength) return std::nullopt;
  if (!std::ranges::all_of(name, is_host_character)) return std::nullopt;
  return name;
}

std::optional<std::string> normal_ipv6(std::string_view text) {
  std::string address = lower(text);
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
  };
  if (address.size() < 2 || address.size() > 45 || !std::ranges::all_of(address, allowed)) {
    return std::nullopt;
  }
  return address;
}

}  // namespace

std::optional<HostPort> parse_host(std::string_view text) {
  HostPort out;
  std::string_view rest;
  std::optional<std::string> host;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = normal_ipv6(text.substr(1, close - 1));
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = normal_name(text.substr(0, colon));
    rest = text.substr(colon);
  }
  if (!host) return std::nullopt;
  out.host = std::move(*host);
  if (rest.empty()) return out;
  if (!rest.starts_with(':')) return std::nullopt;
  out.port = parse_port(rest.substr(1));
  if (!out.port) return std::nullopt;
  return out;
}

std::optional<HostPort> parse_https_url(const std::string& url) {
  // libcurl's own parser: the host that is looked up here is the host that it would connect to.
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  const auto part = [&parsed](CURLUPart which, unsigned flags) -> std::string {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, flags) != CURLUE_OK) return {};
    std::string out(text);
    curl_free(text);
    return out;
  };
  if (part(CURLUPART_SCHEME, 0) != "https") return std::nullopt;
  return parse_host(part(CURLUPART_HOST, CURLU_URLDECODE) + ":" +
                    part(CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

}  // namespace touchmark::attester
