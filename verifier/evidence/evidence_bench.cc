// How near the verification of evidence comes to its physical limit: the bare signature checks that
// it cannot do without, as `openssl speed` does them. Both run in turns, so that a busy machine
// slows both alike; what is printed is the median of the rounds' ratios.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

#include "crypto/crypto.h"
#include "formats/testing/cbor_writer.h"
#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"
#include "verifier/evidence/app_attest.h"
#include "verifier/evidence/key_attestation.h"

namespace touchmark::verifier::evidence {
namespace {

using namespace touchmark::testing;
using Work = std::function<void()>;

constexpr int kRounds = 15;
constexpr double kRoundSeconds = 0.06;

// Of this thread's own time on a processor, so that what else runs on the machine counts less.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_per_run(const Work& work) {
  double begin = thread_seconds();
  double now = begin;
  int runs = 0;
  do {
    work();
    ++runs;
    now = thread_seconds();
  } while (now - begin < kRoundSeconds);
  return (now - begin) / runs;
}

// Prints how fast `work` is, and as a part of `limit`.
void compare(const char* name, const Work& work, const Work& limit, double wanted) {
  std::vector<double> ratios;
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    double bare = seconds_per_run(limit);
    double whole = seconds_per_run(work);
    ratios.push_back(bare / whole);
    times.push_back(whole);
  }
  std::ranges::nth_element(ratios, ratios.begin() + kRounds / 2);
  std::ranges::nth_element(times, times.begin() + kRounds / 2);
  std::printf("%-34s %9.0f/s  %5.1f %% of its signature checks (wanted: %.0f %%)\n", name,
              1 / times[kRounds / 2], ratios[kRounds / 2] * 100, wanted * 100);
}

// One signature check with everything prepared: key, context, digest.
class BareCheck {
 public:
  BareCheck(const TestKey& key, const EVP_MD* digest) : key_(key) {
    std::array<unsigned char, 64> hash{};
    std::size_t hash_size = static_cast<std::size_t>(EVP_MD_get_size(digest));
    hash_.assign(hash.begin(), hash.begin() + static_cast<long>(hash_size));
    openssl::PkeyContext signer(EVP_PKEY_CTX_new(key.get(), nullptr));
    signature_.resize(256);
    std::size_t size = signature_.size();
    openssl::require(
        EVP_PKEY_sign_init(signer.get()) == 1 &&
            EVP_PKEY_sign(signer.get(), signature_.data(), &size, hash_.data(), hash_.size()) == 1,
        "signature");
    signature_.resize(size);
    context_.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
    openssl::require(EVP_PKEY_verify_init(context_.get()) == 1, "verification");
  }
  void run() const {
    openssl::require(EVP_PKEY_verify(context_.get(), signature_.data(), signature_.size(),
                                     hash_.data(), hash_.size()) == 1,
                     "verification");
  }

 private:
  TestKey key_;
  std::vector<unsigned char> hash_, signature_;
  openssl::PkeyContext context_;
};

// A factory chain on P-256 under a P-384 root, with a description of a phone's usual size.
struct Chain {
  TestKey root_key{"P-384"}, intermediate_key, batch_key, leaf_key;
  std::vector<Bytes> certificates;
  std::string root_pem;

  Chain() {
    const NameFields root_name = {{"CN", "Bench Root"}};
    const NameFields intermediate_name = {{"serialNumber", "0123456789abcdef"}};
    const NameFields batch_name = {{"title", "TEE"}, {"serialNumber", "fedcba9876543210"}};
    Bytes root = make_certificate(
        {.subject = root_name, .issuer = root_name, .digest = EVP_sha384()}, root_key, root_key);
    root_pem = to_pem(root);
    certificates = {make_certificate({.subject = {{"CN", "Android Keystore Key"}},
                                      .issuer = batch_name,
                                      .ca = std::nullopt,
                                      .extensions = {{"1.3.6.1.4.1.11129.2.1.17", description()}}},
                                     leaf_key, batch_key),
                    make_certificate({.subject = batch_name, .issuer = intermediate_name},
                                     batch_key, intermediate_key),
                    make_certificate(
                        {.subject = intermediate_name, .issuer = root_name, .digest = EVP_sha384()},
                        intermediate_key, root_key),
                    root};
  }

