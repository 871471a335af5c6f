// The process's memory, as the kernel lists it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attester/checks/kernel.h"
#include "attester/core/machine.h"
#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::attester::checks {

// One line of /proc/self/maps.
struct Mapping {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint64_t offset = 0;  // in the file
  std::string path;          // "" for anonymous memory; without the mark " (deleted)"
  bool deleted = false;
  std::uint64_t inode = 0;  // as maps has it; an overlay file system shows others than stat does

  std::size_t size() const { return end - start; }
  bool holds(std::uintptr_t address) const { return address >= start && address < end; }
  // Backed by a file that has a name in the file system; not anonymous, [stack], /memfd:...,
  // /dev/...
  bool of_file() const;
};

// In ascending order, as the kernel gives them. Lines of another shape are left out.
std::vector<Mapping> parse_maps(std::string_view text);
Result<std::vector<Mapping>> read_maps(const Kernel& kernel = this_kernel());
// The one that holds the address; nullptr where none does. `maps` ascend.
const Mapping* find_mapping(const std::vector<Mapping>& maps, std::uintptr_t address);

// A file's mappings that belong to one loading of it: an ELF image, as the loader laid it out.
struct Module {
  std::string path;
  std::uintptr_t start = 0;  // of its lowest mapping
  std::uintptr_t end = 0;
  std::vector<Mapping> mappings = {};

  bool holds(std::uintptr_t address) const;  // in one of its mappings
  bool executes(std::uintptr_t address) const;
};
// Whether the memory there starts as an ELF image does.
bool begins_as_elf(const Mapping& mapping, const Kernel& kernel = this_kernel());

std::vector<Module> list_modules(const std::vector<Mapping>& maps,
                                 const Kernel& kernel = this_kernel());
const Module* find_module(const std::vector<Module>& modules, std::uintptr_t address);

// Kernel::copy_memory by raw system calls.
std::size_t copy_memory(std::uintptr_t address, std::span<std::byte> out);

// The pointer that begins at `at`, as that machine has it in memory. Without the top byte of one of
// 64-bit Arm, which is no part of the address: memory tagging uses it.
std::uintptr_t pointer_in(ByteView bytes, std::size_t at, Machine machine);

// One of the texts that begins in the memory from `start` to `end`, within its first `most` bytes;
// nullopt where none does, or nothing can be read. Texts are shorter than 64 bytes.
std::optional<std::string_view> find_text(const Kernel& kernel, std::uintptr_t start,
                                          std::uintptr_t end, std::size_t most,
                                          std::span<const std::string_view> texts);

// Whether `path` lies in one of the folders (each without a trailing slash).
bool is_below(std::string_view path, std::string_view folder);
bool is_below_any(std::string_view path, const std::vector<std::string>& folders);
std::string_view file_name(std::string_view path);

}  // namespace touchmark::attester::checks
