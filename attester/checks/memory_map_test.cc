#include "attester/checks/memory_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace touchmark::attester::checks {
namespace {

constexpr std::string_view kMaps =
    "55d0a00000-55d0a01000 r--p 00000000 fe:00 131     /usr/bin/some program\n"
    "55d0a01000-55d0a02000 r-xp 00001000 fe:00 131     /usr/bin/some program\n"
    "7f000000-7f001000 rwxp 00000000 00:00 0 \n"
    "7f002000-7f003000 r-xp 00000000 00:01 7       /memfd:jit-cache (deleted)\n"
    "7f004000-7f005000 r--p 00000000 fe:00 132     /usr/lib/a.so\n"
    "7f005000-7f006000 r-xp 00001000 fe:00 132     /usr/lib/a.so\n"
    "7f006000-7f007000 rw-p 00000000 00:00 0 \n"
    "7f007000-7f008000 rw-p 00001000 fe:00 132     /usr/lib/a.so\n"
    "7f008000-7f009000 r--p 00000000 fe:00 132     /usr/lib/a.so\n"
    "fc000000-fc021000 rw-p 00000000 00:00 0       [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n"
    "not a line\n";

TEST(MemoryMapTest, ReadsTheKernelsList) {
  const std::vector<Mapping> maps = parse_maps(kMaps);
  constexpr bool kWide = sizeof(std::uintptr_t) == sizeof(std::uint64_t);
  ASSERT_EQ(maps.size(), kWide ? 11U : 10U);  // no address of 64 bits is this process's
  EXPECT_EQ(maps[0].path, "/usr/bin/some program");
  EXPECT_EQ(maps[1].offset, 0x1000U);
  EXPECT_TRUE(maps[1].executable && maps[1].readable && !maps[1].writable);
  EXPECT_TRUE(maps[2].path.empty());
  EXPECT_FALSE(maps[2].of_file());
  EXPECT_EQ(maps[3].path, "/memfd:jit-cache");
  EXPECT_TRUE(maps[3].deleted && !maps[3].of_file());
  if constexpr (kWide) {
    EXPECT_EQ(maps[10].start, 0xffffffffff600000U);
    EXPECT_FALSE(maps[10].readable);
  }
}

TEST(MemoryMapTest, GroupsMappingsIntoModules) {
  const std::vector<Module> modules = list_modules(parse_maps(kMaps));
  ASSERT_EQ(modules.size(), 3U);
  EXPECT_EQ(modules[1].path, "/usr/lib/a.so");
  EXPECT_EQ(modules[1].mappings.size(), 3U);
  EXPECT_EQ(modules[2].start, 0x7f008000U);  // the same file, loaded again
  EXPECT_TRUE(modules[1].executes(0x7f005010));
  EXPECT_FALSE(modules[1].executes(0x7f004010));
  EXPECT_FALSE(modules[1].holds(0x7f006010));
  EXPECT_EQ(find_module(modules, 0x7f007fff)->path, "/usr/lib/a.so");
  EXPECT_EQ(find_module(modules, 1), nullptr);
}

TEST(MemoryMapTest, CopiesWhatIsThere) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  std::memset(pages, 'x', 8192);
  Bytes out(8192);
  EXPECT_EQ(copy_memory(reinterpret_cast<std::uintptr_t>(pages), out), 8192U);
  EXPECT_EQ(out[8191], std::byte{'x'});
  munmap(pages + 4096, 4096);
  EXPECT_EQ(copy_memory(reinterpret_cast<std::uintptr_t>(pages), out), 4096U);
  EXPECT_EQ(copy_memory(16, out), 0U);
  munmap(pages, 4096);
}

TEST(MemoryMapTest, ComparesFolders) {
  EXPECT_TRUE(is_below("/usr/lib/a.so", "/usr"));
  EXPECT_FALSE(is_below("/usrlocal/a.so", "/usr"));
  EXPECT_FALSE(is_below("/usr", "/usr"));
  EXPECT_EQ(file_name("/a/b.so"), "b.so");
  EXPECT_EQ(file_name("b.so"), "b.so");
}

}  // namespace
}  // namespace touchmark::attester::checks
