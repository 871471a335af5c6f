#include "protocol/device_id.h"

#include "base/encoding.h"

namespace touchmark::protocol {

std::string device_id(const crypto::EcKey& installation_key) {
  constexpr std::size_t kIdBytes = 16;
  const Sha256Digest digest = crypto::sha256(installation_key.public_der());
  return base64_encode(ByteView(digest).first(kIdBytes));
}

}  // namespace touchmark::protocol
