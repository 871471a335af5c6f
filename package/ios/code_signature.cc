#include "package/ios/code_signature.h"

#include <openssl/evp.h>

#include <algorithm>
#include <set>

#include "base/endian.h"

namespace touchmark::package::ios {
namespace {

constexpr std::uint32_t kSuperBlob = 0xfade0cc0;
constexpr std::uint32_t kDirectoryBlob = 0xfade0c02;
constexpr std::uint32_t kCmsBlob = 0xfade0b01;
constexpr std::uint32_t kRequirementsBlob = 0xfade0c01;
constexpr std::uint32_t kEntitlementsBlob = 0xfade7171;
constexpr std::uint32_t kDerEntitlementsBlob = 0xfade7172;

constexpr std::uint32_t kDirectorySlot = 0;
constexpr std::uint32_t kFirstAlternate = 0x1000;
constexpr std::uint32_t kLastAlternate = 0x1004;
constexpr std::uint32_t kCmsSlot = 0x10000;

constexpr std::uint32_t kMaxBlobs = 64;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kDirectoryHeader = 44;
// Versions that added a field: where it starts needs the header to be that long.
constexpr std::uint32_t kWithTeam = 0x20200;
constexpr std::uint32_t kWithLimit64 = 0x20300;

tl::unexpected<Error> malformed(const char* what) {
  return fail(CodeSignatureError::kMalformed, what);
}
tl::unexpected<Error> bad_directory(const char* what) {
  return fail(CodeSignatureError::kBadDirectory, what);
}

std::size_t digest_size(CodeHash hash) {
  switch (hash) {
    case CodeHash::kSha1:
    case CodeHash::kSha256Truncated:
      return 20;
    case CodeHash::kSha256:
      return 32;
    case CodeHash::kSha384:
      return 48;
  }
  return 0;
}

// A text of the directory, which ends with a zero.
Result<std::string> text_at(ByteView blob, std::size_t offset) {
  if (offset >= blob.size()) return bad_directory("a text outside the directory");
  const std::string_view rest = as_text(blob.subspan(offset));
  const std::size_t end = rest.find('\0');
  if (end == rest.npos) return bad_directory("a text that does not end");
  if (end > kMaxText) return bad_directory("a text over 4,096 bytes");
  return std::string(rest.substr(0, end));
}

Result<void> read_layout(CodeDirectory& out) {
  const ByteView blob = out.blob;
  const std::uint32_t version = be32(blob, 8);
  out.code_limit = be32(blob, 32);
  const unsigned page_shift = std::to_integer<unsigned>(blob[39]);
  if (version >= kWithLimit64) {
    if (blob.size() < 64) return bad_directory("too short for its version");
    if (const std::uint64_t limit = be64(blob, 56)) out.code_limit = limit;
  }
  // Scattered directories hash pieces of the file in another order; no iOS app has one.
  if (blob.size() >= 48 && version >= 0x20100 && be32(blob, 44) != 0) {
    return bad_directory("a scattered directory");
  }
  if (page_shift < 12 || page_shift > 16) return bad_directory("pages of an unusual size");
  out.page_size = std::uint64_t{1} << page_shift;
  const std::uint64_t pages = (out.code_limit + out.page_size - 1) / out.page_size;
  if (out.code_slots != pages) return bad_directory("not one hash for each page");
  const std::uint64_t before = std::uint64_t{out.special_slots} * out.hash_size;
  const std::uint64_t after = std::uint64_t{out.code_slots} * out.hash_size;
  if (out.hash_offset > blob.size() || before > out.hash_offset ||
      after > blob.size() - out.hash_offset) {
    return bad_directory("hashes outside the directory");
  }
  return {};
}

Result<CodeDirectory> parse_directory(ByteView blob) {
  if (blob.size() < kDirectoryHeader || be32(blob, 0) != kDirectoryBlob) {
    return malformed("not a code directory");
  }
  CodeDirectory out;
  out.blob = blob;
  out.flags = be32(blob, 12);
  out.hash_offset = be32(blob, 16);
  out.special_slots = be32(blob, 24);
  out.code_slots = be32(blob, 28);
  out.hash_size = std::to_integer<std::size_t>(blob[36]);
  out.hash = static_cast<CodeHash>(blob[37]);
  if (digest_size(out.hash) == 0 || digest_size(out.hash) != out.hash_size) {
    return fail(CodeSignatureError::kUnknownHash,
                "hash type " + std::to_string(std::to_integer<unsigned>(blob[37])));
  }
  if (auto ok = read_layout(out); !ok) return pass(ok);
  auto identifier = text_at(blob, be32(blob, 20));
  if (!identifier) return pass(identifier);
  out.identifier = *std::move(identifier);
  if (be32(blob, 8) >= kWithTeam && blob.size() >= 52 && be32(blob, 48) != 0) {
    auto team = text_at(blob, be32(blob, 48));
    if (!team) return pass(team);
    out.team = *std::move(team);
  }
  return out;
}

bool is_directory_slot(std::uint32_t slot) {
  return slot == kDirectorySlot || (slot >= kFirstAlternate && slot <= kLastAlternate);
}

// The whole blob when it is of this type.
Result<void> take_blob(ByteView blob, std::uint32_t magic, ByteView& out) {
  if (be32(blob, 0) != magic) return malformed("a blob of another type than its slot");
  out = blob;
  return {};
}

Result<void> add_blob(std::uint32_t slot, ByteView blob, CodeSignature& out) {
  if (is_directory_slot(slot)) {
    auto directory = parse_directory(blob);
    if (!directory) return pass(directory);
    // The signed one first, whatever the order of the index.
    const auto at = slot == kDirectorySlot ? out.directories.begin() : out.directories.end();
    out.directories.insert(at, *std::move(directory));
    return {};
  }
  switch (slot) {
    case kCmsSlot:
      if (be32(blob, 0) != kCmsBlob) return malformed("a blob of another type than its slot");
      out.cms = blob.subspan(8);
      return {};
    case kRequirementsSlot:
      return take_blob(blob, kRequirementsBlob, out.requirements);
    case kEntitlementsSlot:
      return take_blob(blob, kEntitlementsBlob, out.entitlements);
    case kDerEntitlementsSlot:
      return take_blob(blob, kDerEntitlementsBlob, out.der_entitlements);
    default:
      return {};  // launch constraints and what may come
  }
}

bool is_strong(const CodeDirectory& directory) {
  return directory.hash == CodeHash::kSha256 || directory.hash == CodeHash::kSha384;
}

Result<void> check_directories(const CodeSignature& signature, bool has_primary) {
  if (!has_primary) return fail(CodeSignatureError::kNoDirectory, "no code directory");
  if (std::ranges::none_of(signature.directories, is_strong)) {
    return fail(CodeSignatureError::kNoStrongDirectory, "no code directory with SHA-256");
  }
  const CodeDirectory& first = signature.directories.front();
  std::set<CodeHash> hashes;
  for (const CodeDirectory& other : signature.directories) {
    if (!hashes.insert(other.hash).second) {
      return fail(CodeSignatureError::kDuplicateSlot, "two code directories with one hash");
    }
    if (other.identifier != first.identifier || other.team != first.team) {
      return fail(CodeSignatureError::kDirectoriesDiffer,
                  first.identifier + ", " + other.identifier);
    }
  }
  return {};
}

}  // namespace

std::string_view error_id(CodeSignatureError error) {
  using enum CodeSignatureError;
  static constexpr auto kIds = error_table<CodeSignatureError>({
      {kMalformed, "codesign.malformed"},
      {kDuplicateSlot, "codesign.duplicate-slot"},
      {kNoDirectory, "codesign.no-directory"},
      {kNoStrongDirectory, "codesign.no-strong-directory"},
      {kBadDirectory, "codesign.bad-directory"},
      {kUnknownHash, "codesign.unknown-hash"},
      {kDirectoriesDiffer, "codesign.directories-differ"},
      {kCodeLimit, "codesign.code-limit"},
      {kPageMismatch, "codesign.page-mismatch"},
      {kSlotMismatch, "codesign.slot-mismatch"},
      {kSlotMissing, "codesign.slot-missing"},
      {kNoCms, "codesign.no-cms"},
  });
  return kIds[error];
}

Result<CodeSignature> parse_code_signature(ByteView super_blob) {
  if (super_blob.size() < 12 || be32(super_blob, 0) != kSuperBlob) {
    return malformed("not a code signature");
  }
  const std::size_t size = be32(super_blob, 4);
  const std::uint32_t count = be32(super_blob, 8);
  if (size > super_blob.size() || count > kMaxBlobs || 12 + std::size_t{8} * count > size) {
    return malformed("an index that does not fit");
  }
  const ByteView all = super_blob.first(size);  // padding may follow
  CodeSignature signature;
  std::set<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t slot = be32(all, 12 + std::size_t{8} * i);
    const std::size_t offset = be32(all, 16 + std::size_t{8} * i);
    if (offset > size || size - offset < 8) return malformed("a blob outside the signature");
    const std::size_t length = be32(all, offset + 4);
    if (length < 8 || length > size - offset) return malformed("a blob outside the signature");
    if (!slots.insert(slot).second) {
      return fail(CodeSignatureError::kDuplicateSlot, "slot " + std::to_string(slot));
    }
    if (auto ok = add_blob(slot, all.subspan(offset, length), signature); !ok) return pass(ok);
  }
  if (auto ok = check_directories(signature, slots.contains(kDirectorySlot)); !ok) return pass(ok);
  return signature;
}

