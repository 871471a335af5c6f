// App Attest on objects made here: the forms of iOS 27, and forgeries.
#include "verifier/evidence/app_attest.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>

#include "crypto/crypto.h"
#include "formats/testing/cbor_writer.h"
#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"

namespace touchmark::verifier::evidence {
namespace {

using namespace touchmark::testing;
namespace cbor_out = touchmark::testing::cbor_writer;

constexpr std::string_view kAppId = "ABCDE12345.com.example.app";
constexpr std::string_view kProduction("appattest\0\0\0\0\0\0\0", 16);
const NameFields kRootName = {{"CN", "Test App Attestation Root CA"}};
const NameFields kCaName = {{"CN", "Test App Attestation CA 1"}};
const UnixTime kNow = from_unix(1790000000);  // 2026-09-21

// 04 || x || y
Bytes point_of(const TestKey& key) {
  unsigned char* der = nullptr;
  int length = i2d_PUBKEY(key.get(), &der);
  auto* begin = reinterpret_cast<const std::byte*>(der);
  Bytes out(begin + length - 65, begin + length);
  OPENSSL_free(der);
  return out;
}

Bytes to_owned(const Sha256Digest& digest) { return {digest.begin(), digest.end()}; }
Bytes concat(ByteView a, ByteView b) {
  Bytes out = to_bytes(a);
  append(out, b);
  return out;
}

Bytes cose_key(ByteView point) {
  using namespace cbor_out;
  return map({integer(1), integer(2), integer(3), integer(-7), integer(-1), integer(1), integer(-2),
              bytes(point.subspan(1, 32)), integer(-3), bytes(point.subspan(33, 32))});
}

Bytes ios27_extensions(std::string_view version, std::string_view category) {
  using namespace cbor_out;
  return map({text("apple_bundle_version_01"), text(version), text("apple_validation_category_01"),
              bytes(as_bytes(category))});
}

Bytes header(std::string_view app_id, std::uint8_t flags, std::uint8_t counter) {
  Bytes data = to_owned(crypto::sha256(as_bytes(app_id)));
  append(data,
         Bytes{std::byte{flags}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{counter}});
  return data;
}

class AppAttestTest : public ::testing::Test {
 protected:
  Bytes authenticator_data() const {
    Bytes data = header(app_id_, flags_, counter_);
    append(data, as_bytes(aaguid_));
    append(data, Bytes{std::byte{0}, std::byte{32}});
    append(data, key_id_.value_or(to_owned(crypto::sha256(point_of(key_)))));
    append(data, cose_key(point_of(cose_key_.value_or(key_))));
    append(data, extensions_);
    return data;
  }

  Bytes leaf(const Bytes& data) const {
    Bytes nonce = to_owned(crypto::sha256(concat(data, client_data_hash_)));
    CertificateSpec spec{.subject = {{"CN", "credential"}}, .issuer = kCaName, .ca = false};
    if (with_nonce_) {
      spec.extensions = {{"1.2.840.113635.100.8.2", sequence({explicit_tag(1, octets(nonce))})}};
    }
    return make_certificate(spec, key_, ca_key_);
  }

  Bytes receipt(const Bytes& certificate) const {
    auto field = [](std::uint64_t type, ByteView value) {
      return sequence({number(type), number(1), octets(value)});
    };
    return sign_receipt(
        set({field(2, as_bytes(app_id_)), field(3, certificate),
             field(4, receipt_hash_.value_or(client_data_hash_)), field(5, as_bytes("token")),
             field(6, as_bytes("ATTEST")), field(12, as_bytes("2026-09-21T13:46:40Z")),
             field(21, as_bytes("2026-12-21T13:46:40.5Z"))}));
  }

