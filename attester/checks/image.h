// Loaded ELF images as the files that they were loaded from describe them: what memory says of
// itself could be altered.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// The images of one run's modules, each read and parsed once, when a check first asks for it. For
// one thread. The modules outlive it.
class Images {
 public:
  Images(const Kernel& kernel, Machine machine) : kernel_(kernel), machine_(machine) {}

  // nullptr when the module's file cannot be read or is no image of this machine.
  const LoadedImage* find(const Module& module) const;

 private:
  const Kernel& kernel_;
  Machine machine_;
  mutable std::map<std::uintptr_t, std::optional<LoadedImage>> images_;  // by the module's start
};

// What to add to a linked address of the image with these segments, of which there is one, and
// whose first byte is at `base` in the module's file: not 0 inside an APK.
std::uintptr_t load_bias(const Module& module, const std::vector<ElfSegment>& segments,
                         std::uint64_t base);

}  // namespace touchmark::attester::checks