ByteView CodeDirectory::code_hash(std::uint32_t page) const {
  return blob.subspan(hash_offset + std::size_t{page} * hash_size, hash_size);
}

ByteView CodeDirectory::special_hash(std::uint32_t slot) const {
  if (slot == 0 || slot > special_slots) return {};
  const ByteView hash = blob.subspan(hash_offset - std::size_t{slot} * hash_size, hash_size);
  const bool zeros = std::ranges::all_of(hash, [](std::byte b) { return b == std::byte{0}; });
  return zeros ? ByteView() : hash;
}

Bytes CodeDirectory::cdhash() const {
  Bytes digest = code_digest(hash, blob);
  digest.resize(20);
  return digest;
}

const CodeDirectory& CodeSignature::strongest() const {
  return *std::ranges::max_element(directories, {}, [](const CodeDirectory& directory) {
    return is_strong(directory) ? directory.hash_size : 0;
  });
}

Bytes code_digest(CodeHash hash, ByteView data) {
  const EVP_MD* md = hash == CodeHash::kSha1     ? EVP_sha1()
                     : hash == CodeHash::kSha384 ? EVP_sha384()
                                                 : EVP_sha256();
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), uchars(std::span(digest)), &size, md, nullptr);
  digest.resize(digest_size(hash));
  return digest;
}

