// Whose request it is, behind proxies: RFC 7239 (Forwarded) and X-Forwarded-For, read from the
// right. The last entry was written by the proxy that connected to us, the one before it by the
// proxy before that one. Whatever stands left of the first address that is not one of our proxies
// is the client's own word.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace touchmark::verifier::http {

enum class ProxyError { kBadNetwork };
std::string_view error_id(ProxyError error);

using IpAddress = boost::asio::ip::address;

// An IPv4 address that stands in an IPv6 one (::ffff:192.0.2.1) as the IPv4 address that it is.
IpAddress plain_address(const IpAddress& address);

// Which of the two headers the proxy writes. kEither takes X-Forwarded-For, and Forwarded where
// there is none of the first: a proxy that writes only the second must be named as such, or its
// clients could send the first.
enum class ForwardedHeader { kEither, kXForwardedFor, kForwarded };

// The proxies whose word counts. Thread-safe once made.
class TrustedProxies {
 public:
  TrustedProxies() = default;  // nobody's
  // Networks such as "10.0.0.0/8", "2001:db8::/32", or single addresses. kBadNetwork names the one
  // that is none.
  static Result<TrustedProxies> parse(const std::vector<std::string>& networks);
  // Whoever connects, and no proxy before them.
  static TrustedProxies whoever_connects();

  // Whether the headers of one who connects from `peer` count.
  bool may_speak(const IpAddress& peer) const { return any_peer_ || contains(peer); }
  bool contains(const IpAddress& address) const;

 private:
  using Network = std::variant<boost::asio::ip::network_v4, boost::asio::ip::network_v6>;
  static std::optional<Network> parse_network(const std::string& text);

  std::vector<Network> networks_;
  bool any_peer_ = false;
};

// The values of the two headers, a line each, in their order.
struct ForwardedLines {
  std::vector<std::string_view> x_forwarded_for;
  std::vector<std::string_view> forwarded;
};

// The nearest address that is not one of our proxies. An entry that is no address ("unknown", a
// hidden name, nonsense) ends the way: then it is the last proxy whose word was good.
IpAddress client_address(const IpAddress& peer, const TrustedProxies& proxies,
                         ForwardedHeader header, const ForwardedLines& lines);

}  // namespace touchmark::verifier::http
