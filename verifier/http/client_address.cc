#include "verifier/http/client_address.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "verifier/http/text.h"

namespace touchmark::verifier::http {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96

std::optional<IpAddress> parse_address(std::string_view text) {
  // A zone (fe80::1%eth0) means something on the proxy's machine only.
  if (text.find('%') != text.npos) return std::nullopt;
  error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return plain_address(address);
}

// Proxies write numbers; a hidden one (RFC 7239 section 6.2, "_port") hides nothing of the address.
bool is_port(std::string_view text) {
  if (text.starts_with('_')) return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port <= 65535;
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<IpAddress> parse_node(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (!rest.starts_with(':') || !is_port(rest.substr(1)))) return std::nullopt;
    const std::string_view inner = text.substr(1, end - 1);
    return inner.find(':') == inner.npos ? std::nullopt : parse_address(inner);
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos) return parse_address(text);
  if (!is_port(text.substr(colon + 1))) return std::nullopt;
  return parse_address(text.substr(0, colon));
}

// A token or quoted-string of one pair; nullopt when it is neither.
std::optional<std::string> parse_value(std::string_view text) {
  if (!text.starts_with('"')) {
    if (text.find_first_of("\"\\") != text.npos) return std::nullopt;
    return std::string(text);
  }
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size() ? std::optional(out) : std::nullopt;
    if (text[i] == '\\' && ++i == text.size()) return std::nullopt;
    out += text[i];
  }
  return std::nullopt;
}

// The node of `for=` in one element of Forwarded. A comma or semicolon in a quoted value cuts the
// value in two, and then no half of it is well formed.
std::optional<std::string> forwarded_for(std::string_view element) {
  std::optional<std::string> out;
  bool more = true;
  while (more) {
    const std::size_t semicolon = element.find(';');
    const std::string_view pair = trimmed(element.substr(0, semicolon));
    more = semicolon != element.npos;
    if (more) element.remove_prefix(semicolon + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos) return std::nullopt;
    auto value = parse_value(pair.substr(equals + 1));
    if (!value) return std::nullopt;
    if (!same_word(pair.substr(0, equals), "for")) continue;
    if (out) return std::nullopt;
    out = std::move(value);
  }
  return out;
}

// The entries of a list over several lines, the last first. From the right, so that nothing a
// client wrote further left decides how what our proxy wrote is read.
std::vector<std::string_view> from_the_right(const std::vector<std::string_view>& lines) {
  std::vector<std::string_view> out;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::string_view rest = *line;
    bool more = true;
    while (more) {
      const std::size_t comma = rest.rfind(',');
      more = comma != rest.npos;
      const std::string_view entry = trimmed(more ? rest.substr(comma + 1) : rest);
      if (more) rest = rest.substr(0, comma);
      if (!entry.empty()) out.push_back(entry);
    }
  }
  return out;
}

}  // namespace

std::string_view error_id(ProxyError error) {
  using enum ProxyError;
  static constexpr auto kIds = error_table<ProxyError>({
      {kBadNetwork, "proxy.bad-network"},
  });
  return kIds[error];
}

IpAddress plain_address(const IpAddress& address) {
  if (!address.is_v6()) return address;
  if (address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return ip::address_v6(address.to_v6().to_bytes());  // without its zone
}

std::optional<TrustedProxies::Network> TrustedProxies::parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = [&]() -> std::optional<IpAddress> {
    if (text.find('%') != text.npos) return std::nullopt;
    error_code error;
    const auto made = ip::make_address(text.substr(0, slash), error);
    return error ? std::nullopt : std::optional(made);
  }();
  if (!address) return std::nullopt;
  const unsigned bits = address->is_v4() ? 32 : 128;
  unsigned prefix = bits;
  if (slash != text.npos) {
    const std::string_view digits = std::string_view(text).substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix > bits) {
      return std::nullopt;
    }
  }
  if (address->is_v6() && address->to_v6().is_v4_mapped() && prefix >= kMappedBits) {
    return ip::network_v4(plain_address(*address).to_v4(),
                          static_cast<unsigned short>(prefix - kMappedBits))
        .canonical();
  }
  if (address->is_v4()) {
    return ip::network_v4(address->to_v4(), static_cast<unsigned short>(prefix)).canonical();
  }
  return ip::network_v6(address->to_v6(), static_cast<unsigned short>(prefix)).canonical();
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& networks) {
  TrustedProxies out;
  for (const std::string& text : networks) {
    const auto network = parse_network(text);
    if (!network) {
      return fail(ProxyError::kBadNetwork,
                  "\"" + text + "\" is not a network such as 10.0.0.0/8 or 2001:db8::/32");
    }
    out.networks_.push_back(*network);
  }
  return out;
}

TrustedProxies TrustedProxies::whoever_connects() {
  TrustedProxies out;
  out.any_peer_ = true;
  return out;
}

bool TrustedProxies::contains(const IpAddress& given) const {
  const IpAddress address = plain_address(given);
  return std::ranges::any_of(networks_, [&](const Network& network) {
    if (const auto* v4 = std::get_if<ip::network_v4>(&network)) {
      return address.is_v4() &&
             ip::network_v4(address.to_v4(), v4->prefix_length()).canonical() == *v4;
    }
    const auto& v6 = std::get<ip::network_v6>(network);
    return address.is_v6() && ip::network_v6(address.to_v6(), v6.prefix_length()).canonical() == v6;
  });
}

IpAddress client_address(const IpAddress& peer, const TrustedProxies& proxies,
                         ForwardedHeader header, const ForwardedLines& lines) {
  IpAddress client = plain_address(peer);
  if (!proxies.may_speak(client)) return client;
  const bool by_forwarded = header == ForwardedHeader::kForwarded ||
                            (header == ForwardedHeader::kEither && lines.x_forwarded_for.empty());
  for (const std::string_view entry :
       from_the_right(by_forwarded ? lines.forwarded : lines.x_forwarded_for)) {
    const auto node = by_forwarded ? forwarded_for(entry) : std::optional(std::string(entry));
    const auto address = node ? parse_node(*node) : std::nullopt;
    if (!address) break;
    client = *address;
    if (!proxies.contains(client)) break;
  }
  return client;
}

}  // namespace touchmark::verifier::http