  Bytes sign_receipt(const Bytes& content) const {
    Bytes encoded =
        make_certificate({.subject = {{"CN", "Signer"}}, .issuer = kRootName, .ca = false}, ca_key_,
                         receipt_root_key_);
    Bytes root = make_certificate({.subject = kRootName, .issuer = kRootName}, receipt_root_key_,
                                  receipt_root_key_);
    auto parse = [](const Bytes& der) {
      const unsigned char* cursor = uchars(ByteView(der));
      return openssl::Owned<X509, X509_free>(
          d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    };
    auto signer = parse(encoded);
    auto issuer = parse(root);
    openssl::Bio bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
    openssl::Owned<CMS_ContentInfo, CMS_ContentInfo_free> cms(
        CMS_sign(nullptr, nullptr, nullptr, bio.get(), CMS_BINARY | CMS_PARTIAL));
    unsigned attributes = receipt_attributes_ ? 0U : static_cast<unsigned>(CMS_NOATTR);
    openssl::require(CMS_add1_signer(cms.get(), signer.get(), ca_key_.get(), EVP_sha256(),
                                     CMS_NOSMIMECAP | attributes) != nullptr &&
                         CMS_add1_cert(cms.get(), issuer.get()) == 1 &&
                         CMS_final(cms.get(), bio.get(), nullptr, CMS_BINARY) == 1,
                     "CMS");
    unsigned char* der = nullptr;
    int length = i2d_CMS_ContentInfo(cms.get(), &der);
    auto* begin = reinterpret_cast<const std::byte*>(der);
    Bytes out(begin, begin + length);
    OPENSSL_free(der);
    return out;
  }

  Bytes object() const {
    using namespace cbor_out;
    Bytes data = authenticator_data();
    Bytes certificate = leaf(data);
    Bytes ca = make_certificate({.subject = kCaName, .issuer = kRootName}, ca_key_, root_key_);
    return map({text("fmt"), text(format_), text("attStmt"),
                map({text("x5c"), array({bytes(certificate), bytes(ca)}), text("receipt"),
                     bytes(receipt(certificate))}),
                text("authData"), bytes(data)});
  }

  AppAttestAttestation verify(Bytes encoded) const {
    auto root_of = [](const TestKey& key) {
      return pki::TrustRoots::parse(
                 to_pem(make_certificate({.subject = kRootName, .issuer = kRootName}, key, key)))
          .value();
    };
    AttestationVerifier verifier(root_of(root_key_), root_of(trusted_receipt_root_));
    AttestationRequest request{.as_of = kNow, .client_data_hash = client_data_hash_};
    request.app_id = std::string(kAppId);
    return verifier.verify(std::move(encoded), request);
  }
  std::string outcome(Bytes encoded) const {
    AppAttestAttestation result = verify(std::move(encoded));
    if (result.refusal) return result.refusal->id();
    return result.warnings.empty() ? "verified" : result.warnings.front();
  }
  std::string outcome() const { return outcome(object()); }

  TestKey root_key_{"P-384"}, ca_key_, key_, receipt_root_key_,
      trusted_receipt_root_{receipt_root_key_};
  Bytes client_data_hash_ = to_bytes("0123456789abcdef0123456789abcdef");
  std::string app_id_{kAppId};
  std::string aaguid_{kProduction};
  std::string format_ = "apple-appattest";
  std::uint8_t flags_ = 0x40;
  std::uint8_t counter_ = 0;
  std::optional<Bytes> key_id_;
  std::optional<TestKey> cose_key_;
  std::optional<Bytes> receipt_hash_;
  Bytes extensions_;
  bool with_nonce_ = true;
  bool receipt_attributes_ = false;
};

TEST_F(AppAttestTest, TheFormOfBeforeIos27) { EXPECT_EQ(outcome(), "verified"); }

TEST_F(AppAttestTest, Ios27AppendsExtensionsWhateverTheFlagsSay) {
  extensions_ = ios27_extensions("42", std::string_view("\x04\0\0\0", 4));
  for (unsigned flags : {0x40U, 0xc0U, 0x00U, 0x41U}) {
    flags_ = static_cast<std::uint8_t>(flags);
    AppAttestAttestation result = verify(object());
    ASSERT_TRUE(result.verified()) << result.refusal->text();
    EXPECT_EQ(result.authenticator_data->validation_category, ValidationCategory::kAppStore);
    EXPECT_EQ(result.authenticator_data->bundle_version, "42");
    Json json = to_json(result).at("authData");
    EXPECT_EQ(json.at("validationCategory"), (Json{{"value", 4}, {"name", "appStore"}}));
  }
  extensions_ = ios27_extensions("1", std::string_view("\x2a\0\0\0", 4));
  EXPECT_EQ(to_json(verify(object())).at("authData").at("validationCategory").at("name"),
            "unknown");
  // Of other types than documented, they are shown, and mean nothing.
  extensions_ = cbor_out::map({cbor_out::text("apple_bundle_version_01"), cbor_out::integer(7)});
  AppAttestAttestation odd = verify(object());
  EXPECT_TRUE(odd.verified());
  EXPECT_FALSE(odd.authenticator_data->bundle_version);
  EXPECT_EQ(to_json(odd).at("authData").at("extensions").at(0).at("apple_bundle_version_01"), 7);
}

// The category is under the nonce: a developer's build cannot pass for the App Store's.
TEST_F(AppAttestTest, AValidationCategoryCannotBeChanged) {
  extensions_ = ios27_extensions("42", std::string_view("\x03\0\0\0", 4));
  Bytes changed = object();
  const std::string_view category("apple_validation_category_01\x44\x03");
  const std::size_t at = as_text(changed).find(category);
  ASSERT_NE(at, std::string_view::npos);
  changed[at + category.size() - 1] = std::byte{4};
  AppAttestAttestation result = verify(std::move(changed));
  ASSERT_FALSE(result.verified());
  EXPECT_EQ(result.refusal->id(), "app-attest.nonce-mismatch");
  EXPECT_EQ(result.authenticator_data->validation_category, ValidationCategory::kAppStore);
}

TEST_F(AppAttestTest, WhatFollowsMustBeCbor) {
  extensions_ = to_bytes("\xff\xff");
  EXPECT_EQ(outcome(), "authenticator-data.malformed-extensions");
  extensions_ = Bytes(5);  // five zeros: five items
  EXPECT_EQ(outcome(), "authenticator-data.malformed-extensions");
}

TEST_F(AppAttestTest, EachPartMustFit) {
  app_id_ = "ABCDE12345.com.example.other";
  EXPECT_EQ(outcome(), "app-attest.wrong-app-id");
  app_id_ = kAppId;
  aaguid_ = "appattestXevelop";
  EXPECT_EQ(outcome(), "app-attest.unknown-environment");
  aaguid_ = kProduction;
  counter_ = 1;
  EXPECT_EQ(outcome(), "app-attest.counter-not-zero");
  counter_ = 0;
  key_id_ = Bytes(32);
  EXPECT_EQ(outcome(), "app-attest.key-id-mismatch");
  key_id_.reset();
  cose_key_ = TestKey();
  EXPECT_EQ(outcome(), "app-attest.key-mismatch");
  cose_key_.reset();
  with_nonce_ = false;
  EXPECT_EQ(outcome(), "app-attest.nonce-missing");
  with_nonce_ = true;
  format_ = "packed";
  EXPECT_EQ(outcome(), "app-attest.wrong-format");
  format_ = "apple-appattest";
  EXPECT_EQ(outcome(), "verified");
}

TEST_F(AppAttestTest, TheReceiptMustBeOfThisAttestation) {
  receipt_attributes_ = true;
  EXPECT_EQ(outcome(), "verified");
  receipt_attributes_ = false;
  receipt_hash_ = to_bytes("other");
  EXPECT_EQ(outcome(), "app-attest.receipt-mismatch");
  receipt_hash_.reset();
  // One of a root that is not known proves nothing, either way.
  trusted_receipt_root_ = TestKey();
  AppAttestAttestation result = verify(object());
  ASSERT_TRUE(result.verified());
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_TRUE(result.warnings[0].starts_with("app-attest.receipt: chain.untrusted-root"));
}

TEST_F(AppAttestTest, AnotherRootIsRefused) {
  Bytes forged = object();
  root_key_ = TestKey("P-384");
  EXPECT_EQ(outcome(forged), "chain.untrusted-root");
}

TEST_F(AppAttestTest, EveryTruncationIsRefused) {
  Bytes encoded = object();
  for (std::size_t size = 0; size < encoded.size(); size += 7) {
    EXPECT_EQ(outcome(Bytes(encoded.begin(), encoded.begin() + static_cast<long>(size))),
              "app-attest.malformed");
  }
  encoded.push_back(std::byte{0});
  EXPECT_EQ(outcome(encoded), "app-attest.malformed");
  EXPECT_EQ(outcome(Bytes(kMaxAppAttestBytes + 1)), "app-attest.too-large");
}

class AssertionTest : public ::testing::Test {
 protected:
  Bytes sign(const Bytes& data, ByteView hash) const {
    using namespace cbor_out;
    Sha256Digest nonce = crypto::sha256(concat(data, hash));
    crypto::EcKey key = key_;
    // ECDSA in DER: SEQUENCE of r and s.
    Bytes raw = key.sign(nonce);
    auto integer_of = [](ByteView bytes) {
      Bytes content = to_bytes(bytes);
      while (content.size() > 1 && content[0] == std::byte{0} &&
             (std::to_integer<unsigned>(content[1]) & 0x80U) == 0) {
        content.erase(content.begin());
      }
      if ((std::to_integer<unsigned>(content[0]) & 0x80U) != 0) {
        content.insert(content.begin(), std::byte{0});
      }
      return element(der::kInteger, content);
    };
    Bytes signature =
        sequence({integer_of(ByteView(raw).first(32)), integer_of(ByteView(raw).last(32))});
    return map({text("signature"), bytes(signature), text("authenticatorData"), bytes(data)});
  }
  AppAttestAssertion verify(const Bytes& object, std::optional<std::uint32_t> previous = 0) {
    AssertionRequest request{.client_data_hash = hash_};
    request.app_id = kAppId;
    request.previous_counter = previous;
    return verify_assertion(object, pki::PublicKey::from_spki(key_.public_der()).value(), request);
  }
  std::string outcome(const Bytes& object, std::optional<std::uint32_t> previous = 0) {
    AppAttestAssertion result = verify(object, previous);
    return result.refusal ? result.refusal->id() : "verified";
  }