const Bytes& SlotContent::digest(CodeHash hash) {
  const auto [at, fresh] = digests_.try_emplace(hash);
  if (fresh) at->second = code_digest(hash, content_);
  return at->second;
}

Result<void> check_slot(const CodeSignature& signature, std::uint32_t slot, SlotContent* content) {
  for (const CodeDirectory& directory : signature.directories) {
    const ByteView expected = directory.special_hash(slot);
    if (expected.empty() != (content == nullptr)) {
      return fail(CodeSignatureError::kSlotMissing, "special slot " + std::to_string(slot));
    }
    if (content != nullptr && !std::ranges::equal(content->digest(directory.hash), expected)) {
      return fail(CodeSignatureError::kSlotMismatch, "special slot " + std::to_string(slot));
    }
  }
  return {};
}

Result<void> check_blob_slots(const CodeSignature& signature) {
  const std::pair<std::uint32_t, ByteView> blobs[] = {
      {kRequirementsSlot, signature.requirements},
      {kEntitlementsSlot, signature.entitlements},
      {kDerEntitlementsSlot, signature.der_entitlements}};
  for (const auto& [slot, blob] : blobs) {
    SlotContent content(blob);
    if (auto ok = check_slot(signature, slot, blob.empty() ? nullptr : &content); !ok) return ok;
  }
  return {};
}

}  // namespace touchmark::package::ios
