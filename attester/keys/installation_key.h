// The key that signs evidence. One per installation; its public half is the device id.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "crypto/crypto.h"

namespace touchmark::attester::keys {

// A key that may live outside this process (Android Keystore, Secure Enclave). Thread-safe.
class InstallationKey {
 public:
  virtual ~InstallationKey() = default;
  virtual const crypto::EcKey& public_key() const = 0;
  // 64 bytes r || s over SHA-256 of data, as ES256 wants them. Fails with ClientError::kKeyLost
  // when the key is gone for good (the platform has invalidated it).
  virtual Result<Bytes> sign(ByteView data) const = 0;
  // "software" for a key that this process can read.
  virtual std::string_view protection() const = 0;
};

std::unique_ptr<InstallationKey> make_software_key(crypto::EcKey key);

// A compact JWS, ES256, with the key's public half in the header's `jwk`.
Result<std::string> sign_jws(const Json& payload, std::string_view typ, const InstallationKey& key);

}  // namespace touchmark::attester::keys
