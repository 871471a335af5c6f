// Marks of a process that no kernel of a phone runs: an emulator of libraries, which answers system
// calls and translates instructions itself. Each is something that every phone does alike, so that
// none is refused for its maker, kernel or age.
#include <algorithm>
#include <charconv>
#include <optional>

#include "attester/checks/check.h"
#include "attester/checks/image.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

void check_numbers(const Context& context, const KernelAnswers& kernel, Findings& out) {
  const Result<Bytes> status = read_status(context.kernel);
  if (!status) return;  // check_debugger reports it
  const auto compare = [&](std::string_view field, std::int64_t number) {
    const std::optional<std::int64_t> seen = status_number(*status, field);
    if (seen == number) return;
    report(out, FindingId::kDeviceKernel,
           "/proc/self/status: " + std::string(field) + " " +
               (seen ? std::to_string(*seen) : "missing") + " and not " + std::to_string(number));
  };
  compare("Tgid:", kernel.process);
  compare("Pid:", kernel.process);
  compare("PPid:", kernel.parent);
  compare("Uid:", kernel.user);
}

std::string mode_of(const Mapping* mapping) {
  if (mapping == nullptr) return "not listed";
  return std::string(mapping->readable ? "r" : "-") + (mapping->writable ? "w" : "-") +
         (mapping->executable ? "x" : "-");
}

class MemoryCheck {
 public:
  MemoryCheck(const Context& context, const KernelAnswers& kernel, Findings& out)
      : context_(context), kernel_(kernel), out_(out) {}

  void run() {
    for (const ProbePage& page : kernel_.pages) {
      if (page.address != 0) expect("a page mapped " + std::string(page.mode), page);
    }
    expect("the stack", {kernel_.stack, "rw-"});
    expect("the heap", {kernel_.heap, "rw-"});
    if (!context_.rules.program.empty()) check_start();
  }

 private:
  void add(const std::string& detail) { report(out_, FindingId::kDeviceMemory, detail); }

  void expect(const std::string& what, const ProbePage& place) {
    const std::string seen = mode_of(find_mapping(context_.maps, place.address));
    // Some makers let a stack be executed.
    if (seen.substr(0, 2) == place.mode.substr(0, 2)) return;
    add(what + " at " + hex_text(place.address) + ": " + seen);
  }

  // How the kernel starts Android's program that all apps are forks of.
  void check_start() {
    expect_file("the program", kernel_.program, context_.rules.program);
    expect_file("the loader", kernel_.loader, context_.rules.loader);
    expect("the start's random bytes", {kernel_.random, "rw-"});
    if (context_.rules.machine == Machine::kArm64) {
      const Mapping* page = find_mapping(context_.maps, kernel_.kernel_page);
      if (page == nullptr || page->path != "[vdso]" || !page->executable) {
        add("the kernel's functions at " + hex_text(kernel_.kernel_page) + ": " + mode_of(page));
      }
      if (kernel_.hardware_features == 0) add("the processor is said to have no features");
    }
    if (is_wide(context_.rules.machine)) {
      check_height("the stack", kernel_.stack);
      check_height("the library", context_.rules.own_code);
    }
  }

  void expect_file(const std::string& what, std::uintptr_t address, std::string_view name) {
    const Mapping* mapping = find_mapping(context_.maps, address);
    if (mapping != nullptr && file_name(mapping->path).starts_with(name) &&
        is_system_file(context_.rules, mapping->path)) {
      return;
    }
    add(what + " at " + hex_text(address) + ": " +
        (mapping == nullptr ? "not listed" : mapping->path));
  }

  // In all of its layouts, of 36 to 52 bits, Linux puts stacks and libraries of 64-bit processes
  // above what 32 bits can address.
  void check_height(const std::string& what, std::uintptr_t address) {
    if (static_cast<std::uint64_t>(address) >> 32 == 0) {
      add(what + " lies at " + hex_text(address));
    }
  }

  const Context& context_;
  const KernelAnswers& kernel_;
  Findings& out_;
};

// Functions of libc and the API level that brought them (bionic/libc/libc.map.txt).
struct Milestone {
  int level;
  std::string_view function;
};
constexpr std::array kMilestones = {Milestone{24, "getifaddrs"},
                                    Milestone{26, "nl_langinfo"},
                                    Milestone{28, "posix_spawn"},
                                    Milestone{29, "android_fdsan_set_error_level"},
                                    Milestone{30, "pthread_cond_clockwait"},
                                    Milestone{31, "pidfd_open"},
                                    Milestone{33, "backtrace"},
                                    Milestone{34, "close_range"},
                                    Milestone{35, "tcgetwinsize"}};

// The API level of a release of Android that calls itself `version` ("8.1.0"); 0 where that is no
// number.
int level_of(std::string_view version) {
  int release = 0;
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), release);
  if (error != std::errc()) return 0;
  constexpr std::array<int, 17> kLevels = {0,  0,  0,  0,  0,  0,  23, 24, 26,
                                           28, 29, 30, 31, 33, 34, 35, 36};
  return release < 0 ? 0 : kLevels[static_cast<std::size_t>(std::min(release, 16))];
}

}  // namespace

void check_kernel(const Context& context, const KernelAnswers& kernel, Findings& out) {
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const std::string wrong = wrong_answer(static_cast<Question>(i), kernel.answers[i]);
    if (!wrong.empty()) report(out, FindingId::kDeviceKernel, wrong);
  }
  check_numbers(context, kernel, out);
}

void check_memory_layout(const Context& context, const KernelAnswers& kernel, Findings& out) {
  MemoryCheck(context, kernel, out).run();
}

void check_processor(const ProcessorMarks& marks, Findings& out) {
  const auto add = [&out](const std::string& detail) {
    report(out, FindingId::kDeviceProcessor, detail);
  };
  if (marks.reservation_outlives_a_call) add("an exclusive reservation outlives a system call");
  if (!marks.reservation_works) add("no exclusive store is ever made");
  if (marks.counter_stands_still) add("the timer's counter stands still");
  if (marks.first_run_factor > kMostFirstRunFactor) {
    report(
        out, FindingId::kDeviceTiming,
        "code takes " + std::to_string(marks.first_run_factor) + " times longer at its first run");
  }
}

// The release that the platform names may be older than its libc, in a preview, and never newer.
void check_libc(const Context& context, Findings& out) {
  const int level = std::max(context.marks.api_level, level_of(context.marks.os_version));
  if (level < kMilestones.front().level || context.rules.program.empty()) return;
  for (const Module& module : context.modules) {
    if (file_name(module.path) != "libc.so" || !is_system_file(context.rules, module.path))
      continue;
    const LoadedImage* image = context.images.find(module);
    if (image == nullptr) continue;
    for (const Milestone& milestone : kMilestones) {
      if (level < milestone.level) break;
      const bool there = std::ranges::any_of(image->elf.exports, [&](const ElfExport& symbol) {
        return symbol.name == milestone.function;
      });
      if (there) continue;
      report(out, FindingId::kDeviceLibc,
             module.path + " has no " + std::string(milestone.function) + ", and API level is " +
                 std::to_string(level));
      break;
    }
  }
}

}  // namespace touchmark::attester::checks
