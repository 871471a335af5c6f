// What the checks ask the kernel: files and memory of this process. Nothing else reads either, so
// that recorded processes of phones can be shown to the very checks that run on phones.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attester/checks/kernel_answers.h"
#include "attester/checks/processor.h"
#include "attester/checks/raw_file.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/source.h"

namespace touchmark::attester::checks {

class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual Result<FileStatus> status() const = 0;
  // As many bytes as there are from `offset`, at most out.size().
  virtual Result<std::size_t> read_some(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// Thread-safe. Errors are of RawFileError.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Result<std::unique_ptr<OpenFile>> open(const std::string& path) const = 0;
  virtual Result<FileStatus> status(const std::string& path) const = 0;
  // The names in a folder, sorted.
  virtual Result<std::vector<std::string>> list_folder(const std::string& path) const = 0;
  // Copies memory of this process; stops at what is not there or not readable, rather than fault.
  // Returns the number of bytes copied.
  virtual std::size_t copy_memory(std::uintptr_t address, std::span<std::byte> out) const = 0;
  // What it and the processor do where all of their kind do the same.
  virtual KernelAnswers answers() const = 0;
  virtual ProcessorMarks processor() const = 0;
};

// The one that runs this process, asked by raw system calls. Lives as long as the process.
const Kernel& this_kernel();

// Whole content; also of files in /proc, whose size is not known beforehand.
Result<Bytes> read_whole(const Kernel& kernel, const std::string& path, std::size_t max_bytes);
// /proc/self/status, and what stands there behind a field's name ("Uid:") up to the line's end
// (proc(5)); nullopt where the field is missing.
Result<Bytes> read_status(const Kernel& kernel);
std::optional<std::string_view> status_field(ByteView status, std::string_view field);
// The first number there; nullopt where there is none.
std::optional<std::int64_t> status_number(ByteView status, std::string_view field);
// Whether the path leads to anything.
bool exists(const Kernel& kernel, const std::string& path);
// Whether both paths lead to the same file.
bool same_file(const Kernel& kernel, const std::string& a, const std::string& b);

// A package for package::measure_apk; `status` is the file's own.
Result<std::unique_ptr<Source>> to_source(std::unique_ptr<OpenFile> file, const FileStatus& status);
Result<std::unique_ptr<Source>> open_source(const Kernel& kernel, const std::string& path);

}  // namespace touchmark::attester::checks
