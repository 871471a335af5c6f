#include "attester/checks/kernel.h"

#include <sys/stat.h>

#include <charconv>

#include "attester/checks/memory_map.h"

namespace touchmark::attester::checks {
namespace {

class RawOpenFile final : public OpenFile {
 public:
  explicit RawOpenFile(RawFile file) : file_(std::move(file)) {}
  Result<FileStatus> status() const override { return file_.status(); }
  Result<std::size_t> read_some(std::uint64_t offset, std::span<std::byte> out) const override {
    return file_.read_some(offset, out);
  }

 private:
  RawFile file_;
};

class RawKernel final : public Kernel {
 public:
  Result<std::unique_ptr<OpenFile>> open(const std::string& path) const override {
    Result<RawFile> file = RawFile::open(path);
    if (!file) return pass(file);
    return std::make_unique<RawOpenFile>(std::move(*file));
  }
  Result<FileStatus> status(const std::string& path) const override { return file_status(path); }
  Result<std::vector<std::string>> list_folder(const std::string& path) const override {
    return checks::list_folder(path);
  }
  std::size_t copy_memory(std::uintptr_t address, std::span<std::byte> out) const override {
    return checks::copy_memory(address, out);
  }
  KernelAnswers answers() const override { return ask_kernel(); }
  ProcessorMarks processor() const override { return look_at_processor(); }
};

class FileSource final : public Source {
 public:
  FileSource(std::unique_ptr<OpenFile> file, std::uint64_t size)
      : file_(std::move(file)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const Result<std::size_t> got = file_->read_some(offset, out);
    if (!got) return pass(got);
    if (*got != out.size()) return fail(RawFileError::kPastEnd, "the package ends too early");
    return {};
  }

 private:
  std::unique_ptr<OpenFile> file_;
  std::uint64_t size_;
};

}  // namespace

const Kernel& this_kernel() {
  static const RawKernel kernel;
  return kernel;
}

Result<Bytes> read_whole(const Kernel& kernel, const std::string& path, std::size_t max_bytes) {
  const auto file = kernel.open(path);
  if (!file) return pass(file);
  Bytes out;
  for (;;) {
    constexpr std::size_t kChunk = 64 * 1024;
    const std::size_t have = out.size();
    out.resize(have + kChunk);
    const Result<std::size_t> got = (*file)->read_some(have, std::span(out).subspan(have));
    if (!got) return pass(got);
    out.resize(have + *got);
    if (out.size() > max_bytes) return fail(RawFileError::kTooLarge, path + " is too large");
    if (*got < kChunk) return out;
  }
}

Result<Bytes> read_status(const Kernel& kernel) {
  return read_whole(kernel, "/proc/self/status", 64 * 1024);
}

std::optional<std::string_view> status_field(ByteView status, std::string_view field) {
  const std::string_view text = as_text(status);
  const std::size_t at = text.find("\n" + std::string(field));
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t value = text.find_first_not_of(" \t", at + 1 + field.size());
  if (value == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(value);
  return rest.substr(0, rest.find('\n'));
}

std::optional<std::int64_t> status_number(ByteView status, std::string_view field) {
  const auto text = status_field(status, field);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool exists(const Kernel& kernel, const std::string& path) {
  return kernel.status(path).has_value();
}

bool same_file(const Kernel& kernel, const std::string& a, const std::string& b) {
  const Result<FileStatus> first = kernel.status(a);
  const Result<FileStatus> second = kernel.status(b);
  return first && second && first->device == second->device && first->inode == second->inode;
}

Result<std::unique_ptr<Source>> to_source(std::unique_ptr<OpenFile> file,
                                          const FileStatus& status) {
  if (!S_ISREG(status.mode)) return fail(RawFileError::kNotAFile, "the package is not a file");
  return std::make_unique<FileSource>(std::move(file), status.size);
}

Result<std::unique_ptr<Source>> open_source(const Kernel& kernel, const std::string& path) {
  auto file = kernel.open(path);
  if (!file) return pass(file);
  const Result<FileStatus> status = (*file)->status();
  if (!status) return pass(status);
  return to_source(std::move(*file), *status);
}

}  // namespace touchmark::attester::checks
