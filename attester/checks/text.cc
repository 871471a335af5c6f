// Executable memory against the files it was mapped from.
//
// What cannot be compared is not modified for that: phones have system libraries whose code may be
// executed and not read, files that were replaced while the app runs, folders that apps may not
// look into. There the kernel's own account has to do: a page of a file that this process wrote to
// is its own copy from then on, and counted as such. The app's own code is always there to be read.
#include <algorithm>
#include <charconv>

#include "attester/checks/breakpoint.h"
#include "attester/checks/check.h"
#include "attester/checks/compare.h"
#include "attester/checks/image.h"

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
void compare(Machine machine, ByteView memory, ByteView disk, std::uint64_t offset,
             Difference& out) {
  for (std::size_t start = next_difference(memory, disk); start < memory.size();) {
    std::size_t end = start + 1;
    while (end < memory.size() && memory[end] != disk[end]) ++end;
    if (out.bytes == 0) out.first = offset + start;
    out.bytes += end - start;
    if (is_breakpoint(machine, memory, start, end)) ++out.breakpoints;
    start = next_difference(memory, disk, end);
  }
}

// What the kernel says of the process's copies of file pages (proc(5), smaps). Read when it is
// first asked for: the kernel walks all of the process's pages for it.
class WrittenPages {
 public:
  explicit WrittenPages(const Kernel& kernel) : kernel_(kernel) {}

  // Kilobytes of a mapping that are not the file's any longer; 0 where the kernel does not say.
  std::uint64_t kilobytes_in(const Mapping& mapping) {
    if (!read_) read();
    std::uint64_t sum = 0;
    for (const Area& area : areas_) {
      if (area.start < mapping.end && mapping.start < area.end) sum += area.kilobytes;
    }
    return sum;
  }

 private:
  struct Area {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t kilobytes = 0;
  };

  void read() {
    constexpr std::size_t kMaxBytes = 256 << 20;
    read_ = true;
    const Result<Bytes> text = read_whole(kernel_, "/proc/self/smaps", kMaxBytes);
    if (!text) return;
    std::string_view rest = as_text(*text);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      take(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  // The head of an area, "7f00-7f10 r-xp ...", or one of its numbers, "Anonymous:   4 kB".
  void take(std::string_view line) {
    const bool head = !line.empty() && (line[0] < 'A' || line[0] > 'Z');
    if (head) {
      Area area;
      const std::size_t dash = line.find('-');
      if (dash == std::string_view::npos) return;
      area.start = number(line.substr(0, dash), 16);
      area.end = number(line.substr(dash + 1), 16);
      areas_.push_back(area);
      return;
    }
    for (const std::string_view field : {"Anonymous:", "Swap:"}) {
      if (areas_.empty() || !line.starts_with(field)) continue;
      line.remove_prefix(std::min(line.find_first_not_of(' ', field.size()), line.size()));
      areas_.back().kilobytes += number(line, 10);
      return;
    }
  }

  static std::uint64_t number(std::string_view text, int base) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
  }

  const Kernel& kernel_;
  bool read_ = false;
  std::vector<Area> areas_;
};

enum class Outcome { kCompared, kNoMemory, kNoFile };

class TextCheck {
 public:
  TextCheck(const Context& context, Findings& out)
      : context_(context), out_(out), written_(context.kernel) {}

  void judge(const Mapping& mapping) {
    // Under the name of a deleted file there may be another one by now.
    if (mapping.deleted) return judge_unseen(mapping, "was deleted");
    const auto file = context_.kernel.open(mapping.path);
    if (!file) return judge_unseen(mapping, file.error().text());
    Difference difference;
    switch (compare_mapping(mapping, **file, difference)) {
      case Outcome::kNoMemory:
        return judge_unread(mapping);
      case Outcome::kNoFile:
        return judge_unseen(mapping, "cannot be compared");
      case Outcome::kCompared:
        break;
    }
    if (difference.bytes == 0) return;
    const std::string place = mapping.path + "+" + hex_text(difference.first);
    refuse(place + ", " + std::to_string(difference.bytes) + " bytes");
    if (difference.breakpoints > 0) report(out_, FindingId::kDebugBreakpoint, place);
  }

 private:
  void refuse(std::string detail) { report(out_, FindingId::kHookTextModified, std::move(detail)); }

