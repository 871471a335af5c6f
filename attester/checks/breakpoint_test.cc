#include "attester/checks/breakpoint.h"

#include <gtest/gtest.h>

namespace touchmark::attester::checks {
namespace {

// `now` stands over what was other bytes everywhere from `start` to `end`.
bool seen(Machine machine, std::initializer_list<int> now, std::size_t start, std::size_t end) {
  Bytes code;
  for (const int byte : now) code.push_back(static_cast<std::byte>(byte));
  return is_breakpoint(machine, code, start, end);
}

TEST(BreakpointTest, KnowsEachMachinesInstruction) {
  EXPECT_TRUE(seen(Machine::kX86_64, {0x90, 0xcc, 0x90}, 1, 2));
  EXPECT_TRUE(seen(Machine::kX86, {0xcc}, 0, 1));
  EXPECT_TRUE(seen(Machine::kArm64, {0, 0, 0, 0, 0x00, 0x00, 0x20, 0xd4}, 4, 8));
  EXPECT_TRUE(
      seen(Machine::kArm64, {0, 0, 0, 0, 0xe0, 0xff, 0x3f, 0xd4}, 6, 8));  // some bytes alike
  EXPECT_TRUE(seen(Machine::kArm, {0x70, 0x00, 0x20, 0xe1}, 0, 4));        // bkpt
  EXPECT_TRUE(seen(Machine::kArm, {0xf0, 0x01, 0xf0, 0xe7}, 1, 3));        // gdb, Arm
  EXPECT_TRUE(seen(Machine::kArm, {0, 0, 0x2a, 0xbe}, 2, 4));              // bkpt, Thumb
  EXPECT_TRUE(seen(Machine::kArm, {0, 0, 0x01, 0xde}, 3, 4));              // gdb, Thumb
  EXPECT_TRUE(seen(Machine::kArm, {0, 0, 0xf0, 0xf7, 0x00, 0xa0}, 2, 6));  // gdb, Thumb-2
  EXPECT_TRUE(seen(Machine::kArm, {0, 0, 0xf0, 0xf7, 0x00, 0xa0}, 5, 6));
}

TEST(BreakpointTest, TakesNothingElseForOne) {
  EXPECT_FALSE(seen(Machine::kX86_64, {0x90, 0xe9, 0x90}, 1, 2));
  EXPECT_FALSE(seen(Machine::kX86_64, {0xcc, 0xcc}, 0, 2));  // longer than one
  EXPECT_FALSE(seen(Machine::kArm64, {0x00, 0x00, 0x20, 0xd4, 1, 1, 1, 1}, 2, 6));
  EXPECT_FALSE(seen(Machine::kArm64, {0x01, 0x00, 0x00, 0xd4}, 0, 4));  // svc
  EXPECT_FALSE(seen(Machine::kArm64, {0x00, 0x00, 0x20}, 0, 3));        // cut off
  EXPECT_FALSE(seen(Machine::kArm, {0x00, 0xbf, 0x00, 0xbf}, 0, 4));    // nop
  EXPECT_FALSE(seen(Machine::kArm, {0x01, 0xbe, 0x01, 0xbe}, 0, 4));    // two
}

}  // namespace
}  // namespace touchmark::attester::checks
