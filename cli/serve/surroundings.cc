#include "cli/serve/surroundings.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProbeBytes = 4096;

// With what does not exist left as it is, and links followed.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path out = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path : out;
}

bool is_within(const fs::path& path, const fs::path& folder) {
  const fs::path inner = real_path(path);
  const fs::path outer = real_path(folder);
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

void look_at_disk(const DataFolder& folder, verifier::state::Surroundings& out) {
  struct stat status {};
  if (::stat(out.data.c_str(), &status) == 0) out.data_mode = status.st_mode & 07777U;
  struct statvfs disk {};
  if (::statvfs(out.data.c_str(), &disk) == 0) {
    out.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    out.total_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
    if (disk.f_files > 0) out.free_files = disk.f_favail;
  }
  const fs::path probe = folder.uploads() / "probe";
  const Bytes content(kProbeBytes);
  const auto written = write_file_atomic(probe, content, 0600);
  if (!written) {
    out.problem = written.error().message();
    return;
  }
  std::error_code error;
  fs::remove(probe, error);
}

void look_at_descriptors(verifier::state::Surroundings& out) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.descriptor_limit = limit.rlim_cur;
  std::error_code error;
  for (fs::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    ++out.open_descriptors;
  }
}

}  // namespace

verifier::state::Surroundings look_around(const DataFolder& folder, const Started& started) {
  verifier::state::Surroundings out{.data = real_path(folder.path())};
  look_at_disk(folder, out);
  look_at_descriptors(out);
  out.master_key_apart = started.master_key && !is_within(*started.master_key, folder.path());
  for (const fs::path& file : started.token_files) {
    std::error_code error;
    if (fs::exists(file, error)) out.token_files.push_back(real_path(file));
  }
  out.max_connections = started.max_connections;
  out.wanted_connections = started.wanted_connections;
  return out;
}

}  // namespace touchmark::cli::serve
