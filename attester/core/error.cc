#include "attester/core/error.h"

namespace touchmark::attester {

std::string_view error_id(ConfigError error) {
  switch (error) {
    case ConfigError::kMalformed:
      return "config.malformed";
    case ConfigError::kBadSignature:
      return "config.bad-signature";
    case ConfigError::kBadUrl:
      return "config.bad-url";
    case ConfigError::kBadDomain:
      return "config.bad-domain";
    case ConfigError::kBadPin:
      return "config.bad-pin";
    case ConfigError::kBadHeader:
      return "config.bad-header";
    case ConfigError::kWrongAccount:
      return "config.wrong-account";
    case ConfigError::kWrongKey:
      return "config.wrong-key";
    case ConfigError::kNotNewer:
      return "config.not-newer";
  }
  return "config.unknown";
}

std::string_view error_id(TransportError error) {
  switch (error) {
    case TransportError::kUnreachable:
      return "transport.unreachable";
    case TransportError::kTimeout:
      return "transport.timeout";
    case TransportError::kUntrusted:
      return "transport.untrusted";
    case TransportError::kWeakTls:
      return "transport.weak-tls";
    case TransportError::kBroken:
      return "transport.broken";
    case TransportError::kTooLarge:
      return "transport.too-large";
    case TransportError::kCancelled:
      return "transport.cancelled";
  }
  return "transport.unknown";
}

std::string_view error_id(ClientError error) {
  switch (error) {
    case ClientError::kBadArgument:
      return "client.bad-argument";
    case ClientError::kStorage:
      return "client.storage";
    case ClientError::kUnknownUrl:
      return "client.unknown-url";
    case ClientError::kServiceRefused:
      return "client.service-refused";
    case ClientError::kBadAnswer:
      return "client.bad-answer";
    case ClientError::kClosed:
      return "client.closed";
    case ClientError::kKeyFailed:
      return "client.key-failed";
    case ClientError::kKeyLost:
      return "client.key-lost";
  }
  return "client.unknown";
}

}  // namespace touchmark::attester
