// The attester's failures, except those of the configuration (protocol::ConfigError).
#pragma once

#include "base/error.h"

namespace touchmark::attester {

enum class TransportError {
  kUnreachable,  // no address, no route, connection refused, no connection in time
  kTimeout,      // connected, but no whole answer in time
  kUntrusted,    // the peer's key is not pinned, or its certificate does not lead to a trusted root
  kWeakTls,      // TLS that cannot be bound to (1.2 without extended master secret)
  kBroken,       // the connection ended before the answer did, or the answer is not HTTP
  kTooLarge,     // the answer exceeds the bound
  kCancelled,    // the client is being closed
};
std::string_view error_id(TransportError error);

enum class ClientError {
  kBadArgument,     // an option that is missing or malformed
  kStorage,         // the storage folder cannot be used
  kUnknownUrl,      // the URL's host is not in the configuration
  kServiceRefused,  // the service answered with an error status
  kBadAnswer,       // the service's answer is not the protocol's
  kClosed,
  kKeyFailed,  // the platform's key store gave an error
  kKeyLost,    // the platform has no such key, or no longer
  kInternal,   // an exception, such as of no memory
};
std::string_view error_id(ClientError error);

}  // namespace touchmark::attester
