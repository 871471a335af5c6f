// The iPhone that runs this process. Compiled for Apple's systems alone.
#include <fcntl.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <mach/vm_map.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <TargetConditionals.h>
#include <cerrno>
#include <cstdlib>

#include "attester/checks/ios/iphone.h"

// <sys/codesign.h> is not among an iPhone SDK's headers; the call has been there since iOS 2.
extern "C" int csops(pid_t process, unsigned operation, void* out, std::size_t size);

namespace touchmark::attester::checks::ios {
namespace {

constexpr unsigned kCodeDirectoryHash = 5;  // CS_OPS_CDHASH
constexpr std::size_t kHashBytes = 20;      // CS_CDHASH_LEN
constexpr int kTraced = 0x800;              // P_TRACED of <sys/proc.h>

class ThisIphone final : public Iphone {
 public:
  std::vector<ListedImage> images() const override {
    std::vector<ListedImage> out;
    const std::uint32_t count = _dyld_image_count();
    for (std::uint32_t i = 0; i < count; ++i) {
      // Another thread may unload one meanwhile.
      const char* name = _dyld_get_image_name(i);
      const mach_header* header = _dyld_get_image_header(i);
      if (name == nullptr || header == nullptr) continue;
      out.push_back({name, reinterpret_cast<std::uintptr_t>(header)});
    }
    return out;
  }

  std::size_t copy_memory(std::uint64_t address, std::span<std::byte> out) const override {
    constexpr std::size_t kPage = 4096;
    std::size_t copied = 0;
    while (copied < out.size()) {
      // A whole stretch at once, and where it has a hole, page by page up to there.
      std::size_t step = out.size() - copied;
      if (copy(address + copied, out.subspan(copied))) return out.size();
      step = std::min(step, kPage - static_cast<std::size_t>((address + copied) % kPage));
      if (!copy(address + copied, out.subspan(copied, step))) break;
      copied += step;
    }
    return copied;
  }

  std::optional<Bytes> read_file(const std::string& path, std::size_t max_bytes) const override {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    Bytes out(max_bytes + 1);
    std::size_t size = 0;
    while (size < out.size()) {
      const ssize_t got = ::read(file, out.data() + size, out.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      size += static_cast<std::size_t>(got);
    }
    ::close(file);
    if (size > max_bytes) return std::nullopt;
    out.resize(size);
    return out;
  }

  bool exists(const std::string& path) const override {
    // Without stat(), for whose times and sizes Apple asks a reason. A link that leads nowhere is
    // there, too.
    char target = 0;
    return ::access(path.c_str(), F_OK) == 0 || ::readlink(path.c_str(), &target, 1) >= 0;
  }

  std::string environment(const char* name) const override {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

  std::optional<bool> is_traced() const override {
    kinfo_proc process{};
    std::size_t size = sizeof process;
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, ::getpid()};
    if (::sysctl(name, 4, &process, &size, nullptr, 0) != 0) return std::nullopt;
    return (process.kp_proc.p_flag & kTraced) != 0;
  }

  Bytes code_directory_hash() const override {
    Bytes hash(kHashBytes);
    if (csops(::getpid(), kCodeDirectoryHash, hash.data(), hash.size()) != 0) return {};
    return hash;
  }

  bool is_simulator() const override { return TARGET_OS_SIMULATOR != 0; }

 private:
  static bool copy(std::uint64_t address, std::span<std::byte> out) {
    vm_size_t got = 0;
    const kern_return_t done =
        vm_read_overwrite(mach_task_self(), static_cast<vm_address_t>(address), out.size(),
                          reinterpret_cast<vm_address_t>(out.data()), &got);
    return done == KERN_SUCCESS && got == out.size();
  }
};

}  // namespace

const Iphone& this_iphone() {
  static const ThisIphone iphone;
  return iphone;
}

}  // namespace touchmark::attester::checks::ios
