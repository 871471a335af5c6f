// What the kernel says where every Linux says the same: calls that it must refuse, memory that it
// must guard, the process's own numbers. Emulators of Android's libraries answer system calls
// themselves, and answer what libraries need.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace touchmark::attester::checks {

enum class Question : std::uint8_t {
  kCloseNothing,
  kDuplicateOntoItself,
  kOpenBelowAFile,
  kOpenALongName,
  kSeekInAPipe,
  kWriteFromGuardedPage,
  kReadIntoReadOnlyPage,
  kCopyFromGuardedPage,
  kMapNeitherSharedNorPrivate,
  kProtectBetweenPages,
  kAdviseNonsense,
  kAdviseBetweenPages,
  kListMappedPage,
  kListUnmappedPage,
  kListBetweenPages,
  kForgottenPage,
  kSignalItself,
  kSignalNobody,
  kSignalNonsense,
  kMaskOfAnotherSize,
  kWakeBetweenWords,
  kWaitForAnotherValue,
};
inline constexpr std::size_t kQuestions = 22;

// An answer to a question that could not be put: the process has no descriptor or page left.
inline constexpr long kNotAsked = std::numeric_limits<long>::min();

// A page that was mapped for the questions, and how /proc/self/maps has to list it.
struct ProbePage {
  std::uintptr_t address = 0;  // 0 where none could be mapped
  std::string_view mode;       // "rw-"
};

struct KernelAnswers {
  // What the kernel returned: a number that is not negative, or a negative errno.
  std::array<long, kQuestions> answers{};
  std::array<ProbePage, 3> pages{};
  std::shared_ptr<const void> kept;  // the pages stay mapped while this lives
  // The process's numbers, as the calls for them give them.
  long process = 0, thread = 0, parent = 0;
  std::uint32_t user = 0;
  // Where this thread has its stack, and the process its heap. Without the byte that memory tagging
  // uses.
  std::uintptr_t stack = 0, heap = 0;
  // What the kernel told the program when it started it (getauxval); 0 where it did not.
  std::uintptr_t program = 0;            // AT_PHDR: within the program's image
  std::uintptr_t loader = 0;             // AT_BASE
  std::uintptr_t kernel_page = 0;        // AT_SYSINFO_EHDR
  std::uintptr_t random = 0;             // AT_RANDOM: on the stack that the program started with
  std::uintptr_t hardware_features = 0;  // AT_HWCAP
};

// Asks the kernel that runs this process, by raw system calls that Android's filter for apps allows
// (every one of them is a call of bionic's: libc/SYSCALLS.TXT). Changes nothing that lasts.
KernelAnswers ask_kernel();

// What every Linux answers; tests ask for it in the place of a kernel.
KernelAnswers answers_of_linux();

// What a question asks and got, for people: "close(nothing) = 0"; "" where the answer is right.
std::string wrong_answer(Question question, long answer);

}  // namespace touchmark::attester::checks
