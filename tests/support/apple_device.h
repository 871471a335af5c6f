// An iPhone's App Attest for tests: attestations and assertions of one key, under a root made here.
#pragma once

#include "crypto/crypto.h"
#include "formats/testing/cbor_writer.h"
#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"

namespace touchmark::testing {

class AppleDevice {
 public:
  explicit AppleDevice(std::string app_id) : app_id_(std::move(app_id)) {}

  std::string app_id_;
  std::string aaguid_{"appattest\0\0\0\0\0\0\0", 16};  // production
  UnixTime certified_until = from_unix(1893456000);

  // Another phone of the same maker.
  AppleDevice with_new_key() const {
    AppleDevice out = *this;
    out.key_ = TestKey();
    return out;
  }

  Bytes root() const {
    return make_certificate({.subject = kRootName, .issuer = kRootName}, root_key_, root_key_);
  }
  Bytes key_id() const { return owned(crypto::sha256(point())); }

  Bytes attest(ByteView client_data_hash) const {
    namespace cbor = cbor_writer;
    Bytes data = header(0);
    append(data, as_bytes(aaguid_));
    append(data, Bytes{std::byte{0}, std::byte{32}});
    append(data, key_id());
    const Bytes point_bytes = point();
    const ByteView xy = point_bytes;
    append(data, cbor::map({cbor::integer(1), cbor::integer(2), cbor::integer(3), cbor::integer(-7),
                            cbor::integer(-1), cbor::integer(1), cbor::integer(-2),
                            cbor::bytes(xy.subspan(1, 32)), cbor::integer(-3),
                            cbor::bytes(xy.subspan(33, 32))}));
    CertificateSpec leaf{.subject = {{"CN", "credential"}}, .issuer = kCaName, .ca = false};
    leaf.not_after = certified_until;
    leaf.extensions = {{"1.2.840.113635.100.8.2",
                        sequence({explicit_tag(1, octets(nonce(data, client_data_hash)))})}};
    const Bytes ca =
        make_certificate({.subject = kCaName, .issuer = kRootName}, ca_key_, root_key_);
    return cbor::map({cbor::text("fmt"), cbor::text("apple-appattest"), cbor::text("attStmt"),
                      cbor::map({cbor::text("x5c"),
                                 cbor::array({cbor::bytes(make_certificate(leaf, key_, ca_key_)),
                                              cbor::bytes(ca)}),
                                 cbor::text("receipt"), cbor::bytes({})}),
                      cbor::text("authData"), cbor::bytes(data)});
  }

  Bytes assert_over(ByteView client_data_hash, std::uint8_t counter) const {
    namespace cbor = cbor_writer;
    const Bytes data = header(counter);
    const Bytes signed_nonce = nonce(data, client_data_hash);
    openssl::DigestContext context(EVP_MD_CTX_new());
    Bytes signature(80);
    std::size_t size = signature.size();
    openssl::require(
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
            EVP_DigestSign(context.get(), uchars(std::span(signature)), &size,
                           uchars(ByteView(signed_nonce)), signed_nonce.size()) == 1,
        "signature");
    signature.resize(size);
    return cbor::map({cbor::text("signature"), cbor::bytes(signature),
                      cbor::text("authenticatorData"), cbor::bytes(data)});
  }

 private:
  static inline const NameFields kRootName = {{"CN", "Test App Attestation Root CA"}};
  static inline const NameFields kCaName = {{"CN", "Test App Attestation CA 1"}};

  static Bytes owned(const Sha256Digest& digest) { return {digest.begin(), digest.end()}; }
  static Bytes nonce(ByteView authenticator_data, ByteView client_data_hash) {
    Bytes input = to_bytes(authenticator_data);
    append(input, client_data_hash);
    return owned(crypto::sha256(input));
  }
  Bytes header(std::uint8_t counter) const {
    Bytes data = owned(crypto::sha256(as_bytes(app_id_)));
    append(data,
           Bytes{std::byte{0x40}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{counter}});
    return data;
  }
  Bytes point() const {  // 04 || x || y
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(key_.get(), &der);
    const auto* begin = reinterpret_cast<const std::byte*>(der);
    Bytes out(begin + length - 65, begin + length);
    OPENSSL_free(der);
    return out;
  }

  TestKey root_key_{"P-384"}, ca_key_{"P-384"}, key_;
};

}  // namespace touchmark::testing
