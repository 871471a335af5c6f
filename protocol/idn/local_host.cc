#include "protocol/idn/local_host.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>

namespace touchmark::protocol {
namespace {

constexpr std::string_view kLoopback = "is this machine itself";
constexpr std::string_view kPrivate = "is an address of a private network";
constexpr std::string_view kLinkLocal = "is a link-local address, good on one cable alone";
constexpr std::string_view kNobody = "is the address of no host";
constexpr std::string_view kLocalName = "is a name of a local network";
constexpr std::string_view kShortName = "is a name without a domain";

struct Network {
  std::uint32_t address;
  int bits;
  std::string_view why;
};

constexpr auto kIpv4Networks = std::to_array<Network>({
    {0x00000000, 8, kNobody},      // 0.0.0.0/8
    {0x0A000000, 8, kPrivate},     // 10.0.0.0/8
    {0x64400000, 10, kPrivate},    // 100.64.0.0/10, behind a carrier's NAT
    {0x7F000000, 8, kLoopback},    // 127.0.0.0/8
    {0xA9FE0000, 16, kLinkLocal},  // 169.254.0.0/16
    {0xAC100000, 12, kPrivate},    // 172.16.0.0/12
    {0xC0A80000, 16, kPrivate},    // 192.168.0.0/16
    {0xE0000000, 3, kNobody},      // multicast, reserved, broadcast
});

std::optional<std::string_view> why_local_ipv4(std::uint32_t address) {
  for (const Network& network : kIpv4Networks) {
    if ((address ^ network.address) >> (32 - network.bits) == 0) return network.why;
  }
  return std::nullopt;
}

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::optional<std::string_view> why_local_ipv6(const in6_addr& address) {
  const auto* bytes = static_cast<const std::uint8_t*>(address.s6_addr);
  if (IN6_IS_ADDR_LOOPBACK(&address)) return kLoopback;
  if (IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address)) return kNobody;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return why_local_ipv4(big_endian(bytes + 12));
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return kLinkLocal;
  if (IN6_IS_ADDR_SITELOCAL(&address) || (bytes[0] & 0xFEU) == 0xFC) return kPrivate;
  return std::nullopt;
}

// The top of what RFC 6762 appendix G lists beside those that are registered.
constexpr std::array<std::string_view, 9> kLocalDomains{
    "local", "home.arpa", "internal", "intranet", "private", "corp", "home", "lan", "localdomain"};

bool is_under(std::string_view name, std::string_view domain) {
  return name == domain || (name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

}  // namespace

std::optional<std::string_view> why_local(const HostPort& host) {
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, host.host.c_str(), &ipv6) == 1) return why_local_ipv6(ipv6);
  in_addr ipv4{};
  if (::inet_pton(AF_INET, host.host.c_str(), &ipv4) == 1) {
    return why_local_ipv4(ntohl(ipv4.s_addr));
  }
  if (is_under(host.host, "localhost")) return kLoopback;
  for (const std::string_view domain : kLocalDomains) {
    if (is_under(host.host, domain)) return kLocalName;
  }
  if (host.host.find('.') == std::string::npos) return kShortName;
  return std::nullopt;
}

}  // namespace touchmark::protocol