  Outcome compare_mapping(const Mapping& mapping, const OpenFile& file, Difference& out) {
    std::optional<std::vector<std::uint64_t>> words;  // that the loader wrote, by file offset
    for (std::size_t done = 0; done < mapping.size();) {
      const std::size_t size = std::min(kChunk, mapping.size() - done);
      const std::span<std::byte> seen = std::span(memory_).first(size);
      const std::span<std::byte> expected = std::span(disk_).first(size);
      if (context_.kernel.copy_memory(mapping.start + done, seen) != size) {
        return Outcome::kNoMemory;
      }
      const std::uint64_t offset = mapping.offset + done;
      const Result<std::size_t> got = file.read_some(offset, expected);
      if (!got) return Outcome::kNoFile;
      std::ranges::fill(expected.subspan(*got),
                        std::byte{0});  // the last page is filled with zeros
      if (next_difference(seen, expected) < size) {
        if (!words) words = relocated_words(mapping);
        pass_over(*words, offset, seen, expected);
        compare(context_.rules.machine, seen, expected, offset, out);
      }
      done += size;
    }
    return Outcome::kCompared;
  }

  // In libraries with relocations in their code, as the oldest that a 32-bit phone loads may be.
  std::vector<std::uint64_t> relocated_words(const Mapping& mapping) const {
    std::vector<std::uint64_t> out;
    const LoadedImage* image = image_of(mapping);
    if (image == nullptr) return out;
    const std::uint64_t base = image->module->mappings.front().offset;
    for (const std::uint64_t address : image->elf.text_relocations) {
      for (const ElfSegment& segment : image->elf.segments) {
        if (address < segment.address || address - segment.address >= segment.file_size) continue;
        out.push_back(base + segment.offset + (address - segment.address));
      }
    }
    std::ranges::sort(out);
    return out;
  }

  void pass_over(const std::vector<std::uint64_t>& words, std::uint64_t offset,
                 std::span<const std::byte> seen, std::span<std::byte> expected) const {
    const std::uint64_t size = pointer_size(context_.rules.machine);
    const std::uint64_t from = offset < size ? 0 : offset - size + 1;
    for (auto word = std::ranges::lower_bound(words, from);
         word != words.end() && *word < offset + seen.size(); ++word) {
      for (std::uint64_t byte = std::max(*word, offset);
           byte < *word + size && byte < offset + seen.size(); ++byte) {
        const auto at = static_cast<std::size_t>(byte - offset);
        expected[at] = seen[at];
      }
    }
  }

  const LoadedImage* image_of(const Mapping& mapping) const {
    const Module* module = find_module(context_.modules, mapping.start);
    return module == nullptr ? nullptr : context_.images.find(*module);
  }

  bool still_mapped(const Mapping& mapping) const {
    const Result<std::vector<Mapping>> maps = read_maps(context_.kernel);
    if (!maps) return true;
    return std::ranges::any_of(*maps, [&mapping](const Mapping& now) {
      return now.executable && now.path == mapping.path && now.holds(mapping.start);
    });
  }

  // Memory that cannot be read.
  void judge_unread(const Mapping& mapping) {
    if (!mapping.readable && !linked_unreadable(mapping)) {
      // Somebody took away what the file's own headers ask for.
      if (still_mapped(mapping)) refuse(mapping.path + " was made unreadable");
      return;
    }
    judge_unseen(mapping, "cannot be compared");
  }

  // Whether the code was linked to be executed and not read.
  bool linked_unreadable(const Mapping& mapping) const {
    const LoadedImage* image = image_of(mapping);
    if (image == nullptr) return !is_own_file(context_, mapping.path);
    const std::uint64_t offset = mapping.offset - image->module->mappings.front().offset;
    constexpr std::uint64_t kLargestPage = 16 * 1024;
    return std::ranges::any_of(image->elf.segments, [&](const ElfSegment& segment) {
      return segment.executable && !segment.readable && offset + kLargestPage > segment.offset &&
             offset < segment.offset + segment.file_size;
    });
  }

  // Where memory and file cannot be laid side by side.
  void judge_unseen(const Mapping& mapping, const std::string& reason) {
    // A library that was unloaded meanwhile is gone.
    if (!still_mapped(mapping)) return;
    if (const std::uint64_t written = written_.kilobytes_in(mapping)) {
      return refuse(mapping.path + " " + reason + ", and " + std::to_string(written) +
                    " kB of it were written to");
    }
    if (is_own_file(context_, mapping.path)) refuse(mapping.path + " " + reason);
  }

  const Context& context_;
  Findings& out_;
  WrittenPages written_;
  Bytes memory_ = Bytes(kChunk);
  Bytes disk_ = Bytes(kChunk);
};

}  // namespace

void check_text(const Context& context, Findings& out) {
  TextCheck check(context, out);
  for (const Mapping& mapping : context.maps) {
    if (mapping.executable && mapping.of_file()) check.judge(mapping);
  }
}

}  // namespace touchmark::attester::checks
