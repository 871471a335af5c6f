#include "package/android/signature/scheme_v4.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>

#include "base/encoding.h"
#include "base/parallel.h"
#include "package/android/signature/block_algorithm.h"
#include "package/android/signature/byte_reader.h"
#include "package/android/signature/error.h"
#include "package/android/signature/merkle_tree.h"

namespace touchmark::package::signature {
namespace {

constexpr std::uint32_t kV4Version = 2;
constexpr std::uint32_t kHashSha256 = 1;
constexpr std::byte kLog2PageBytes{12};
constexpr std::uint64_t kMaxInfoBytes = 64 << 10;  // the kernel takes 7 KiB

struct HashingInfo {
  ByteView encoded;  // as signed
  ByteView root;
};

struct SigningInfo {
  ByteView apk_digest;
  ByteView certificate;
  ByteView additional_data;
  ByteView public_key;
  std::uint32_t algorithm;
  ByteView signature;
};

tl::unexpected<Error> malformed_v4(const char* what) {
  return fail(SignatureError::kV4Malformed, std::string("v4 file: ") + what);
}

// Reads the next block that a uint32 counts, and moves `offset` behind it.
Result<Bytes> read_block(const Source& file, std::uint64_t& offset) {
  std::array<std::byte, 4> head{};
  if (offset + head.size() > file.size()) return malformed_v4("it is cut off");
  if (auto r = file.read_at(offset, head); !r) return pass(r);
  const std::uint32_t size = *ByteReader(head).u32();
  offset += head.size();
  if (size > kMaxInfoBytes || size > file.size() - offset)
    return malformed_v4("a size does not fit");
  Bytes block(size);
  if (auto r = file.read_at(offset, block); !r) return pass(r);
  offset += size;
  return block;
}

Result<HashingInfo> parse_hashing_info(ByteView bytes) {
  ByteReader fields(bytes);
  const auto algorithm = fields.u32();
  const auto log2_page = fields.take(1);
  const auto salt = fields.prefixed();
  const auto root = fields.prefixed();
  if (!algorithm || !log2_page || !salt || !root) return malformed_v4("hashing info is cut off");
  if (*algorithm != kHashSha256 || log2_page->front() != kLog2PageBytes || !salt->empty()) {
    return fail(SignatureError::kV4UnsupportedHash,
                "v4 file: not SHA-256 over pages of 4096 bytes without salt");
  }
  return HashingInfo{bytes.first(bytes.size() - fields.remaining()), *root};
}

std::optional<SigningInfo> parse_signing_info(ByteReader& fields) {
  const auto apk_digest = fields.prefixed();
  const auto certificate = fields.prefixed();
  const auto additional_data = fields.prefixed();
  const auto public_key = fields.prefixed();
  const auto algorithm = fields.u32();
  const auto signature = fields.prefixed();
  if (!apk_digest || !certificate || !additional_data || !public_key || !algorithm || !signature) {
    return std::nullopt;
  }
  return SigningInfo{*apk_digest, *certificate, *additional_data,
                     *public_key, *algorithm,   *signature};
}

// The first signer, then blocks of an id and a further signer each.
Result<std::vector<SigningInfo>> parse_signing_infos(ByteView bytes) {
  ByteReader fields(bytes);
  const auto first = parse_signing_info(fields);
  if (!first) return malformed_v4("signing info is cut off");
  std::vector<SigningInfo> infos{*first};
  while (!fields.empty()) {
    const auto id = fields.u32();
    const auto block = fields.prefixed();
    if (!id || !block) return malformed_v4("a further signer is cut off");
    ByteReader inner(*block);
    const auto info = parse_signing_info(inner);
    if (!info) return malformed_v4("a further signer is cut off");
    infos.push_back(*info);
  }
  return infos;
}

void append_number(Bytes& out, std::uint64_t value, int bits) {
  for (int shift = 0; shift < bits; shift += 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

void append_prefixed(Bytes& out, ByteView value) {
  append_number(out, value.size(), 32);
  append(out, value);
}

// What a v4 signature is over: its own size, the package's, and all but key and signature.
Bytes signed_data(std::uint64_t package_size, const HashingInfo& hashing, const SigningInfo& info) {
  Bytes body;
  append_number(body, package_size, 64);
  append(body, hashing.encoded);
  append_prefixed(body, info.apk_digest);
  append_prefixed(body, info.certificate);
  append_prefixed(body, info.additional_data);
  Bytes data;
  append_number(data, 4 + body.size(), 32);
  append(data, body);
  return data;
}

Result<V4Signer> verify_signer(const SigningInfo& info, ByteView data) {
  const BlockAlgorithm* algorithm = find_block_algorithm(info.algorithm);
  if (algorithm == nullptr) {
    return fail(SignatureError::kV4UnknownAlgorithm,
                "v4 file: signature algorithm " + std::to_string(info.algorithm));
  }
  const auto key = pki::PublicKey::from_spki(info.public_key, pki::KeyPolicy::kPlatform);
  if (!key || key->type() != algorithm->scheme.key_type) {
    return fail(SignatureError::kV4MalformedPublicKey,
                "v4 file: the public key is not one for its signature");
  }
  switch (key->check(algorithm->scheme, data, info.signature)) {
    case pki::SignatureCheck::kGood:
      break;
    case pki::SignatureCheck::kBad:
      return fail(SignatureError::kV4BadSignature, "v4 file: the signature does not verify");
    case pki::SignatureCheck::kUnusable:
      return fail(SignatureError::kV4UnusableSignature,
                  "v4 file: a signature that its key cannot have made");
  }
  auto certificate = read_signer_certificate(info.certificate);
  if (!certificate) {
    return fail(SignatureError::kV4MalformedCertificate, "v4 file: not an X.509 certificate");
  }
  if (!std::ranges::equal(certificate->public_key_der, info.public_key)) {
    return fail(SignatureError::kV4PublicKeyMismatch,
                "v4 file: its certificate is for another key than the one that signed");
  }
  return V4Signer{*std::move(certificate), to_bytes(info.apk_digest)};
}

// `tree_offset` is where the file's own copy of the tree starts, which may be left out.
Result<void> verify_tree(const Source& package, const Source& file,
                         std::optional<std::uint64_t> tree_offset, ByteView expected_root) {
  std::atomic<bool> same_tree = true;
  MerkleTree tree{.size = package.size(),
                  .read = [&](std::uint64_t offset,
                              std::span<std::byte> out) { return package.read_at(offset, out); },
                  .salt = {},
                  .threads = worker_threads(),
                  .visit = {}};
  if (tree_offset) {
    same_tree = file.size() - *tree_offset == merkle_tree_bytes(package.size());
    tree.visit = [&](std::uint64_t offset, ByteView pages) -> Result<void> {
      if (!same_tree) return {};
      Bytes stored(pages.size());
      if (auto r = file.read_at(*tree_offset + offset, stored); !r) return pass(r);
      if (!std::ranges::equal(stored, pages)) same_tree = false;
      return {};
    };
  }
  const auto root = merkle_root(tree);
  if (!root) return pass(root);
  if (!std::ranges::equal(*root, expected_root)) {
    return fail(SignatureError::kV4RootMismatch, "v4 file: made for another package: root " +
                                                     hex_encode(expected_root) + ", here " +
                                                     hex_encode(*root));
  }
  if (!same_tree) {
    return fail(SignatureError::kV4TreeMismatch, "v4 file: its tree is not that of the package");
  }
  return {};
}

// The tree follows behind its size. Nothing when the file ends without it.
Result<std::optional<std::uint64_t>> find_tree(const Source& file, std::uint64_t offset) {
  if (offset == file.size()) return std::nullopt;
  std::array<std::byte, 4> head{};
  if (file.size() - offset < head.size()) return malformed_v4("its tree is cut off");
  if (auto r = file.read_at(offset, head); !r) return pass(r);
  const std::uint64_t start = offset + head.size();
  if (*ByteReader(head).u32() != file.size() - start) return malformed_v4("its tree is cut off");
  return start;
}

}  // namespace

Result<std::vector<V4Signer>> verify_v4(const Source& package, const Source& signature_file) {
  std::uint64_t offset = 0;
  std::array<std::byte, 4> version{};
  if (signature_file.size() < version.size()) return malformed_v4("it is cut off");
  if (auto r = signature_file.read_at(offset, version); !r) return pass(r);
  offset += version.size();
  if (*ByteReader(version).u32() != kV4Version) {
    return fail(SignatureError::kV4UnsupportedVersion,
                "v4 file: version " + std::to_string(*ByteReader(version).u32()));
  }
  const auto hashing_bytes = read_block(signature_file, offset);
  if (!hashing_bytes) return pass(hashing_bytes);
  const auto signing_bytes = read_block(signature_file, offset);
  if (!signing_bytes) return pass(signing_bytes);
  const auto hashing = parse_hashing_info(*hashing_bytes);
  if (!hashing) return pass(hashing);
  const auto infos = parse_signing_infos(*signing_bytes);
  if (!infos) return pass(infos);
  std::vector<V4Signer> signers;
  for (const SigningInfo& info : *infos) {
    auto signer = verify_signer(info, signed_data(package.size(), *hashing, info));
    if (!signer) return pass(signer);
    signers.push_back(*std::move(signer));
  }
  const auto tree_offset = find_tree(signature_file, offset);
  if (!tree_offset) return pass(tree_offset);
  if (auto r = verify_tree(package, signature_file, *tree_offset, hashing->root); !r) {
    return pass(r);
  }
  return signers;
}

ByteView digest_for_v4(const BlockSigner& signer) {
  using enum ContentDigest;
  for (const ContentDigest wanted : {kChunkedSha512, kVeritySha256, kChunkedSha256}) {
    // Of several of the same kind the last one stands, as on the platform.
    for (auto record = signer.digests.rbegin(); record != signer.digests.rend(); ++record) {
      const BlockAlgorithm* algorithm = find_block_algorithm(record->algorithm);
      if (algorithm != nullptr && algorithm->content_digest == wanted) return record->value;
    }
  }
  return {};
}

}  // namespace touchmark::package::signature
