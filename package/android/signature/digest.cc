#include "package/android/signature/digest.h"

#include <array>

#include "crypto/openssl.h"

namespace touchmark::package::signature {
namespace {

struct Info {
  const char* name;
  std::size_t size;
};
constexpr std::array<Info, 6> kInfo{{{"MD5", 16},
                                     {"SHA1", 20},
                                     {"SHA2-224", 28},
                                     {"SHA2-256", 32},
                                     {"SHA2-384", 48},
                                     {"SHA2-512", 64}}};

const Info& info(DigestAlgorithm algorithm) {
  return kInfo.at(static_cast<std::size_t>(algorithm));
}

using Implementation = openssl::Owned<EVP_MD, EVP_MD_free>;

// Each algorithm is fetched once: a fetch takes a lock, and chunks are digested on many threads.
const EVP_MD* implementation(DigestAlgorithm algorithm) {
  static const auto fetched = [] {
    std::array<Implementation, kInfo.size()> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].reset(EVP_MD_fetch(nullptr, kInfo[i].name, nullptr));
      openssl::require(all[i] != nullptr, kInfo[i].name);
    }
    return all;
  }();
  return fetched.at(static_cast<std::size_t>(algorithm)).get();
}

}  // namespace

struct Digester::State {
  openssl::DigestContext context{EVP_MD_CTX_new()};
  std::size_t size = 0;
};

Digester::Digester(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->size = digest_size(algorithm);
  const EVP_MD* md = implementation(algorithm);
  openssl::require(EVP_DigestInit_ex2(state_->context.get(), md, nullptr) == 1, "digest start");
}
Digester::~Digester() = default;
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;

void Digester::update(ByteView data) {
  openssl::require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1,
                   "digest update");
}

Bytes Digester::finish() {
  Bytes out(state_->size);
  openssl::require(EVP_DigestFinal_ex(state_->context.get(), uchars(std::span(out)), nullptr) == 1,
                   "digest end");
  return out;
}

std::size_t digest_size(DigestAlgorithm algorithm) { return info(algorithm).size; }
const char* digest_name(DigestAlgorithm algorithm) { return info(algorithm).name; }

Bytes digest(DigestAlgorithm algorithm, ByteView data) {
  Digester digester(algorithm);
  digester.update(data);
  return digester.finish();
}

}  // namespace touchmark::package::signature
