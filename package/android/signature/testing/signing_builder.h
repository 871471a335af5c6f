// Signs packages for tests with APK Signature Scheme v2, v3 and v4, correctly or with a lie in any
// field.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "formats/testing/zip_builder.h"
#include "package/android/manifest.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/signature.h"
#include "pki/testing/certificate_maker.h"

namespace touchmark::package::testing {

// Little-endian records.
Bytes u32_bytes(std::uint64_t value);
Bytes concat(std::initializer_list<Bytes> parts);
Bytes prefixed(const Bytes& content);  // a uint32 that counts, then the content
Bytes attribute(std::uint32_t id, const Bytes& value);

// Who signs: a key, its certificate, and the algorithm of the signing block it signs with.
struct Identity {
  touchmark::testing::TestKey key;
  std::uint32_t algorithm;
  Bytes certificate;
  Bytes public_key() const;  // DER SubjectPublicKeyInfo
  // By any of the algorithms that fit the key; 0: `algorithm`.
  Bytes sign(ByteView data, std::uint32_t with = 0) const;
};
// Made once; two with different numbers differ.
const Identity& ec_identity(int number = 0);   // ECDSA with SHA-256, 0x0201
const Identity& rsa_identity(int number = 0);  // 1024 bits, RSA with SHA-256, 0x0103

// A package without a signing block, and the content digests that signers of it sign.
class Unsigned {
 public:
  explicit Unsigned(ZipFile zip);
  const ZipFile& zip() const { return zip_; }
  Bytes content_digest(std::uint32_t algorithm) const;
  // With a signing block of these entries; `zip` may lie.
  Bytes with_block(const std::vector<std::pair<std::uint32_t, Bytes>>& entries) const;

 private:
  ZipFile zip_;
  Bytes bytes_;
};
// A manifest, code and a resource; nothing of v1.
Unsigned plain_package();
// The entries of an APK Signing Block with its frame.
Bytes signing_block(const std::vector<std::pair<std::uint32_t, Bytes>>& entries);

struct SignerSpec {
  const Identity* by = &ec_identity();
  std::optional<signature::SdkRange> sdk{};         // v3: the levels beside the signed data
  std::optional<signature::SdkRange> signed_sdk{};  // v3: those in it; as `sdk` when absent
  std::vector<std::uint32_t> algorithms{by->algorithm};
  std::optional<std::vector<std::uint32_t>> digest_algorithms{};
  std::optional<Bytes> digest{};  // instead of the true one
  std::optional<Bytes> public_key{};
  std::optional<std::vector<Bytes>> certificates{};
  Bytes attributes{};  // of attribute()
  std::function<void(Bytes&)> edit_signed_data{};
  std::function<void(Bytes&)> edit_signature{};
  // Instead of the encoded lists.
  std::optional<Bytes> raw_digests{};
  std::optional<Bytes> raw_signatures{};
};
// A v2 signer, or a v3 signer when `sdk` is given.
Bytes encode_signer(const SignerSpec& spec, const Unsigned& package);
// The value of a v2 or v3 entry.
Bytes signers_value(const std::vector<Bytes>& signers);

struct LineageNode {
  const Identity* identity;
  std::uint32_t capabilities = 23;
  std::optional<Bytes> signature{};  // instead of the parent's
  std::optional<std::uint32_t> child_algorithm{};
  std::optional<std::uint32_t> parent_algorithm{};
};
// The value of a proof-of-rotation attribute.
Bytes encode_lineage(const std::vector<LineageNode>& nodes, std::uint32_t version = 1);

// "verified", or the id of the refusal.
std::string verdict(const Bytes& package, const signature::SignatureOptions& options = {},
                    const signature::ManifestFacts& manifest = {});
Result<signature::SignatureReport> report(const Bytes& package,
                                          const signature::SignatureOptions& options = {},
                                          const signature::ManifestFacts& manifest = {});

}  // namespace touchmark::package::testing
