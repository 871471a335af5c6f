// Key attestation on chains made here: each rule has one chain that breaks nothing else.
#include "verifier/evidence/key_attestation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"

namespace touchmark::verifier::evidence {
namespace {

using namespace touchmark::testing;

constexpr const char* kOid = "1.3.6.1.4.1.11129.2.1.17";
const NameFields kRootName = {{"CN", "Test Root"}};
const NameFields kIntermediateName = {{"serialNumber", "0123456789abcdef"}, {"title", "TEE"}};
const NameFields kBatchName = {{"title", "TEE"}, {"serialNumber", "fedcba9876543210"}};

struct DescriptionSpec {
  std::uint64_t version = 300;
  std::uint64_t level = 1;
  std::uint64_t key_level = 1;
  std::optional<std::uint64_t> origin = 0;
  bool root_of_trust = true;
  std::uint8_t locked = 0xff;
  Bytes more_hardware{};
  Bytes software{};
};

Bytes make_root_of_trust(std::uint8_t locked) {
  return explicit_tag(704, sequence({octets("boot key"), boolean(locked),
                                     number(0, der::kEnumerated), octets("hash")}));
}

Bytes make_description(const DescriptionSpec& spec) {
  Bytes hardware;
  if (spec.origin) append(hardware, explicit_tag(702, number(*spec.origin)));
  if (spec.root_of_trust) append(hardware, make_root_of_trust(spec.locked));
  append(hardware, spec.more_hardware);
  return sequence({number(spec.version), number(spec.level, der::kEnumerated), number(spec.version),
                   number(spec.key_level, der::kEnumerated), octets("challenge"), octets(""),
                   element(der::kSequence, spec.software), element(der::kSequence, hardware)});
}

// A factory-provisioned chain: leaf, batch certificate, intermediate, root.
class KeyAttestationTest : public ::testing::Test {
 protected:
  KeyAttestationTest() { describe({}); }

  void describe(const DescriptionSpec& description) {
    leaf_.extensions = {{kOid, make_description(description)}};
  }

  std::vector<Bytes> chain() const {
    return {make_certificate(leaf_, leaf_key_, batch_key_),
            make_certificate(batch_, batch_key_, intermediate_key_),
            make_certificate(intermediate_, intermediate_key_, root_key_), root()};
  }
  Bytes root() const { return make_certificate(root_, root_key_, root_key_); }

  KeyAttestation verify(std::vector<Bytes> certificates) const {
    KeyAttestationVerifier verifier(pki::TrustRoots::parse(to_pem(root())).value());
    return verifier.verify(std::move(certificates), request_);
  }
  std::string outcome(std::vector<Bytes> certificates) const {
    KeyAttestation result = verify(std::move(certificates));
    if (result.refusal) return result.refusal->id();
    return result.warnings.empty() ? "verified" : result.warnings.front();
  }
  std::string outcome() const { return outcome(chain()); }

