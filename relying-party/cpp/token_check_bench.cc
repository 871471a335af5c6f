// Checks of a token on one core, beside what a check cannot be faster than: HMAC-SHA256 of the same
// bytes with a key that is used again. And beside libjwt, where `tools/setup --bench` has unpacked
// it.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/clock.h"
#include "crypto/jose.h"
#include "crypto/openssl.h"
#include "protocol/decoy.h"
#include "relying-party/cpp/guard.h"
#ifdef TOUCHMARK_LIBJWT
#include <jwt.h>
#endif

namespace touchmark {
namespace {

const Bytes& secret() {
  static const Bytes bytes(32, std::byte{7});
  return bytes;
}

// As the service writes it.
const std::string& token() {
  static const std::string text = crypto::sign_hs256({{"did", "2Y1wkk7nBWrXkFfqxba0tA=="},
                                                      {"exp", to_unix(SystemClock().now()) + 3600},
                                                      {"ip", "192.0.2.17"},
                                                      {"lvl", "tee"}},
                                                     secret());
  return text;
}

ByteView signed_part() { return as_bytes(std::string_view(token()).substr(0, token().rfind('.'))); }

// OpenSSL's own, its context kept and begun again for each message: what a library has to pay.
void bm_hmac_of_openssl(benchmark::State& state) {
  using Mac = openssl::Owned<EVP_MAC, EVP_MAC_free>;
  using Context = openssl::Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;
  const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  const Context context(EVP_MAC_CTX_new(mac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_END};
  openssl::require(EVP_MAC_init(context.get(), uchars(secret()), secret().size(), params) == 1,
                   "HMAC");
  const ByteView data = signed_part();
  std::array<unsigned char, 32> out;
  for (auto _ : state) {
    std::size_t size = 0;
    openssl::require(EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1 &&
                         EVP_MAC_update(context.get(), uchars(data), data.size()) == 1 &&
                         EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1,
                     "HMAC");
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bm_hmac_of_openssl);

// The same by SHA-256 alone, its state after the key's block copied: the least that there is.
void bm_hmac_of_a_kept_state(benchmark::State& state) {
  const crypto::HmacSha256Key key(secret());
  const ByteView data = signed_part();
  for (auto _ : state) benchmark::DoNotOptimize(key.mac(data));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bm_hmac_of_a_kept_state);

void bm_check(benchmark::State& state) {
  relying::Settings settings;
  settings.secrets.push_back({{}, secret(), protocol::derive_decoy_secret(secret())});
  const auto guard = relying::Guard::make(settings);
  const relying::Header headers[] = {
      {"Host", "api.example"},
      {"User-Agent", "CurrencyConverter/2.0 (Android 14)"},
      {"Accept", "application/json"},
      {"Touchmark-Token", token()},
  };
  for (auto _ : state) {
    const auto decision = (*guard)->check({.method = "GET", .headers = headers});
    if (!decision.allowed) state.SkipWithError("refused");
    benchmark::DoNotOptimize(decision.reason);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bm_check);

#ifdef TOUCHMARK_LIBJWT
void bm_libjwt(benchmark::State& state) {
  for (auto _ : state) {
    jwt_t* jwt = nullptr;
    const int failed =
        jwt_decode(&jwt, token().c_str(), uchars(secret()), static_cast<int>(secret().size()));
    if (failed != 0 || jwt_get_alg(jwt) != JWT_ALG_HS256 ||
        jwt_get_grant_int(jwt, "exp") < to_unix(SystemClock().now())) {
      state.SkipWithError("refused");
    }
    jwt_free(jwt);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bm_libjwt);
#endif

}  // namespace
}  // namespace touchmark

BENCHMARK_MAIN();
