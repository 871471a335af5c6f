// Executable memory against the files it was mapped from.
#include <algorithm>

#include "attester/checks/breakpoint.h"
#include "attester/checks/check.h"
#include "attester/checks/compare.h"
#include "attester/checks/raw_file.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kChunk = 256 * 1024;

struct Difference {
  std::uint64_t first = 0;  // file offset
  std::uint64_t bytes = 0;
  std::uint64_t breakpoints = 0;  // differences that are a breakpoint instruction and nothing else
};

// `memory` and `disk` have the same size and stand at file offset `offset`.
void compare(ByteView memory, ByteView disk, std::uint64_t offset, Difference& out) {
  for (std::size_t start = next_difference(memory, disk); start < memory.size();) {
    std::size_t end = start + 1;
    while (end < memory.size() && memory[end] != disk[end]) ++end;
    if (out.bytes == 0) out.first = offset + start;
    out.bytes += end - start;
    if (is_breakpoint(kOwnMachine, memory, start, end)) ++out.breakpoints;
    start = next_difference(memory, disk, end);
  }
}

// False when memory or file cannot be read to the mapping's end.
bool compare_mapping(const Mapping& mapping, const RawFile& file, Difference& out) {
  Bytes memory(kChunk);
  Bytes disk(kChunk);
  for (std::size_t done = 0; done < mapping.size();) {
    const std::size_t size = std::min(kChunk, mapping.size() - done);
    const std::span<std::byte> seen = std::span(memory).first(size);
    const std::span<std::byte> expected = std::span(disk).first(size);
    if (copy_memory(mapping.start + done, seen) != size) return false;
    const Result<std::size_t> got = file.read_some(mapping.offset + done, expected);
    if (!got) return false;
    std::ranges::fill(expected.subspan(*got), std::byte{0});  // the last page is filled with zeros
    compare(seen, expected, mapping.offset + done, out);
    done += size;
  }
  return true;
}

bool still_mapped(const Mapping& mapping) {
  const Result<std::vector<Mapping>> maps = read_maps();
  if (!maps) return true;
  return std::ranges::any_of(*maps, [&mapping](const Mapping& now) {
    return now.executable && now.path == mapping.path && now.holds(mapping.start);
  });
}

void judge(const Mapping& mapping, const RawFile& file, Findings& out) {
  Difference difference;
  if (!compare_mapping(mapping, file, difference)) {
    // A library that was unloaded meanwhile is gone; one that stays and cannot be read hides.
    if (still_mapped(mapping)) {
      report(out, FindingId::kHookTextModified, mapping.path + " cannot be compared");
    }
    return;
  }
  if (difference.bytes == 0) return;
  report(out, FindingId::kHookTextModified,
         mapping.path + "+" + hex_text(difference.first) + ", " + std::to_string(difference.bytes) +
             " bytes");
  if (difference.breakpoints > 0) {
    report(out, FindingId::kDebugBreakpoint, mapping.path + "+" + hex_text(difference.first));
  }
}

}  // namespace

void check_text(const Context& context, Findings& out) {
  for (const Mapping& mapping : context.maps) {
    if (!mapping.executable || !mapping.of_file()) continue;
    const Result<RawFile> file = RawFile::open(mapping.path);
    if (file) {
      judge(mapping, *file, out);
    } else if (!mapping.deleted && still_mapped(mapping)) {
      // A deleted file alone is no sign: system updates leave such mappings behind.
      report(out, FindingId::kHookTextModified, file.error().text());
    }
  }
}

}  // namespace touchmark::attester::checks