  TestKey root_key_{"P-384"}, intermediate_key_, batch_key_, leaf_key_;
  CertificateSpec root_{.subject = kRootName, .issuer = kRootName};
  CertificateSpec intermediate_{.subject = kIntermediateName, .issuer = kRootName, .serial = 0x2a};
  CertificateSpec batch_{.subject = kBatchName, .issuer = kIntermediateName, .serial = 0xabc};
  CertificateSpec leaf_{
      .subject = {{"CN", "Android Keystore Key"}}, .issuer = kBatchName, .ca = std::nullopt};
  KeyAttestationRequest request_{.as_of = from_unix(1700000000),
                                 .challenge = to_bytes("challenge")};
};

TEST_F(KeyAttestationTest, AGoodChainVerifies) {
  EXPECT_EQ(outcome(), "verified");
  KeyAttestation result = verify(chain());
  EXPECT_EQ(result.provisioning, Provisioning::kFactory);
  EXPECT_EQ(result.certified_level, SecurityLevel::kTrustedEnvironment);
  EXPECT_TRUE(pki::PublicKey::from_spki(result.public_key()));
}

TEST_F(KeyAttestationTest, TheChallengeMustBeTheOneAsked) {
  request_.challenge = to_bytes("challenge of another session");
  EXPECT_EQ(outcome(), "key-attestation.challenge-mismatch");
  request_.challenge.reset();
  EXPECT_EQ(outcome(), "key-attestation.challenge-unchecked: no challenge was given");
}

// The owner of a genuinely attested key signs a leaf of their own with it.
TEST_F(KeyAttestationTest, AnAttestedKeyCannotAttest) {
  TestKey forged_key;
  CertificateSpec forged = leaf_;
  forged.issuer = leaf_.subject;
  std::vector<Bytes> extended = chain();
  extended.insert(extended.begin(), make_certificate(forged, forged_key, leaf_key_));
  EXPECT_EQ(outcome(extended), "key-attestation.extension-outside-leaf");
  forged.extensions.clear();
  extended.front() = make_certificate(forged, forged_key, leaf_key_);
  EXPECT_EQ(outcome(extended), "key-attestation.chain-extended");
}

TEST_F(KeyAttestationTest, TheAppMustBeTheOneAskedFor) {
  request_.app_id = "com.example.app";
  EXPECT_EQ(outcome(), "key-attestation.wrong-app-id");  // none is named
  const auto named = [](std::string_view package) {
    const Bytes packages = sequence({octets(package), number(1)});
    const Bytes app =
        sequence({element(der::kSet, packages), element(der::kSet, octets("digest"))});
    return explicit_tag(709, octets(app));
  };
  DescriptionSpec spec;
  spec.software = named("com.example.app");
  describe(spec);
  EXPECT_EQ(outcome(), "verified");
  spec.software = named("com.example.other");
  describe(spec);
  EXPECT_EQ(outcome(), "key-attestation.wrong-app-id");
}

// What the phone attests may be a key that nothing here can use.
TEST_F(KeyAttestationTest, TheAttestedKeyMayBeOfAnyAlgorithm) {
  for (const TestKey& key : {TestKey::rsa(2048), TestKey("P-384"), TestKey::of_type("ED25519"),
                             TestKey::of_type("X25519")}) {
    leaf_key_ = key;
    EXPECT_EQ(outcome(), "verified");
    EXPECT_FALSE(verify(chain()).public_key().empty());
  }
}

TEST_F(KeyAttestationTest, ALeafWithoutDescriptionIsNoEvidence) {
  std::vector<Bytes> headless = chain();
  headless.erase(headless.begin());
  EXPECT_EQ(outcome(headless), "key-attestation.missing-extension");
  leaf_.extensions = {{kOid, to_bytes("\x42\x42")}};
  EXPECT_EQ(outcome(), "key-description.malformed");
}

TEST_F(KeyAttestationTest, OnlyTheHardwareListCounts) {
  // What the hardware does not say is not made good by what software says.
  DescriptionSpec said_by_software;
  said_by_software.root_of_trust = false;
  said_by_software.software = make_root_of_trust(0xff);
  describe(said_by_software);
  EXPECT_EQ(outcome(), "key-attestation.root-of-trust-missing");

  said_by_software = {};
  said_by_software.origin.reset();
  said_by_software.software = explicit_tag(702, number(0));
  describe(said_by_software);
  EXPECT_EQ(outcome(), "key-attestation.origin-not-generated");
}

TEST_F(KeyAttestationTest, TheKeyMustBeMadeInHardware) {
  for (std::uint64_t origin : {1U, 2U, 3U, 4U}) {
    describe({.origin = origin});
    EXPECT_EQ(outcome(), "key-attestation.origin-not-generated") << origin;
  }
  describe({.origin = 5});
  EXPECT_EQ(outcome(), "key-description.unknown-value");
}

TEST_F(KeyAttestationTest, SecurityLevelsMustAgree) {
  describe({.level = 0, .key_level = 1});
  EXPECT_EQ(outcome(), "key-attestation.security-level-mismatch");
  describe({.level = 1, .key_level = 0});
  EXPECT_EQ(outcome(), "key-attestation.security-level-mismatch");
  describe({.level = 0, .key_level = 0});
  EXPECT_EQ(outcome(), "key-attestation.software-only");
  describe({.level = 3, .key_level = 3});
  EXPECT_EQ(outcome(), "key-description.unknown-value");
}

TEST_F(KeyAttestationTest, ATeeKeyCannotClaimStrongBox) {
  describe({.level = 2, .key_level = 2});
  EXPECT_EQ(outcome(), "key-attestation.certified-level-mismatch");
  batch_.subject = {{"serialNumber", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  EXPECT_EQ(outcome(), "key-attestation.certified-level-mismatch") << "the intermediate says TEE";
  batch_.subject = {{"title", "StrongBox"}, {"serialNumber", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  EXPECT_EQ(outcome(), "key-attestation.certified-level-mismatch") << "likewise";
  intermediate_.subject = {{"serialNumber", "0123456789abcdef"}};
  batch_.issuer = intermediate_.subject;
  EXPECT_EQ(outcome(), "verified");
  batch_.subject = {{"serialNumber", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  EXPECT_EQ(outcome(), "key-attestation.certified-level-mismatch") << "no certificate says it";
  intermediate_.subject = {{"serialNumber", "0123456789abcdef"}, {"title", "StrongBox"}};
  batch_.issuer = intermediate_.subject;
  EXPECT_EQ(outcome(), "verified") << "one of them does";
}

TEST_F(KeyAttestationTest, ATeeKeyIsNotCertifiedAsStrongBox) {
  intermediate_.subject = {{"serialNumber", "0123456789abcdef"}, {"title", "StrongBox"}};
  batch_.issuer = intermediate_.subject;
  batch_.subject = {{"title", "StrongBox"}, {"serialNumber", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  EXPECT_EQ(outcome(), "key-attestation.certified-level-mismatch");
  // Phones from before Android 9 have certificates that name no level.
  intermediate_.subject = {{"serialNumber", "0123456789abcdef"}};
  batch_.issuer = intermediate_.subject;
  batch_.subject = {{"serialNumber", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  EXPECT_EQ(outcome(), "verified");
}

// Whoever has a batch key out of a phone cannot put an intermediate of their own below it.
TEST_F(KeyAttestationTest, AChainHasTheLengthOfItsProvisioning) {
  const TestKey own_key;
  CertificateSpec own{.subject = {{"title", "TEE"}, {"serialNumber", "1111"}},
                      .issuer = kBatchName};
  CertificateSpec leaf = leaf_;
  leaf.issuer = own.subject;
  std::vector<Bytes> longer = chain();
  longer[0] = make_certificate(leaf, leaf_key_, own_key);
  longer.insert(longer.begin() + 1, make_certificate(own, own_key, batch_key_));
  EXPECT_EQ(outcome(longer), "key-attestation.wrong-length");
  longer.pop_back();  // and without the root
  EXPECT_EQ(outcome(longer), "key-attestation.wrong-length");

  leaf.issuer = kIntermediateName;
  const Bytes made = make_certificate(leaf, leaf_key_, intermediate_key_);
  const std::vector<Bytes> whole = chain();
  EXPECT_EQ(outcome({made, whole[2], whole[3]}), "key-attestation.wrong-length");
  leaf.issuer = kRootName;
  EXPECT_EQ(outcome({make_certificate(leaf, leaf_key_, root_key_), root()}),
            "key-attestation.wrong-length");

  // Remotely provisioned: one certificate more, no fewer and no more than that.
  intermediate_.subject = {{"CN", "Droid CA2"}, {"O", "Google LLC"}};
  batch_.issuer = intermediate_.subject;
  EXPECT_EQ(outcome(), "key-attestation.wrong-length");
  const TestKey third_key;
  CertificateSpec third{.subject = {{"CN", "Droid CA3"}, {"O", "Google LLC"}},
                        .issuer = intermediate_.subject};
  batch_.issuer = third.subject;
  std::vector<Bytes> remote{make_certificate(leaf_, leaf_key_, batch_key_),
                            make_certificate(batch_, batch_key_, third_key),
                            make_certificate(third, third_key, intermediate_key_),
                            make_certificate(intermediate_, intermediate_key_, root_key_), root()};
  EXPECT_EQ(outcome(remote), "verified");
  remote.pop_back();
  EXPECT_EQ(outcome(remote), "verified");
  leaf = leaf_;
  leaf.issuer = own.subject;
  remote[0] = make_certificate(leaf, leaf_key_, own_key);
  remote.insert(remote.begin() + 1, make_certificate(own, own_key, batch_key_));
  EXPECT_EQ(outcome(remote), "key-attestation.wrong-length");
}

TEST_F(KeyAttestationTest, AnUnlockedPhoneVerifies) {
  describe({.locked = 0});
  KeyAttestation result = verify(chain());
  ASSERT_TRUE(result.verified()) << result.refusal->text();
  EXPECT_FALSE(result.description->hardware_enforced.root_of_trust->device_locked);
  describe({.locked = 1});
  EXPECT_TRUE(verify(chain()).description->hardware_enforced.root_of_trust->device_locked);
}

TEST_F(KeyAttestationTest, UnknownTagsAreForNewerVersions) {
  Bytes tag = explicit_tag(725, number(1));
  describe({.version = 500, .more_hardware = tag});
  EXPECT_EQ(outcome(), "key-description.unknown-tag");
  describe({.version = 600, .more_hardware = tag});
  EXPECT_EQ(outcome(), "key-description.unknown-tag: hardwareEnforced: tag 725 is not known");
}

TEST_F(KeyAttestationTest, TrustIsByTheRootsKey) {
  // Issued again, under another name and for another time.
  CertificateSpec again = root_;
  again.not_after = from_unix(1600000000);
  std::vector<Bytes> certificates = chain();
  certificates.back() = make_certificate(again, root_key_, root_key_);
  EXPECT_EQ(outcome(certificates), "verified");
  // Left out.
  certificates.pop_back();
  EXPECT_EQ(outcome(certificates), "verified");
  // The same name under another key.
  TestKey other("P-384");
  certificates = chain();
  certificates[2] = make_certificate(intermediate_, intermediate_key_, other);
  certificates[3] = make_certificate(root_, other, other);
  EXPECT_EQ(outcome(certificates), "chain.untrusted-root");
  certificates.pop_back();
  EXPECT_EQ(outcome(certificates), "chain.untrusted-root");
  // A certificate that says it is the root's, of its key, but signed by another.
  certificates = chain();
  certificates.back() = make_certificate(root_, root_key_, other);
  EXPECT_EQ(outcome(certificates), "chain.bad-signature");
}

TEST_F(KeyAttestationTest, AnRsaRootVerifiesToo) {
  root_key_ = TestKey::rsa(2048);
  EXPECT_EQ(outcome(), "verified");
  intermediate_.digest = EVP_sha512();
  EXPECT_EQ(outcome(), "verified");
  intermediate_.digest = EVP_sha1();
  EXPECT_EQ(outcome(), "chain.unsupported-algorithm");
}

TEST_F(KeyAttestationTest, EveryLinkIsChecked) {
  std::vector<Bytes> certificates = chain();
  certificates[1] = make_certificate(batch_, batch_key_, leaf_key_);
  EXPECT_EQ(outcome(certificates), "chain.bad-signature");
  certificates = chain();
  certificates[0] = make_certificate(leaf_, leaf_key_, leaf_key_);
  EXPECT_EQ(outcome(certificates), "chain.bad-signature");
  certificates = chain();
  std::swap(certificates[1], certificates[2]);
  EXPECT_EQ(outcome(certificates), "chain.issuer-mismatch");
  certificates = chain();
  certificates.erase(certificates.begin() + 1);
  EXPECT_EQ(outcome(certificates), "chain.issuer-mismatch");
  batch_.issuer = kRootName;
  EXPECT_EQ(outcome(), "chain.issuer-mismatch");
}

TEST_F(KeyAttestationTest, NamesOfTheLeafMayBePartial) {
  leaf_.issuer = {{"serialNumber", "fedcba9876543210"}};
  EXPECT_EQ(outcome(), "key-attestation.issuer-name: the leaf names its issuer only in part");
  leaf_.issuer = {{"title", "TEE"}, {"serialNumber", "0000000000000000"}};
  EXPECT_EQ(outcome(), "chain.issuer-mismatch");
  leaf_.issuer = {};
  EXPECT_EQ(outcome(), "chain.issuer-mismatch");
}

TEST_F(KeyAttestationTest, OnlyTheBatchCertificateMayBeNoCa) {
  batch_.ca = false;
  EXPECT_EQ(outcome(), "verified");
  batch_.ca.reset();
  EXPECT_EQ(outcome(), "verified");
  intermediate_.ca = false;
  EXPECT_EQ(outcome(), "chain.not-a-ca");
  intermediate_.ca.reset();
  EXPECT_EQ(outcome(), "chain.not-a-ca");
}

TEST_F(KeyAttestationTest, EachCertificateAboveTheBatchMayIssueTheOneBelow) {
  const auto constraints = [](std::string_view path_length) {
    Bytes out = to_bytes(as_bytes(std::string_view("\x30\x06\x01\x01\xff\x02\x01", 7)));
    append(out, as_bytes(path_length));
    return std::pair<std::string, Bytes>("2.5.29.19", out);
  };
  const auto usage = [](std::string_view bits) {
    return std::pair<std::string, Bytes>("2.5.29.15", to_bytes(as_bytes(bits)));
  };
  intermediate_.ca.reset();
  intermediate_.extensions = {constraints("\x01")};
  EXPECT_EQ(outcome(), "verified");
  intermediate_.extensions = {constraints(std::string_view("\x00", 1))};
  EXPECT_EQ(outcome(), "chain.path-too-long");

  intermediate_.ca = true;
  constexpr std::string_view kCertSign("\x03\x02\x02\x04", 4);
  constexpr std::string_view kSignatureAlone("\x03\x02\x07\x80", 4);
  constexpr std::string_view kNone("\x03\x01\x00", 3);
  intermediate_.extensions = {usage(kCertSign)};
  EXPECT_EQ(outcome(), "verified");
  for (const std::string_view bits : {kSignatureAlone, kNone, std::string_view("\x04\x01\x04")}) {
    intermediate_.extensions = {usage(bits)};
    EXPECT_EQ(outcome(), "chain.not-a-ca");
  }
  intermediate_.extensions = {};
  batch_.extensions = {usage(kSignatureAlone)};  // as many phones' are
  EXPECT_EQ(outcome(), "verified");
}

TEST_F(KeyAttestationTest, FactoryChainsDoNotExpireRemoteOnesDo) {
  request_.as_of = from_unix(1900000000);
  EXPECT_EQ(outcome(), "verified");
  request_.as_of = from_unix(1500000000);
  EXPECT_EQ(outcome(), "chain.not-yet-valid");
  const TestKey third_key;
  intermediate_.subject = {{"CN", "Droid CA2"}, {"O", "Google LLC"}};
  const CertificateSpec third{.subject = {{"CN", "Droid CA3"}, {"O", "Google LLC"}},
                              .issuer = intermediate_.subject};
  batch_.issuer = third.subject;
  batch_.subject = {{"O", "TEE"}, {"CN", "fedcba9876543210"}};
  leaf_.issuer = batch_.subject;
  const auto chain = [&] {
    return std::vector<Bytes>{make_certificate(leaf_, leaf_key_, batch_key_),
                              make_certificate(batch_, batch_key_, third_key),
                              make_certificate(third, third_key, intermediate_key_),
                              make_certificate(intermediate_, intermediate_key_, root_key_),
                              root()};
  };
  leaf_.not_after = from_unix(1600000000);  // of the leaf, nothing counts
  request_.as_of = from_unix(1700000000);
  EXPECT_EQ(outcome(chain()), "verified");
  EXPECT_EQ(verify(chain()).provisioning, Provisioning::kRemote);
  request_.as_of = from_unix(1900000000);
  EXPECT_EQ(outcome(chain()), "chain.expired");
  std::vector<Bytes> rootless = chain();
  rootless.pop_back();
  EXPECT_EQ(outcome(rootless), "chain.expired");
}

TEST_F(KeyAttestationTest, RevokedAndSuspendedSerialsAreRefused) {
  auto list = [](const std::string& entries) {
    return pki::RevocationList::parse(R"({"entries":{)" + entries + "}}").value();
  };
  pki::RevocationList none = list(R"("1234":{"status":"REVOKED","reason":"KEY_COMPROMISE"})");
  request_.revocation = &none;
  EXPECT_EQ(outcome(), "verified");
  pki::RevocationList batch = list(R"("abc":{"status":"REVOKED","reason":"KEY_COMPROMISE"})");
  request_.revocation = &batch;
  EXPECT_EQ(outcome(), "chain.revoked");
  pki::RevocationList padded = list(R"("0ABC":{"status":"REVOKED"})");
  request_.revocation = &padded;
  EXPECT_EQ(outcome(), "chain.revoked");
  pki::RevocationList suspended = list(R"("2a":{"status":"SUSPENDED"})");
  request_.revocation = &suspended;
  EXPECT_EQ(outcome(), "chain.suspended");
  pki::RevocationList leaf_and_root = list(R"("1":{"status":"REVOKED"})");
  request_.revocation = &leaf_and_root;
  EXPECT_EQ(outcome(), "chain.revoked");
  pki::RevocationList new_status = list(R"("2a":{"status":"QUARANTINED"})");
  request_.revocation = &new_status;
  EXPECT_EQ(outcome(), "chain.revoked");
}

TEST(RevocationList, IsRefusedWholeWhenAnEntryIsNotUnderstood) {
  for (const char* text :
       {"", "[]", "{}", R"({"entries":[]})", R"({"entries":{"xyz":{"status":"REVOKED"}}})",
        R"({"entries":{"12":{}}})", R"({"entries":{"12":"REVOKED"}})",
        R"({"entries":{"":{"status":"REVOKED"}}})"}) {
    auto list = pki::RevocationList::parse(text);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().id(), "revocation.malformed") << text;
  }
}

TEST_F(KeyAttestationTest, SizesAreBounded) {
  EXPECT_EQ(outcome({}), "chain.too-short");
  EXPECT_EQ(outcome({chain().front()}), "chain.too-short");
  std::vector<Bytes> certificates = chain();
  while (certificates.size() < pki::kMaxChainLength + 1) certificates.push_back(root());
  EXPECT_EQ(outcome(certificates), "chain.too-long");
  certificates = chain();
  certificates[1] = Bytes(pki::kMaxCertificateBytes + 1);
  EXPECT_EQ(outcome(certificates), "certificate.too-large");
  certificates[1] = to_bytes("not a certificate");
  EXPECT_EQ(outcome(certificates), "certificate.malformed");
  certificates[0] = to_bytes("not a certificate");
  EXPECT_EQ(outcome(certificates), "certificate.malformed");
}

TEST_F(KeyAttestationTest, MalformedProvisioningInfoIsAWarning) {
  batch_.extensions = {{"1.3.6.1.4.1.11129.2.1.30", number(1234567)}};
  EXPECT_EQ(outcome(),
            "key-attestation.provisioning-info: the provisioning extension is not a CBOR map");
  batch_.extensions = {{"1.3.6.1.4.1.11129.2.1.30", to_bytes("\xa1\x01\x18\x20")}};
  EXPECT_EQ(outcome(), "verified");
  EXPECT_EQ(verify(chain()).provisioning_info->find(1)->number, 32U);
}

TEST_F(KeyAttestationTest, OneVerifierServesManyThreads) {
  KeyAttestationVerifier verifier(pki::TrustRoots::parse(to_pem(root())).value(), 2);
  std::vector<std::vector<Bytes>> chains;
  for (long serial = 1; serial <= 4; ++serial) {  // more issuers than the cache holds
    batch_.serial = serial;
    chains.push_back(chain());
  }
  std::atomic<int> verified = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        if (verifier.verify(chains[static_cast<std::size_t>(i) % 4], request_).verified()) {
          ++verified;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(verified, 160);
}

TEST_F(KeyAttestationTest, JsonTellsTheWholeStory) {
  describe({.origin = 2});
  Json json = to_json(verify(chain()));
  EXPECT_EQ(json.at("verified"), false);
  EXPECT_EQ(json.at("reason"), "key-attestation.origin-not-generated");
  EXPECT_EQ(json.at("detail"), "the hardware-enforced origin of the key is IMPORTED");
  EXPECT_EQ(json.at("certificates").size(), 4U);
  EXPECT_EQ(json.at("certificates").at(1).at("serialNumber"), "abc");
  EXPECT_EQ(json.at("keyDescription").at("hardwareEnforced").at("origin"), "IMPORTED");
}

}  // namespace
}  // namespace touchmark::verifier::evidence
