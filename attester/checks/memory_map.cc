#include "attester/checks/memory_map.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "attester/checks/raw_file.h"
#include "attester/checks/syscall.h"

namespace touchmark::attester::checks {
namespace {

constexpr std::size_t kMaxMapsBytes = 64 << 20;
constexpr std::string_view kDeleted = " (deleted)";

// Takes the text up to `delimiter` off the front of `rest`.
std::string_view take(std::string_view& rest, char delimiter) {
  const std::size_t at = std::min(rest.find(delimiter), rest.size());
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return out;
}

std::optional<std::uint64_t> hex(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "55d0c0a00000-55d0c0a01000 r-xp 00001000 fe:00 131 /usr/bin/env"
std::optional<Mapping> parse_line(std::string_view line) {
  const auto start = hex(take(line, '-'));
  const auto end = hex(take(line, ' '));
  const std::string_view mode = take(line, ' ');
  const auto offset = hex(take(line, ' '));
  take(line, ' ');  // device: an overlay file system shows others here than stat does
  const std::string_view inode_text = take(line, ' ');
  std::uint64_t inode = 0;
  std::from_chars(inode_text.data(), inode_text.data() + inode_text.size(), inode);
  if (!start || !end || !offset || mode.size() != 4) return std::nullopt;
  constexpr auto kHighest = std::numeric_limits<std::uintptr_t>::max();
  if (*start > kHighest || *end > kHighest) return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  Mapping out{.start = static_cast<std::uintptr_t>(*start),
              .end = static_cast<std::uintptr_t>(*end),
              .readable = mode[0] == 'r',
              .writable = mode[1] == 'w',
              .executable = mode[2] == 'x',
              .offset = *offset,
              .path = std::string(line),
              .deleted = line.ends_with(kDeleted),
              .inode = inode};
  if (out.deleted) out.path.resize(out.path.size() - kDeleted.size());
  return out;
}

// Where a sandbox forbids the system call made for it. The file also shows pages that can be
// executed but not read, yet only to processes that may be debugged.
std::size_t copy_through_file(std::uintptr_t address, std::span<std::byte> out) {
  const Result<RawFile> memory = RawFile::open("/proc/self/mem");
  if (!memory) return 0;
  std::size_t total = 0;
  while (total < out.size()) {  // page by page: a read that meets a hole gives an error, not a part
    constexpr std::size_t kPage = 4096;
    const std::size_t left = kPage - (address + total) % kPage;
    const std::size_t size = std::min(left, out.size() - total);
    const Result<std::size_t> got = memory->read_some(address + total, out.subspan(total, size));
    if (!got || *got != size) break;
    total += size;
  }
  return total;
}

}  // namespace

bool Mapping::of_file() const {
  return path.starts_with('/') && !path.starts_with("/memfd:") && !path.starts_with("/dev/") &&
         !path.starts_with("/SYSV");
}

std::vector<Mapping> parse_maps(std::string_view text) {
  std::vector<Mapping> out;
  while (!text.empty()) {
    if (std::optional<Mapping> mapping = parse_line(take(text, '\n'))) {
      out.push_back(std::move(*mapping));
    }
  }
  return out;
}

Result<std::vector<Mapping>> read_maps(const Kernel& kernel) {
  // /proc/self/maps cannot be read by offset in pieces of one's own choosing without losing lines
  // that change meanwhile; the kernel resumes by address, so no unchanged line is lost or doubled.
  const Result<Bytes> text = read_whole(kernel, "/proc/self/maps", kMaxMapsBytes);
  if (!text) return pass(text);
  return parse_maps(as_text(*text));
}

const Mapping* find_mapping(const std::vector<Mapping>& maps, std::uintptr_t address) {
  const auto after = std::ranges::upper_bound(maps, address, {}, &Mapping::start);
  if (after == maps.begin()) return nullptr;
  const Mapping& mapping = *std::prev(after);
  return mapping.holds(address) ? &mapping : nullptr;
}

bool Module::holds(std::uintptr_t address) const {
  return std::ranges::any_of(mappings, [address](const Mapping& m) { return m.holds(address); });
}

bool Module::executes(std::uintptr_t address) const {
  return std::ranges::any_of(
      mappings, [address](const Mapping& m) { return m.executable && m.holds(address); });
}

bool begins_as_elf(const Mapping& mapping, const Kernel& kernel) {
  constexpr std::string_view kMagic =
      "\x7f"
      "ELF";
  std::array<std::byte, kMagic.size()> head{};
  return mapping.readable && kernel.copy_memory(mapping.start, head) == head.size() &&
         as_text(head) == kMagic;
}

std::vector<Module> list_modules(const std::vector<Mapping>& maps, const Kernel& kernel) {
  std::vector<Module> out;
  for (const Mapping& mapping : maps) {
    if (!mapping.of_file()) continue;
    // One loading's mappings follow each other and the first has the lowest offset; between them
    // may lie anonymous memory: gaps and zeroed data. In an APK, which is mapped for many reasons,
    // the head of an image tells where a library begins.
    const bool continues = !out.empty() && out.back().path == mapping.path &&
                           out.back().mappings.front().offset < mapping.offset &&
                           !begins_as_elf(mapping, kernel);
    if (!continues) out.push_back({.path = mapping.path, .start = mapping.start});
    out.back().end = mapping.end;
    out.back().mappings.push_back(mapping);
  }
  return out;
}

const Module* find_module(const std::vector<Module>& modules, std::uintptr_t address) {
  const auto found =
      std::ranges::find_if(modules, [address](const Module& m) { return m.holds(address); });
  return found == modules.end() ? nullptr : &*found;
}

std::uintptr_t pointer_in(ByteView bytes, std::size_t at, Machine machine) {
  std::uint64_t value = 0;
  for (std::size_t i = pointer_size(machine); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  }
  if (machine == Machine::kArm64) value &= ~std::uint64_t{0} >> 8;
  return static_cast<std::uintptr_t>(value);
}

std::optional<std::string_view> find_text(const Kernel& kernel, std::uintptr_t start,
                                          std::uintptr_t end, std::size_t most,
                                          std::span<const std::string_view> texts) {
  constexpr std::size_t kChunk = 1 << 20;
  constexpr std::size_t kOverlap = 64;  // longer than every text
  Bytes buffer(kChunk + kOverlap);
  const std::size_t size = end - start;
  for (std::size_t at = 0; at < std::min(size, most); at += kChunk) {
    const std::size_t want = std::min(buffer.size(), size - at);
    const std::size_t got = kernel.copy_memory(start + at, std::span(buffer).first(want));
    const std::string_view seen = as_text(ByteView(buffer).first(got));
    for (const std::string_view text : texts) {
      if (seen.find(text) != std::string_view::npos) return text;
    }
  }
  return std::nullopt;
}

std::size_t copy_memory(std::uintptr_t address, std::span<std::byte> out) {
  const long self = system_call(__NR_getpid);
  std::size_t total = 0;
  while (total < out.size()) {
    iovec local{out.data() + total, out.size() - total};
    iovec remote{reinterpret_cast<void*>(address + total), out.size() - total};
    const long got = system_call(__NR_process_vm_readv, self, as_argument(&local), 1,
                                 as_argument(&remote), 1, 0);
    if (total == 0 && (got == -ENOSYS || got == -EPERM)) return copy_through_file(address, out);
    if (got <= 0) break;
    total += static_cast<std::size_t>(got);
  }
  return total;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_below_any(std::string_view path, const std::vector<std::string>& folders) {
  return std::ranges::any_of(folders,
                             [path](const std::string& folder) { return is_below(path, folder); });
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace touchmark::attester::checks
