#include "package/signature/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace touchmark::package {
namespace {

struct Info {
  const char* name;
  std::size_t size;
};

constexpr Info info(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5: return {"MD5", 16};
    case DigestAlgorithm::kSha1: return {"SHA1", 20};
    case DigestAlgorithm::kSha224: return {"SHA2-224", 28};
    case DigestAlgorithm::kSha256: return {"SHA2-256", 32};
    case DigestAlgorithm::kSha384: return {"SHA2-384", 48};
    case DigestAlgorithm::kSha512: return {"SHA2-512", 64};
  }
  std::abort();  // not an enumerator
}

// Fetching looks the algorithm up under a lock; each is fetched once and kept for the process's life.
const EVP_MD* implementation(DigestAlgorithm algorithm) {
  static const auto fetched = [] {
    std::array<EVP_MD*, 6> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = EVP_MD_fetch(nullptr, info(static_cast<DigestAlgorithm>(i)).name, nullptr);
    }
    return all;
  }();
  return fetched[static_cast<std::size_t>(algorithm)];
}

// OpenSSL fails here only when memory or the algorithm is missing: there is nothing to go on with.
void require(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

struct Digester::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  ~State() { EVP_MD_CTX_free(context); }
};

Digester::Digester(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->size = digest_size(algorithm);
  require(EVP_DigestInit_ex2(state_->context, implementation(algorithm), nullptr) == 1);
}
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::update(ByteView data) {
  require(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
}

Bytes Digester::finish() {
  Bytes out(state_->size);
  require(EVP_DigestFinal_ex(state_->context, uchars(std::span(out)), nullptr) == 1);
  return out;
}

std::size_t digest_size(DigestAlgorithm algorithm) { return info(algorithm).size; }
const char* digest_name(DigestAlgorithm algorithm) { return info(algorithm).name; }

Bytes digest(DigestAlgorithm algorithm, ByteView data) {
  Digester digester(algorithm);
  digester.update(data);
  return digester.finish();
}

}  // namespace touchmark::package
