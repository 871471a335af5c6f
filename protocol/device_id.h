// The device id, claim `did` of the token.
#pragma once

#include <string>

#include "crypto/crypto.h"

namespace touchmark::protocol {

// Padded base64 of the first 16 bytes of SHA-256 of the installation key's DER
// SubjectPublicKeyInfo.
std::string device_id(const crypto::EcKey& installation_key);

}  // namespace touchmark::protocol
