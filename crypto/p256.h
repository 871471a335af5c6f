// The public half of a P-256 key, as ec_key.cc holds it. For this folder alone.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"

namespace touchmark::crypto::p256 {

using Point = std::array<std::byte, 64>;  // x || y

// nullptr when the point is not on the curve.
std::shared_ptr<const void> public_key(const Point& point);
// ECDSA over `digest`, by a key of public_key(). `signature`: 64 bytes, r || s. From any thread.
bool verify(const void* key, const Sha256Digest& digest, ByteView signature);

}  // namespace touchmark::crypto::p256
