// Digests, MACs and key derivation.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace touchmark::crypto {

Sha256Digest sha256(ByteView data);
Sha256Digest hmac_sha256(ByteView key, ByteView data);
// HKDF-SHA256 (RFC 5869), empty salt; `info` names the purpose, so that one root key gives many.
Bytes hkdf_sha256(ByteView key, std::string_view info, std::size_t length);
// Same time for equal and unequal content; false at once when the lengths differ.
bool constant_time_equal(ByteView a, ByteView b);

// What APK signatures use, MD5 included: old packages carry it, and the platform still accepts it.
// Everything else here is SHA-256.
enum class DigestAlgorithm { kMd5, kSha1, kSha224, kSha256, kSha384, kSha512 };

std::size_t digest_size(DigestAlgorithm algorithm);
// OpenSSL's name of it, "SHA2-256".
const char* digest_name(DigestAlgorithm algorithm);
Bytes digest(DigestAlgorithm algorithm, ByteView data);

// Streaming digest. Not thread-safe; movable.
class Digester {
 public:
  explicit Digester(DigestAlgorithm algorithm);
  ~Digester();
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;
  void update(ByteView data);
  // Ends the stream; the object may only be destroyed or assigned afterwards.
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Streaming SHA-256. Not thread-safe; a copy goes on from where the original is.
class Sha256 {
 public:
  Sha256();
  void update(ByteView data);
  // Ends the stream; the object may only be destroyed or assigned afterwards.
  Sha256Digest finish();

 private:
  std::array<std::uint64_t, 14> state_;  // OpenSSL's SHA256_CTX
};

// HMAC-SHA256 (RFC 2104) under one key, whose two blocks are hashed once and not with each message:
// what an API server's check computes for each request. Immutable; mac() from any thread.
class HmacSha256Key {
 public:
  explicit HmacSha256Key(ByteView key);
  Sha256Digest mac(ByteView data) const;

 private:
  Sha256 inner_;
  Sha256 outer_;
};

}  // namespace touchmark::crypto
