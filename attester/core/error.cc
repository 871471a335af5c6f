#include "attester/core/error.h"

namespace touchmark::attester {

std::string_view error_id(TransportError error) {
  using enum TransportError;
  static constexpr auto kIds = error_table<TransportError>({
      {kUnreachable, "transport.unreachable"},
      {kTimeout, "transport.timeout"},
      {kUntrusted, "transport.untrusted"},
      {kWeakTls, "transport.weak-tls"},
      {kBroken, "transport.broken"},
      {kTooLarge, "transport.too-large"},
      {kCancelled, "transport.cancelled"},
  });
  return kIds[error];
}

std::string_view error_id(ClientError error) {
  using enum ClientError;
  static constexpr auto kIds = error_table<ClientError>({
      {kBadArgument, "client.bad-argument"},
      {kStorage, "client.storage"},
      {kUnknownUrl, "client.unknown-url"},
      {kServiceRefused, "client.service-refused"},
      {kBadAnswer, "client.bad-answer"},
      {kClosed, "client.closed"},
      {kKeyFailed, "client.key-failed"},
      {kKeyLost, "client.key-lost"},
      {kInternal, "client.internal"},
  });
  return kIds[error];
}

}  // namespace touchmark::attester
