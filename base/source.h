// Random access to bytes of any origin: a file, memory, or what the SDK reads by raw system calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark {

// Random access to bytes. Thread-safe: read_at may run on several threads.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `out` from `offset`, or fails.
  virtual Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

enum class SourceError {
  kNotFound,
  kPermission,
  kNotAFile,  // a folder, a device, a pipe
  kIo,
  kPastEnd,  // a read past the end
};
std::string_view error_id(SourceError error);

// Opens a file for reading with pread. The SDK passes its own Source, made of raw system calls.
Result<std::unique_ptr<Source>> open_file(const std::filesystem::path& path);
std::unique_ptr<Source> from_memory(Bytes bytes);

// Bytes that outlive it.
class ViewSource final : public Source {
 public:
  explicit ViewSource(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  ByteView bytes_;
};

// `size` bytes from `begin` on of a source, which has them and outlives this.
class SourcePart final : public Source {
 public:
  SourcePart(const Source& whole, std::uint64_t begin, std::uint64_t size)
      : whole_(whole), begin_(begin), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  const Source& whole_;
  std::uint64_t begin_;
  std::uint64_t size_;
};

}  // namespace touchmark
