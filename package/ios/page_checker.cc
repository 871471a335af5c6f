// Compares the pages of an image with its code directories, a page at a time.
#include <algorithm>

#include "package/ios/code_signature.h"

namespace touchmark::package::ios {

PageChecker::PageChecker(const CodeSignature& signature) {
  for (const CodeDirectory& directory : signature.directories) {
    progress_.push_back({.directory = &directory});
  }
}

Result<void> PageChecker::update(ByteView piece) {
  for (Progress& progress : progress_) {
    if (auto ok = update(progress, piece); !ok) return ok;
  }
  return {};
}

Result<void> PageChecker::update(Progress& progress, ByteView piece) {
  const CodeDirectory& directory = *progress.directory;
  const std::uint64_t left = directory.code_limit - progress.seen;
  piece = piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
  progress.seen += piece.size();
  while (!piece.empty()) {
    const auto room = static_cast<std::size_t>(directory.page_size - progress.pending.size());
    const std::size_t taken = std::min(room, piece.size());
    append(progress.pending, piece.first(taken));
    piece = piece.subspan(taken);
    if (progress.pending.size() == directory.page_size) {
      if (auto ok = check_page(progress); !ok) return ok;
    }
  }
  return {};
}

Result<void> PageChecker::check_page(Progress& progress) {
  const CodeDirectory& directory = *progress.directory;
  if (progress.page >= directory.code_slots ||
      !std::ranges::equal(code_digest(directory.hash, progress.pending),
                          directory.code_hash(progress.page))) {
    return fail(CodeSignatureError::kPageMismatch, "page " + std::to_string(progress.page));
  }
  ++progress.page;
  progress.pending.clear();
  return {};
}

Result<void> PageChecker::finish() {
  for (Progress& progress : progress_) {
    if (progress.seen != progress.directory->code_limit) {
      return fail(CodeSignatureError::kCodeLimit, "the image is shorter than what was signed");
    }
    if (!progress.pending.empty()) {
      if (auto ok = check_page(progress); !ok) return ok;
    }
    if (progress.page != progress.directory->code_slots) {
      return fail(CodeSignatureError::kPageMismatch, "pages are missing");
    }
  }
  return {};
}

}  // namespace touchmark::package::ios
