// What the checks ask an iPhone: memory, dyld's list, the kernel's word about this process. Nothing
// else reads them, so that played iPhones can be shown to the very checks that run on phones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace touchmark::attester::checks::ios {

// An image in dyld's list.
struct ListedImage {
  std::string path;
  std::uint64_t header = 0;  // its address
};

// Thread-safe.
class Iphone {
 public:
  virtual ~Iphone() = default;
  // The main executable first.
  virtual std::vector<ListedImage> images() const = 0;
  // Copies memory of this process; stops at what is not there or not readable, rather than fault.
  // Returns the number of bytes copied.
  virtual std::size_t copy_memory(std::uint64_t address, std::span<std::byte> out) const = 0;
  // At most `max_bytes` of a file; nullopt where it cannot be read, or is larger.
  virtual std::optional<Bytes> read_file(const std::string& path, std::size_t max_bytes) const = 0;
  virtual bool exists(const std::string& path) const = 0;
  virtual std::string environment(const char* name) const = 0;
  // Whether a debugger traces the process (P_TRACED); nullopt where the kernel does not say.
  virtual std::optional<bool> is_traced() const = 0;
  // The hash of the main executable's code directory that the kernel started; empty where it does
  // not say.
  virtual Bytes code_directory_hash() const = 0;
  virtual bool is_simulator() const = 0;
};

#ifdef __APPLE__
// The one that runs this process. Lives as long as the process.
const Iphone& this_iphone();
#endif

}  // namespace touchmark::attester::checks::ios