  static Bytes description() {
    Bytes package = sequence({octets("com.example.currencyconverter"), number(42)});
    Bytes app = sequence({set({package}), set({octets(std::string(32, 'd'))})});
    Bytes software =
        join({explicit_tag(701, number(1790000000000)), explicit_tag(709, octets(app))});
    Bytes root_of_trust = sequence({octets(std::string(32, 'k')), boolean(0xff),
                                    number(0, der::kEnumerated), octets(std::string(32, 'h'))});
    Bytes hardware =
        join({explicit_tag(1, set({number(2), number(3)})), explicit_tag(2, number(3)),
              explicit_tag(3, number(256)), explicit_tag(5, set({number(4)})),
              explicit_tag(10, number(1)), explicit_tag(503, null()), explicit_tag(702, number(0)),
              explicit_tag(704, root_of_trust), explicit_tag(705, number(160000)),
              explicit_tag(706, number(202602)), explicit_tag(718, number(20260205)),
              explicit_tag(719, number(20260205))});
    return sequence({number(400), number(1, der::kEnumerated), number(400),
                     number(1, der::kEnumerated), octets(std::string(32, 'c')), octets(""),
                     element(der::kSequence, software), element(der::kSequence, hardware)});
  }
};

void bench_key_attestation() {
  Chain chain;
  pki::TrustRoots roots = pki::TrustRoots::parse(chain.root_pem).value();
  KeyAttestationVerifier cached(roots);
  KeyAttestationVerifier cold(roots, 0);
  KeyAttestationRequest request{.as_of = from_unix(1790000000)};
  auto verify = [&](const KeyAttestationVerifier& verifier) {
    KeyAttestation result = verifier.verify(chain.certificates, request);
    openssl::require(result.verified(), "the chain verifies");
  };
  BareCheck p256(chain.leaf_key, EVP_sha256());
  BareCheck p384(chain.root_key, EVP_sha384());
  compare(
      "chain, issuers cached", [&] { verify(cached); }, [&] { p256.run(); }, 0.90);
  compare(
      "chain, cold", [&] { verify(cold); },
      [&] {
        p256.run();  // leaf
        p256.run();  // batch certificate
        p384.run();  // intermediate
        p384.run();  // root
      },
      0.75);
}

void bench_assertion() {
  TestKey key;
  Bytes data(37, std::byte{0x40});
  Bytes client_data_hash(32, std::byte{1});
  crypto::Sha256 hash;
  hash.update(data);
  hash.update(client_data_hash);
  Sha256Digest nonce = hash.finish();
  openssl::DigestContext context(EVP_MD_CTX_new());
  Bytes signature(80);
  std::size_t size = signature.size();
  openssl::require(
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
          EVP_DigestSign(context.get(), uchars(std::span(signature)), &size,
                         uchars(ByteView(nonce)), nonce.size()) == 1,
      "signature");
  signature.resize(size);
  using namespace cbor_writer;
  Bytes object = map({text("signature"), bytes(signature), text("authenticatorData"), bytes(data)});
  unsigned char* spki = nullptr;
  int spki_size = i2d_PUBKEY(key.get(), &spki);
  pki::PublicKey public_key =
      pki::PublicKey::from_spki(std::as_bytes(std::span(spki, static_cast<std::size_t>(spki_size))))
          .value();
  OPENSSL_free(spki);
  BareCheck p256(key, EVP_sha256());
  compare(
      "App Attest assertion",
      [&] {
        auto result = verify_assertion(object, public_key, {.client_data_hash = client_data_hash});
        openssl::require(result.verified(), "the assertion verifies");
      },
      [&] { p256.run(); }, 0.90);
}

}  // namespace
}  // namespace touchmark::verifier::evidence

int main() {
  touchmark::verifier::evidence::bench_key_attestation();
  touchmark::verifier::evidence::bench_assertion();
}
