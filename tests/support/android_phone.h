// A phone's Keystore for tests: makes attestation chains as a factory-provisioned phone does, under
// a root made here.
#pragma once

#include "formats/testing/der_writer.h"
#include "pki/testing/certificate_maker.h"

namespace touchmark::testing {

struct AndroidKeySpec {
  Bytes challenge{};
  std::string package = "com.example.app";
  std::vector<Bytes> signers{};   // SHA-256 of each signer certificate
  std::uint64_t level = 1;        // 1: TEE, 2: StrongBox
  std::uint8_t locked = 0xff;     // 0: unlocked
  std::uint64_t boot_state = 0;   // 0: verified, 1: self-signed, 2: unverified
  bool all_applications = false;  // the key is open to every app
  bool names_app = true;
};

class AndroidPhone {
 public:
  Bytes root() const { return make_certificate(root_, root_key_, root_key_); }
  long batch_serial() const { return batch_.serial; }

  // Leaf first, with its root.
  std::vector<Bytes> attest(const TestKey& key, const AndroidKeySpec& spec) const {
    CertificateSpec leaf{
        .subject = {{"CN", "Android Keystore Key"}}, .issuer = batch_.subject, .ca = std::nullopt};
    leaf.extensions = {{"1.3.6.1.4.1.11129.2.1.17", describe(spec)}};
    std::vector<Bytes> out{make_certificate(leaf, key, batch_key_)};
    if (third_) {
      out.push_back(make_certificate(batch_, batch_key_, third_key_));
      out.push_back(make_certificate(*third_, third_key_, intermediate_key_));
    } else {
      out.push_back(make_certificate(batch_, batch_key_, intermediate_key_));
    }
    out.push_back(make_certificate(intermediate_, intermediate_key_, root_key_));
    out.push_back(root());
    return out;
  }

  // The key's certificate ends at `end`, as a remotely provisioned one does.
  void provision_remotely(UnixTime end) {
    intermediate_.subject = {{"CN", "Droid CA2"}, {"O", "Google LLC"}};
    third_ = {.subject = {{"CN", "Droid CA3"}, {"O", "Google LLC"}},
              .issuer = intermediate_.subject};
    batch_.subject = {{"O", "TEE"}, {"CN", "f00d"}};
    batch_.issuer = third_->subject;
    batch_.not_after = end;
  }

 private:
  static Bytes describe(const AndroidKeySpec& spec) {
    Bytes signers;
    for (const Bytes& signer : spec.signers) append(signers, octets(signer));
    const Bytes app =
        sequence({set({sequence({octets(spec.package), number(7)})}), element(der::kSet, signers)});
    Bytes software;
    if (spec.all_applications) append(software, explicit_tag(600, null()));
    if (spec.names_app) append(software, explicit_tag(709, octets(app)));
    const Bytes root_of_trust =
        sequence({octets(Bytes(32, std::byte{0xb0})), boolean(spec.locked),
                  number(spec.boot_state, der::kEnumerated), octets(Bytes(32, std::byte{0xa5}))});
    const Bytes hardware =
        join({explicit_tag(702, number(0)), explicit_tag(704, root_of_trust),
              explicit_tag(705, number(140000)), explicit_tag(706, number(202601))});
    return sequence({number(300), number(spec.level, der::kEnumerated), number(300),
                     number(spec.level, der::kEnumerated), octets(spec.challenge), octets(""),
                     element(der::kSequence, software), element(der::kSequence, hardware)});
  }

  TestKey root_key_{"P-384"}, intermediate_key_, third_key_, batch_key_;
  std::optional<CertificateSpec> third_;  // of a phone that is provisioned remotely
  CertificateSpec root_{.subject = {{"CN", "Test Root"}}, .issuer = {{"CN", "Test Root"}}};
  CertificateSpec intermediate_{.subject = {{"serialNumber", "0123456789abcdef"}, {"title", "TEE"}},
                                .issuer = {{"CN", "Test Root"}},
                                .serial = 0x2a};
  CertificateSpec batch_{.subject = {{"title", "TEE"}, {"serialNumber", "fedcba9876543210"}},
                         .issuer = {{"serialNumber", "0123456789abcdef"}, {"title", "TEE"}},
                         .serial = 0xabc};
};

}  // namespace touchmark::testing
