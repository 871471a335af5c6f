#include "attester/checks/image.h"

#include <algorithm>

namespace touchmark::attester::checks {
namespace {

constexpr std::size_t kMaxImageBytes = 256 << 20;

Result<Bytes> read_piece(const OpenFile& file, std::uint64_t offset, std::uint64_t size) {
  Bytes out(static_cast<std::size_t>(size));
  const Result<std::size_t> got = file.read_some(offset, out);
  if (!got) return pass(got);
  out.resize(*got);
  return out;
}

}  // namespace

std::uintptr_t load_bias(const Module& module, const ElfImage& elf, std::uint64_t base) {
  const ElfSegment& first = elf.segments.front();
  const std::uint64_t mapped = module.mappings.front().offset - base;  // in the image
  return module.start - static_cast<std::uintptr_t>(first.address - (first.offset - mapped));
}

Result<Bytes> read_image(const Context& context, const std::string& path, std::uint64_t base) {
  constexpr std::uint64_t kHead =
      4096;  // holds the program headers of everything that linkers make
  const auto file = context.kernel.open(path);
  if (!file) return pass(file);
  const Result<Bytes> head = read_piece(**file, base, kHead);
  if (!head) return pass(head);
  const Result<ElfImage> elf = parse_elf(*head, context.rules.machine);
  if (!elf && elf.error().is(ElfError::kNotElf)) return pass(elf);
  std::uint64_t size = elf ? 0 : kMaxImageBytes;
  if (elf) {
    for (const ElfSegment& segment : elf->segments) {
      const std::uint64_t end = segment.offset + segment.file_size;
      if (end >= segment.offset) size = std::max(size, end);
    }
  }
  const Result<FileStatus> status = (*file)->status();
  if (!status) return pass(status);
  const std::uint64_t left = status->size > base ? status->size - base : 0;
  size = std::min(size, left);
  if (size > kMaxImageBytes) return fail(RawFileError::kTooLarge, path + " is too large");
  return read_piece(**file, base, size);
}

std::optional<LoadedImage> load_image(const Context& context, const Module& module) {
  const std::uint64_t base = module.mappings.front().offset;
  const Result<Bytes> bytes = read_image(context, module.path, base);
  if (!bytes) return std::nullopt;
  Result<ElfImage> elf = parse_elf(*bytes, context.rules.machine);
  if (!elf || elf->segments.empty()) return std::nullopt;
  const std::uintptr_t bias = load_bias(module, *elf, base);
  return LoadedImage{&module, std::move(*elf), bias};
}

}  // namespace touchmark::attester::checks
