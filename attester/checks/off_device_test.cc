// The checks for emulators of libraries, on this machine's kernel and processor: they show nothing.

#include <array>
#include <thread>

#include "attester/testing/checks.h"

namespace touchmark::attester::checks {
namespace {

using testing::has;
using testing::text;

Findings look(const KernelAnswers& answers, const KernelAnswers& given) {
  const auto maps = read_maps();
  const std::vector<Module> modules = list_modules(*maps);
  const Rules rules = testing::test_rules();
  const PlatformMarks marks;
  const OwnPackage own;
  const Images images(this_kernel(), rules.machine);
  const Context context{rules, marks, *maps, modules, own, images};
  Findings out;
  check_kernel(context, given, out);
  check_memory_layout(context, answers, out);
  return out;
}

TEST(OffDeviceTest, AKernelAnswersAsLinuxDoes) {
  const KernelAnswers answers = ask_kernel();
  const KernelAnswers linux_ones = answers_of_linux();
  for (std::size_t i = 0; i < kQuestions; ++i) {
    EXPECT_EQ(answers.answers[i], linux_ones.answers[i])
        << wrong_answer(static_cast<Question>(i), answers.answers[i]);
  }
  EXPECT_EQ(text(look(answers, answers)), "");
  EXPECT_NE(answers.kernel_page, 0U);
  EXPECT_NE(answers.program, 0U);
  EXPECT_NE(answers.random, 0U);
}

TEST(OffDeviceTest, SoItDoesInEveryThread) {
  Findings seen;
  std::thread([&seen] {
    const KernelAnswers answers = ask_kernel();
    seen = look(answers, answers);
  }).join();
  EXPECT_EQ(text(seen), "");
}

TEST(OffDeviceTest, LeavesNothingBehind) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = descriptors();
  std::uintptr_t page = 0;
  for (int i = 0; i < 100; ++i) page = ask_kernel().pages[0].address;
  EXPECT_EQ(descriptors(), before);
  const auto maps = read_maps();
  EXPECT_TRUE(std::ranges::none_of(*maps, [page](const Mapping& mapping) {
    return mapping.holds(page) && mapping.start == page && !mapping.readable;
  }));
}

TEST(OffDeviceTest, SeesNumbersThatAreNotTheProcesss) {
  const KernelAnswers answers = ask_kernel();
  std::array others = {answers, answers, answers};
  ++others[0].process;
  ++others[1].parent;
  ++others[2].user;
  for (const KernelAnswers& other : others) {
    EXPECT_TRUE(has(look(answers, other), protocol::FindingId::kDeviceKernel));
  }
}

TEST(OffDeviceTest, SeesAListWithoutItsPages) {
  KernelAnswers answers = ask_kernel();
  answers.kept.reset();  // unmapped now
  EXPECT_TRUE(has(look(answers, answers), protocol::FindingId::kDeviceMemory));
}

TEST(OffDeviceTest, AProcessorBehavesAsOne) {
  for (int i = 0; i < 200; ++i) {
    const ProcessorMarks marks = look_at_processor();
    Findings seen;
    check_processor(marks, seen);
    ASSERT_EQ(text(seen), "") << marks.first_run_factor;
  }
}

// While every processor is busy, and interrupted.
TEST(OffDeviceTest, SoItDoesUnderLoad) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> busy;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    busy.emplace_back([&stop] {
      while (!stop) ask_kernel();
    });
  }
  Findings seen;
  for (int i = 0; i < 50; ++i) {
    const KernelAnswers answers = ask_kernel();
    for (const protocol::Finding& finding : look(answers, answers)) seen.push_back(finding);
    check_processor(look_at_processor(), seen);
  }
  stop = true;
  for (std::thread& thread : busy) thread.join();
  EXPECT_EQ(text(seen), "");
}

}  // namespace
}  // namespace touchmark::attester::checks
