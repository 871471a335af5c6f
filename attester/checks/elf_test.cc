#include "attester/checks/elf.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "attester/checks/raw_file.h"

namespace touchmark::attester::checks {
namespace {

Bytes sample() { return *read_whole(SAMPLE_LIBRARY, 1 << 30); }

TEST(ElfTest, ReadsALibrary) {
  const Result<ElfImage> image = parse_elf(sample());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->soname, "libtouchmark_sample_library.so");
  const auto executable = [](const ElfSegment& segment) { return segment.executable; };
  EXPECT_EQ(std::ranges::count_if(image->segments, executable), 1);
  const auto named = [](const ElfExport& symbol) { return symbol.name == "touchmark_sample"; };
  EXPECT_EQ(std::ranges::count_if(image->exports, named), 1);
}

TEST(ElfTest, ReadsAProgram) {
  const Result<ElfImage> image = parse_elf(*read_whole("/proc/self/exe", 1 << 30));
  ASSERT_TRUE(image);
  EXPECT_GT(image->imports.size(), 50U);
  EXPECT_THAT(image->needed, ::testing::IsSupersetOf({"libcrypto.so.3", "libc.so.6"}));
}

TEST(ElfTest, RefusesOtherFiles) {
  EXPECT_TRUE(parse_elf({}).error().is(ElfError::kNotElf));
  EXPECT_TRUE(parse_elf(as_bytes("\x7f"
                                 "ELF"))
                  .error()
                  .is(ElfError::kNotElf));
  Bytes other = sample();
  other[EI_CLASS] = std::byte{ELFCLASS32};
  EXPECT_FALSE(parse_elf(other));
}

// Whatever a field says, the reader stays inside the image and comes to an end.
TEST(ElfTest, SurvivesDamage) {
  const Bytes whole = sample();
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    (void)parse_elf(ByteView(whole).first(size));
  }
  // Headers, dynamic section and tables lie in the first pages and the last.
  for (std::size_t at = 0; at + 8 <= whole.size(); at += 8) {
    Bytes damaged = whole;
    std::memset(damaged.data() + at, 0xff, 8);
    (void)parse_elf(damaged);
    std::memset(damaged.data() + at, 0x00, 8);
    (void)parse_elf(damaged);
  }
}

}  // namespace
}  // namespace touchmark::attester::checks
