// The digest algorithms that APK signatures use, MD5 included: old packages carry it, and the
// platform still accepts them.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace touchmark::package::signature {

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
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace touchmark::package::signature
