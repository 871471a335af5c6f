// A loaded ELF image as the file that it was loaded from describes it: what memory says of itself
// could be altered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attester/checks/check.h"
#include "attester/checks/elf.h"

namespace touchmark::attester::checks {

struct LoadedImage {
  const Module* module = nullptr;
  ElfImage elf;
  std::uintptr_t bias = 0;  // what to add to a linked address; wraps

  std::uintptr_t at(std::uint64_t linked) const {
    return bias + static_cast<std::uintptr_t>(linked);
  }
};

// What to add to a linked address of `elf`, whose first byte is at `base` in the module's file.
std::uintptr_t load_bias(const Module& module, const ElfImage& elf, std::uint64_t base);

// The bytes of the image that begins at `base` in a file, up to the end of its last segment; `base`
// is not 0 inside an APK.
Result<Bytes> read_image(const Context& context, const std::string& path, std::uint64_t base);

// nullopt when the file cannot be read or is no image of this machine.
std::optional<LoadedImage> load_image(const Context& context, const Module& module);

}  // namespace touchmark::attester::checks
