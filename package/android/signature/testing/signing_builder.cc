#include "package/android/signature/testing/signing_builder.h"

#include <map>

#include "crypto/openssl.h"
#include "package/android/signature/block_algorithm.h"
#include "package/android/signature/content_digest.h"
#include "package/package.h"

namespace touchmark::package::testing {
namespace {

using touchmark::testing::TestKey;

Bytes u64_bytes(std::uint64_t value) { return concat({u32_bytes(value), u32_bytes(value >> 32)}); }

Identity make_identity(TestKey key, std::uint32_t algorithm, int number) {
  touchmark::testing::CertificateSpec spec;
  spec.subject = spec.issuer = {{"CN", "signer " + std::to_string(number)}};
  spec.serial = 1000 + number;
  Bytes certificate = make_certificate(spec, key, key);
  return {std::move(key), algorithm, std::move(certificate)};
}

template <class Make>
const Identity& cached(int number, const Make& make) {
  static std::map<int, Identity> made;
  const auto found = made.find(number);
  return found != made.end() ? found->second : made.emplace(number, make()).first->second;
}

Bytes sdk_bytes(const signature::SdkRange& sdk) {
  return concat({u32_bytes(static_cast<std::uint64_t>(sdk.min)),
                 u32_bytes(static_cast<std::uint64_t>(sdk.max))});
}

// The length-prefixed pairs of an algorithm and bytes, as in digests and signatures.
Bytes algorithm_record(std::uint32_t algorithm, const Bytes& value) {
  return prefixed(concat({u32_bytes(algorithm), prefixed(value)}));
}

Bytes encode_digests(const SignerSpec& spec, const Unsigned& package) {
  Bytes digests;
  for (const std::uint32_t id : spec.digest_algorithms.value_or(spec.algorithms)) {
    append(digests, algorithm_record(id, spec.digest.value_or(package.content_digest(id))));
  }
  return spec.raw_digests.value_or(digests);
}

Bytes encode_signed_data(const SignerSpec& spec, const Unsigned& package) {
  Bytes certificates;
  for (const Bytes& der : spec.certificates.value_or(std::vector<Bytes>{spec.by->certificate})) {
    append(certificates, prefixed(der));
  }
  Bytes data = concat({prefixed(encode_digests(spec, package)), prefixed(certificates)});
  if (spec.sdk) append(data, sdk_bytes(spec.signed_sdk.value_or(*spec.sdk)));
  append(data, prefixed(spec.attributes));
  if (spec.edit_signed_data) spec.edit_signed_data(data);
  return data;
}

}  // namespace

Bytes u32_bytes(std::uint64_t value) {
  Bytes out;
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
  return out;
}

Bytes concat(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

Bytes prefixed(const Bytes& content) { return concat({u32_bytes(content.size()), content}); }

Bytes attribute(std::uint32_t id, const Bytes& value) {
  return prefixed(concat({u32_bytes(id), value}));
}

Bytes Identity::public_key() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  openssl::require(size > 0, "public key");
  Bytes out = to_bytes(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return out;
}

Bytes Identity::sign(ByteView data, std::uint32_t with) const {
  const signature::BlockAlgorithm* algorithm =
      signature::find_block_algorithm(with == 0 ? this->algorithm : with);
  const char* digest = crypto::digest_name(algorithm == nullptr ? crypto::DigestAlgorithm::kSha256
                                                                : algorithm->scheme.digest);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  openssl::require(EVP_DigestSignInit_ex(context.get(), &options, digest, nullptr, nullptr,
                                         key.get(), nullptr) == 1,
                   "signing");
  if (algorithm != nullptr && algorithm->scheme.padding == pki::RsaPadding::kPss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, uchars(data), data.size());
  Bytes signature(size);
  openssl::require(EVP_DigestSign(context.get(), uchars(std::span(signature)), &size, uchars(data),
                                  data.size()) == 1,
                   "signature");
  signature.resize(size);
  return signature;
}

const Identity& ec_identity(int number) {
  return cached(number, [number] { return make_identity(TestKey(), 0x0201, number); });
}

const Identity& rsa_identity(int number) {
  return cached(1000 + number,
                [number] { return make_identity(TestKey::rsa(1024), 0x0103, 1000 + number); });
}

Unsigned::Unsigned(ZipFile zip) : zip_(std::move(zip)), bytes_(to_bytes(zip_.build())) {}

Bytes Unsigned::content_digest(std::uint32_t algorithm) const {
  const signature::BlockAlgorithm* known = signature::find_block_algorithm(algorithm);
  if (known == nullptr) return Bytes(32);
  const auto source = from_memory(bytes_);
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return {};
  const zip::ZipSections& sections = archive->sections();
  signature::ContentDigester digester(
      *source, {sections.central_directory_offset, sections.central_directory_offset,
                sections.end_record_offset, sections.end_record});
  if (!digester.compute({known->content_digest})) return {};
  return digester.get(known->content_digest);
}

Bytes Unsigned::with_block(const std::vector<std::pair<std::uint32_t, Bytes>>& entries) const {
  ZipFile with_block = zip_;
  with_block.before_directory = touchmark::to_string(signing_block(entries));
  return to_bytes(with_block.build());
}

Unsigned plain_package() {
  return Unsigned({.entries = {stored("AndroidManifest.xml", "manifest"),
                               deflated("classes.dex", std::string(3000, 'd')),
                               stored("res/raw/a", "resource")}});
}

Bytes signing_block(const std::vector<std::pair<std::uint32_t, Bytes>>& entries) {
  Bytes body;
  for (const auto& [id, value] : entries) {
    append(body, concat({u64_bytes(4 + value.size()), u32_bytes(id), value}));
  }
  const Bytes size = u64_bytes(body.size() + 24);
  return concat({size, body, size, to_bytes("APK Sig Block 42")});
}

Bytes encode_signer(const SignerSpec& spec, const Unsigned& package) {
  const Bytes data = encode_signed_data(spec, package);
  Bytes signatures;
  for (const std::uint32_t id : spec.algorithms) {
    Bytes signature = spec.by->sign(data, id);
    if (spec.edit_signature) spec.edit_signature(signature);
    append(signatures, algorithm_record(id, signature));
  }
  Bytes signer = prefixed(data);
  if (spec.sdk) append(signer, sdk_bytes(*spec.sdk));
  append(signer, prefixed(spec.raw_signatures.value_or(signatures)));
  append(signer, prefixed(spec.public_key.value_or(spec.by->public_key())));
  return signer;
}

Bytes signers_value(const std::vector<Bytes>& signers) {
  Bytes all;
  for (const Bytes& signer : signers) append(all, prefixed(signer));
  return prefixed(all);
}

Bytes encode_lineage(const std::vector<LineageNode>& nodes, std::uint32_t version) {
  Bytes out = u32_bytes(version);
  const LineageNode* parent = nullptr;
  for (const LineageNode& node : nodes) {
    const std::uint32_t parent_algorithm = parent == nullptr ? 0 : parent->identity->algorithm;
    const Bytes data = concat({prefixed(node.identity->certificate),
                               u32_bytes(node.parent_algorithm.value_or(parent_algorithm))});
    const Bytes signature =
        node.signature.value_or(parent == nullptr ? Bytes() : parent->identity->sign(data));
    append(out, prefixed(concat({prefixed(data), u32_bytes(node.capabilities),
                                 u32_bytes(node.child_algorithm.value_or(node.identity->algorithm)),
                                 prefixed(signature)})));
    parent = &node;
  }
  return out;
}

Result<signature::SignatureReport> report(const Bytes& package,
                                          const signature::SignatureOptions& options,
                                          const signature::ManifestFacts& manifest) {
  const auto source = from_memory(package);
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return pass(archive);
  return signature::verify_signatures(*archive, manifest, options);
}

std::string verdict(const Bytes& package, const signature::SignatureOptions& options,
                    const signature::ManifestFacts& manifest) {
  const auto verified = report(package, options, manifest);
  return verified ? "verified" : verified.error().id();
}

}  // namespace touchmark::package::testing
