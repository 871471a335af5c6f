#include "attester/checks/image.h"

#include <algorithm>

namespace touchmark::attester::checks {
namespace {

constexpr std::uint64_t kMaxImageBytes = 256 << 20;

std::uint64_t end_of(const std::vector<ElfSegment>& segments) {
  std::uint64_t out = 0;
  for (const ElfSegment& segment : segments) {
    const std::uint64_t end = segment.offset + segment.file_size;
    if (end >= segment.offset) out = std::max(out, end);
  }
  return out;
}

std::optional<LoadedImage> load(const Kernel& kernel, Machine machine, const Module& module) {
  const std::uint64_t base = module.mappings.front().offset;
  const auto file = open_source(kernel, module.path);
  if (!file || (*file)->size() < base) return std::nullopt;
  // An image in an APK begins where its entry does, and ends with its last segment.
  const SourcePart rest(**file, base, (*file)->size() - base);
  const Result<std::vector<ElfSegment>> segments = parse_segments(rest, machine);
  if (!segments || segments->empty()) return std::nullopt;
  const SourcePart image(**file, base, std::min(end_of(*segments), rest.size()));
  if (image.size() > kMaxImageBytes) return std::nullopt;
  Result<ElfImage> elf = parse_elf(image, machine);
  if (!elf) return std::nullopt;
  const std::uintptr_t bias = load_bias(module, elf->segments, base);
  return LoadedImage{&module, std::move(*elf), bias};
}

}  // namespace

std::uintptr_t load_bias(const Module& module, const std::vector<ElfSegment>& segments,
                         std::uint64_t base) {
  const ElfSegment& first = segments.front();
  const std::uint64_t mapped = module.mappings.front().offset - base;  // in the image
  return module.start - static_cast<std::uintptr_t>(first.address - (first.offset - mapped));
}

const LoadedImage* Images::find(const Module& module) const {
  const auto [place, added] = images_.try_emplace(module.start);
  if (added) place->second = load(kernel_, machine_, module);
  return place->second ? &*place->second : nullptr;
}

}  // namespace touchmark::attester::checks
