#include "attester/checks/kernel_answers.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <span>
#include <vector>

#include "attester/checks/syscall.h"

namespace touchmark::attester::checks {
namespace {

using enum Question;

struct Row {
  Question question;
  std::string_view asked;
  std::array<long, 3> right;  // the first is Linux's; the others are what a sandbox may say
};

constexpr long kOnly = kNotAsked;  // no further answer is right

// In the order of the enum. Each holds since Linux 3.4, which the oldest phones of API 23 run, on
// every processor, and in gVisor.
constexpr std::array<Row, kQuestions> kRows{{
    {kCloseNothing, "close(-1)", {-EBADF, kOnly, kOnly}},
    {kDuplicateOntoItself, "dup3 onto itself", {-EINVAL, kOnly, kOnly}},
    {kOpenBelowAFile, "open below a file", {-ENOTDIR, kOnly, kOnly}},
    {kOpenALongName, "open a name of 5,000 bytes", {-ENAMETOOLONG, kOnly, kOnly}},
    {kSeekInAPipe, "lseek in a pipe", {-ESPIPE, kOnly, kOnly}},
    {kWriteFromGuardedPage, "write from a guarded page", {-EFAULT, kOnly, kOnly}},
    {kReadIntoReadOnlyPage, "read into a read-only page", {-EFAULT, kOnly, kOnly}},
    {kCopyFromGuardedPage, "copy from a guarded page", {-EFAULT, -ENOSYS, -EPERM}},
    {kMapNeitherSharedNorPrivate, "mmap of no kind", {-EINVAL, kOnly, kOnly}},
    {kProtectBetweenPages, "mprotect between pages", {-EINVAL, kOnly, kOnly}},
    {kAdviseNonsense, "madvise that is none", {-EINVAL, kOnly, kOnly}},
    {kAdviseBetweenPages, "madvise between pages", {-EINVAL, kOnly, kOnly}},
    {kListMappedPage, "mincore of a page", {0, kOnly, kOnly}},
    {kListUnmappedPage, "mincore of no page", {-ENOMEM, kOnly, kOnly}},
    {kListBetweenPages, "mincore between pages", {-EINVAL, kOnly, kOnly}},
    {kForgottenPage, "what a page holds after MADV_DONTNEED", {0, kOnly, kOnly}},
    {kSignalItself, "tgkill(0) to itself", {0, kOnly, kOnly}},
    {kSignalNobody, "tgkill(0) to nobody", {-ESRCH, kOnly, kOnly}},
    {kSignalNonsense, "tgkill of no signal", {-EINVAL, kOnly, kOnly}},
    {kMaskOfAnotherSize, "a signal mask of another size", {-EINVAL, kOnly, kOnly}},
    {kWakeBetweenWords, "futex between words", {-EINVAL, kOnly, kOnly}},
    {kWaitForAnotherValue, "futex for another value", {-EAGAIN, kOnly, kOnly}},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kQuestions; ++i) {
    if (static_cast<std::size_t>(kRows[i].question) != i) return false;
  }
  return true;
}
static_assert(in_order());

bool is_error(long result) { return static_cast<unsigned long>(result) > -4096UL; }

// A pointer without the byte that memory tagging uses.
std::uintptr_t plain(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
#if defined(__aarch64__)
  return address & (~std::uintptr_t{0} >> 8);
#else
  return address;
#endif
}

long map_call(std::size_t size, int protection, int flags) {
#if defined(__LP64__)
  constexpr long kNumber = __NR_mmap;
#else
  constexpr long kNumber = __NR_mmap2;
#endif
  return system_call(kNumber, 0, static_cast<long>(size), protection, flags, -1, 0);
}

// Three pages beside each other: one to read and write, one to read, one for nothing.
class Pages {
 public:
  explicit Pages(std::size_t size) : size_(size) {
    const long start = map_call(3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (is_error(start)) return;
    start_ = static_cast<std::uintptr_t>(start);
    system_call(__NR_mprotect, at(1), static_cast<long>(size), PROT_READ);
    system_call(__NR_mprotect, at(2), static_cast<long>(size), PROT_NONE);
  }
  ~Pages() {
    if (start_ != 0) system_call(__NR_munmap, at(0), static_cast<long>(3 * size_));
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  bool mapped() const { return start_ != 0; }
  long size() const { return static_cast<long>(size_); }
  long at(std::size_t page) const { return static_cast<long>(start_ + page * size_); }
  std::array<ProbePage, 3> list() const {
    if (!mapped()) return {};
    return {ProbePage{start_, "rw-"}, ProbePage{start_ + size_, "r--"},
            ProbePage{start_ + 2 * size_, "---"}};
  }

 private:
  std::uintptr_t start_ = 0;
  std::size_t size_;
};

class Pipe {
 public:
  Pipe() : made_(system_call(__NR_pipe2, as_argument(ends_.data()), O_CLOEXEC | O_NONBLOCK)) {}
  ~Pipe() {
    if (!made()) return;
    for (const int end : ends_) system_call(__NR_close, end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool made() const { return made_ == 0; }
  int out() const { return ends_[0]; }
  int in() const { return ends_[1]; }

 private:
  std::array<int, 2> ends_{};
  long made_;
};

using Answers = std::array<long, kQuestions>;
long& of(Answers& answers, Question question) {
  return answers[static_cast<std::size_t>(question)];
}

void ask_about_files(Answers& out) {
  of(out, kCloseNothing) = system_call(__NR_close, -1);
  const long below = open_call("/proc/self/status/none", O_RDONLY | O_CLOEXEC);
  // A descriptor is taken before the path is looked at.
  of(out, kOpenBelowAFile) = below == -EMFILE || below == -ENFILE ? kNotAsked : below;
  of(out, kOpenALongName) = open_call(std::string(5000, 'a').c_str(), O_RDONLY | O_CLOEXEC);
}

void ask_about_pipes(Answers& out, const Pages& pages) {
  const Pipe pipe;
  if (!pipe.made() || !pages.mapped()) return;
  of(out, kDuplicateOntoItself) = system_call(__NR_dup3, pipe.out(), pipe.out(), 0);
  of(out, kSeekInAPipe) = system_call(__NR_lseek, pipe.out(), 0, 1 /* SEEK_CUR */);
  of(out, kWriteFromGuardedPage) = system_call(__NR_write, pipe.in(), pages.at(2), 1);
  const char one = 'x';
  system_call(__NR_write, pipe.in(), as_argument(&one), 1);
  of(out, kReadIntoReadOnlyPage) = system_call(__NR_read, pipe.out(), pages.at(1), 1);
}

// ThreadSanitizer does not see raw system calls give pages back, and takes the page of one thread
// for that of the one before.
__attribute__((no_sanitize("thread"))) void ask_about_memory(Answers& out, const Pages& pages,
                                                             long process) {
  // Neither shared nor private: what such a mapping would be, no kernel knows.
  const long none = map_call(static_cast<std::size_t>(pages.size()), PROT_READ, MAP_ANONYMOUS);
  of(out, kMapNeitherSharedNorPrivate) = is_error(none) ? none : 0;
  if (!is_error(none)) system_call(__NR_munmap, none, pages.size());
  if (!pages.mapped()) return;

  std::array<unsigned char, 16> listed{};
  const auto list = [&](long address) {
    return system_call(__NR_mincore, address, pages.size(), as_argument(listed.data()));
  };
  auto* first = reinterpret_cast<volatile unsigned char*>(pages.at(0));
  *first = 0x5a;
  of(out, kListMappedPage) = list(pages.at(0));
  of(out, kListUnmappedPage) = list(0);  // nothing is ever mapped at the lowest page
  of(out, kListBetweenPages) = list(pages.at(0) + 1);
  of(out, kProtectBetweenPages) =
      system_call(__NR_mprotect, pages.at(0) + 1, pages.size(), PROT_READ | PROT_WRITE);
  of(out, kAdviseNonsense) = system_call(__NR_madvise, pages.at(0), pages.size(), 12345);
  of(out, kAdviseBetweenPages) =
      system_call(__NR_madvise, pages.at(0) + 1, pages.size(), MADV_NORMAL);
  // Memory that the app has locked is not forgotten (mlockall).
  if (system_call(__NR_madvise, pages.at(0), pages.size(), MADV_DONTNEED) != -EINVAL) {
    of(out, kForgottenPage) = *first;
  }

  unsigned char copied = 0;
  const iovec local{&copied, 1};
  const iovec remote{reinterpret_cast<void*>(pages.at(2)), 1};
  of(out, kCopyFromGuardedPage) = system_call(__NR_process_vm_readv, process, as_argument(&local),
                                              1, as_argument(&remote), 1, 0);
}

void ask_about_threads(Answers& out, long process, long thread) {
  constexpr long kNobody = 0x3fff'ffff;  // above the highest number that a thread can have
  of(out, kSignalItself) = system_call(__NR_tgkill, process, thread, 0);
  of(out, kSignalNobody) = system_call(__NR_tgkill, process, kNobody, 0);
  of(out, kSignalNonsense) = system_call(__NR_tgkill, process, thread, 99);
  of(out, kMaskOfAnotherSize) = system_call(__NR_rt_sigprocmask, 0, 0, 0, 3);

  constexpr long kWait = 128;  // FUTEX_WAIT_PRIVATE
  constexpr long kWake = 129;
  alignas(8) const std::array<std::uint32_t, 2> words{1, 1};
  const KernelTime soon{0, 1};  // where the kernel waits after all
  of(out, kWakeBetweenWords) = system_call(__NR_futex, as_argument(words.data()) + 1, kWake, 1);
  of(out, kWaitForAnotherValue) =
      system_call(__NR_futex, as_argument(words.data()), kWait, 2, as_argument(&soon));
}

}  // namespace

KernelAnswers ask_kernel() {
  KernelAnswers out;
  out.answers.fill(kNotAsked);
#if defined(__LP64__)
  out.user = static_cast<std::uint32_t>(system_call(__NR_getuid));
#else
  out.user = static_cast<std::uint32_t>(system_call(__NR_getuid32));  // may be over 2,147,483,647
#endif
  out.process = system_call(__NR_getpid);
  out.thread = system_call(__NR_gettid);
  out.parent = system_call(__NR_getppid);
  const std::size_t page = getauxval(AT_PAGESZ);
  const auto pages = std::make_shared<const Pages>(page == 0 ? 4096 : page);
  ask_about_files(out.answers);
  ask_about_pipes(out.answers, *pages);
  ask_about_memory(out.answers, *pages, out.process);
  ask_about_threads(out.answers, out.process, out.thread);
  out.pages = pages->list();
  out.kept = pages;
  out.stack = plain(&out);
  out.heap = plain(pages.get());
  out.program = getauxval(AT_PHDR);
  out.loader = getauxval(AT_BASE);
  out.kernel_page = getauxval(AT_SYSINFO_EHDR);
  out.random = plain(reinterpret_cast<const void*>(getauxval(AT_RANDOM)));
  out.hardware_features = getauxval(AT_HWCAP);
  return out;
}

KernelAnswers answers_of_linux() {
  KernelAnswers out;
  for (std::size_t i = 0; i < kQuestions; ++i) out.answers[i] = kRows[i].right[0];
  return out;
}

std::string wrong_answer(Question question, long answer) {
  const Row& row = kRows[static_cast<std::size_t>(question)];
  for (const long right : row.right) {
    if (answer == right) return "";  // kNotAsked among them
  }
  return std::string(row.asked) + ": " + std::to_string(answer) + " and not " +
         std::to_string(row.right[0]);
}

}  // namespace touchmark::attester::checks