  crypto::EcKey key_ = crypto::EcKey::generate();
  Bytes hash_ = to_bytes("client data hash");
};

TEST_F(AssertionTest, VerifiesOnceAndInOrder) {
  Bytes object = sign(header(kAppId, 0x40, 5), hash_);
  EXPECT_EQ(outcome(object), "verified");
  EXPECT_EQ(outcome(object, 4), "verified");
  EXPECT_EQ(outcome(object, 5), "app-attest.counter-replayed");
  EXPECT_EQ(outcome(object, 6), "app-attest.counter-replayed");
  EXPECT_EQ(outcome(object, std::nullopt), "verified");
  EXPECT_EQ(outcome(sign(header(kAppId, 0x40, 0), hash_)), "app-attest.counter-replayed");
}

TEST_F(AssertionTest, TakesExtensionsUnderAnyFlags) {
  for (unsigned flags : {0x00U, 0x40U, 0x80U, 0xc0U}) {
    Bytes data = header(kAppId, static_cast<std::uint8_t>(flags), 1);
    append(data, ios27_extensions("1.2", std::string_view("\x02\0\0\0", 4)));
    Bytes object = sign(data, hash_);
    AppAttestAssertion result = verify(object);
    ASSERT_TRUE(result.verified()) << result.refusal->text();
    EXPECT_EQ(result.authenticator_data->validation_category, ValidationCategory::kTestFlight);
    EXPECT_EQ(to_json(result).at("authenticatorData").at("bundleVersion"), "1.2");
  }
}

TEST_F(AssertionTest, IsForOneAppKeyAndContent) {
  EXPECT_EQ(outcome(sign(header("another.app", 0x40, 1), hash_)), "app-attest.wrong-app-id");
  EXPECT_EQ(outcome(sign(header(kAppId, 0x40, 1), as_bytes("other data"))),
            "app-attest.bad-signature");
  Bytes object = sign(header(kAppId, 0x40, 1), hash_);
  key_ = crypto::EcKey::generate();
  EXPECT_EQ(outcome(object), "app-attest.bad-signature");
}

// Signed over the nonce hashed once: a verifier that forgets the second hash would take it.
TEST_F(AssertionTest, TheNonceIsHashedTwice) {
  Bytes data = header(kAppId, 0x40, 1);
  Bytes object = sign(data, hash_);
  Bytes once = sign({}, concat(data, hash_));  // signs SHA-256 of the right nonce's input again
  EXPECT_EQ(outcome(object), "verified");
  auto map = cbor::parse(once);
  ASSERT_TRUE(map);
  auto key = pki::PublicKey::from_spki(key_.public_der()).value();
  EXPECT_TRUE(key.verify(pki::kEcdsaSha256, crypto::sha256(concat(data, hash_)),
                         map->find("signature")->bytes));
  EXPECT_FALSE(key.verify(pki::kEcdsaSha256, concat(data, hash_), map->find("signature")->bytes));
}

TEST_F(AssertionTest, MalformedOnesAreRefused) {
  EXPECT_EQ(outcome({}), "app-attest.malformed");
  EXPECT_EQ(outcome(cbor_out::map({})), "app-attest.malformed");
  EXPECT_EQ(outcome(sign(Bytes(36), hash_)), "authenticator-data.truncated");
  Bytes data = header(kAppId, 0x40, 1);
  append(data, to_bytes("\xff"));
  EXPECT_EQ(outcome(sign(data, hash_)), "authenticator-data.malformed-extensions");
}

}  // namespace
}  // namespace touchmark::verifier::evidence
