// Keys as the platform reads them, by OpenSSL's decoder, from which its own descends. For .cc files
// only.
#pragma once

#include "crypto/openssl.h"
#include "pki/public_key.h"

namespace touchmark::pki {

struct PlatformKey {
  openssl::Pkey key;
  KeyType type = KeyType::kRsa;
  std::string kind;
};
Result<PlatformKey> read_platform_key(ByteView spki);

// DER SEQUENCE of two INTEGERs with nothing after it, the form of an ECDSA or DSA signature.
bool is_integer_pair(KeyType type, ByteView signature);

}  // namespace touchmark::pki
