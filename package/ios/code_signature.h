// The code signature at the end of a Mach-O image: a "super blob" with code directories (hashes of
// the image's pages and of files beside it), requirements, entitlements and a CMS signature over
// the first code directory. Structures: <Kernel/kern/cs_blobs.h> of Apple's xnu.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::ios {

enum class CodeSignatureError {
  kMalformed,          // a blob that leaves its container, or of another type than announced
  kDuplicateSlot,      // two blobs for one purpose, or two code directories with one hash
  kNoDirectory,        // no code directory
  kNoStrongDirectory,  // none with SHA-256 or SHA-384
  kBadDirectory,       // hashes, texts or limits that do not fit
  kUnknownHash,
  kDirectoriesDiffer,  // two code directories with different identifiers or teams
  kCodeLimit,          // not the whole image up to the signature is hashed
  kPageMismatch,       // a page of the image is not the one that was signed
  kSlotMismatch,       // a file or blob beside the code is not the one that was signed
  kSlotMissing,        // signed, not there; or there, not signed
  kNoCms,              // ad-hoc: nobody signed the directory
};
std::string_view error_id(CodeSignatureError error);

enum class CodeHash : std::uint8_t { kSha1 = 1, kSha256 = 2, kSha256Truncated = 3, kSha384 = 4 };

// Special slots: what the directory hashes besides code.
enum CodeSlot : std::uint32_t {
  kInfoSlot = 1,             // Info.plist
  kRequirementsSlot = 2,     // blob
  kResourcesSlot = 3,        // _CodeSignature/CodeResources
  kEntitlementsSlot = 5,     // blob, XML
  kDerEntitlementsSlot = 7,  // blob
};

struct CodeDirectory {
  ByteView blob;
  CodeHash hash = CodeHash::kSha256;
  std::uint32_t flags = 0;
  std::string identifier;
  std::string team;  // empty when there is none
  std::uint64_t code_limit = 0;
  std::uint64_t page_size = 0;  // bytes
  std::size_t hash_size = 0;
  std::uint32_t code_slots = 0;
  std::uint32_t special_slots = 0;
  std::size_t hash_offset = 0;  // of code slot 0 in the blob

  ByteView code_hash(std::uint32_t page) const;
  // Empty when the slot does not exist or is all zeros, which stands for "nothing there".
  ByteView special_hash(std::uint32_t slot) const;
  // The hash that names this directory, cut to 20 bytes as everybody does.
  Bytes cdhash() const;
};

// A view of the super blob.
struct CodeSignature {
  // The first is the one that is signed; each with another hash.
  std::vector<CodeDirectory> directories;
  ByteView cms;  // DER, empty when ad-hoc
  // Blobs as they are hashed, with their headers; empty when absent.
  ByteView requirements;
  ByteView entitlements;
  ByteView der_entitlements;

  // SHA-256 or better.
  const CodeDirectory& strongest() const;
};

// `super_blob` must outlive the result.
Result<CodeSignature> parse_code_signature(ByteView super_blob);

// The digest of `data` with the directory's algorithm and length.
Bytes code_digest(CodeHash hash, ByteView data);
// What is at hand for a special slot, of which each digest is computed once, for however many
// directories and slices. A view.
class SlotContent {
 public:
  explicit SlotContent(ByteView content) : content_(content) {}
  const Bytes& digest(CodeHash hash);

 private:
  ByteView content_;
  std::map<CodeHash, Bytes> digests_;
};
// Compares it with every directory; nullptr when there is nothing.
Result<void> check_slot(const CodeSignature& signature, std::uint32_t slot, SlotContent* content);
// The blobs inside the signature itself.
Result<void> check_blob_slots(const CodeSignature& signature);

// Compares the pages of an image with every directory, fed with the image's bytes in order.
class PageChecker {
 public:
  explicit PageChecker(const CodeSignature& signature);
  // Bytes past the code limit are ignored.
  Result<void> update(ByteView piece);
  // Fails when bytes or pages are missing.
  Result<void> finish();

 private:
  struct Progress {
    const CodeDirectory* directory = nullptr;
    std::uint64_t seen = 0;
    std::uint32_t page = 0;
    Bytes pending = {};  // of the page that is not complete
  };
  Result<void> update(Progress& progress, ByteView piece);
  Result<void> check_page(Progress& progress);

  std::vector<Progress> progress_;
};

}  // namespace touchmark::package::ios
