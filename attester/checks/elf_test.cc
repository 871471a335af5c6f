#include "attester/checks/elf.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "attester/checks/kernel.h"
#include "attester/testing/elf_builder.h"
#include "attester/testing/phone_image.h"

namespace touchmark::attester::checks {
namespace {

Bytes sample() { return *read_whole(this_kernel(), SAMPLE_LIBRARY, 1 << 30); }

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
  const Result<ElfImage> image = parse_elf(*read_whole(this_kernel(), "/proc/self/exe", 1 << 30));
  ASSERT_TRUE(image);
  EXPECT_GT(image->imports.size(), 50U);
  EXPECT_THAT(image->needed, ::testing::IsSupersetOf({"libcrypto.so.3", "libc.so.6"}));
}

// A file of which bytes can be read up to `end`.
class CountedSource final : public Source {
 public:
  explicit CountedSource(Bytes bytes) : end(bytes.size()), bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() > end) return fail(SourceError::kIo, "this block is damaged");
    std::copy_n(bytes_.data() + offset, out.size(), out.data());
    read += out.size();
    return {};
  }

  std::uint64_t end;
  mutable std::uint64_t read = 0;

 private:
  Bytes bytes_;
};

TEST(ElfTest, ReadsOfAFileWhatTheTablesNeed) {
  const Bytes program = *read_whole(this_kernel(), "/proc/self/exe", 1 << 30);
  const CountedSource source(program);
  const Result<ElfImage> whole = parse_elf(program);
  const Result<ElfImage> image = parse_elf(source);
  ASSERT_TRUE(image && whole);
  EXPECT_EQ(image->imports.size(), whole->imports.size());
  EXPECT_EQ(image->exports.size(), whole->exports.size());
  EXPECT_EQ(image->needed, whole->needed);
  EXPECT_LT(source.read, program.size() / 2);
}

TEST(ElfTest, EndsATableWhereTheFileCannotBeRead) {
  CountedSource source(*read_whole(this_kernel(), "/proc/self/exe", 1 << 30));
  const std::size_t all = parse_elf(source)->imports.size();
  for (const std::uint64_t end :
       {std::uint64_t{0}, std::uint64_t{16 * 1024}, std::uint64_t{64 * 1024}, source.size() / 2}) {
    source.end = end;
    const Result<ElfImage> image = parse_elf(source);
    EXPECT_EQ(image.has_value(), end > 0);
    if (image) {
      EXPECT_LE(image->imports.size(), all);
    }
    const auto segments = parse_segments(source);
    EXPECT_EQ(segments.has_value(), end > 0);
  }
}

struct MachineCase {
  Machine machine;
  std::uint32_t jump_slot, global_data, absolute;  // the relocations of its ABI's supplement
  std::uint32_t relative;
};
constexpr MachineCase kCases[] = {{Machine::kArm, 22, 21, 2, 23},
                                  {Machine::kArm64, 1026, 1025, 257, 1027},
                                  {Machine::kX86, 7, 6, 1, 8},
                                  {Machine::kX86_64, 7, 6, 1, 8}};

testing::ElfPlan plan_of(const MachineCase& machine) {
  return {.machine = machine.machine,
          .soname = "libone.so",
          .needed = {"libc.so", "libm.so"},
          .imports = {{"open", 0x5000, machine.jump_slot, true},
                      {"read", 0x5010, machine.global_data, false},
                      {"write", 0x5020, machine.absolute, false},
                      {"none", 0x5030, machine.relative, false}},
          .exports = {{"first", 0x2001}, {"second", 0x2040}}};
}

TEST(ElfTest, ReadsTheImagesOfEveryMachine) {
  for (const MachineCase& machine : kCases) {
    for (const bool gnu_hash : {false, true}) {
      SCOPED_TRACE(std::string(abi_name(machine.machine)));
      testing::ElfPlan plan = plan_of(machine);
      plan.gnu_hash = gnu_hash;
      const Bytes bytes = testing::ElfBuilder(plan).build();
      const Result<ElfImage> image = parse_elf(bytes, machine.machine);
      ASSERT_TRUE(image) << image.error().text();
      ASSERT_EQ(image->segments.size(), 1U);
      EXPECT_EQ(image->segments[0].address, testing::ElfBuilder::kLinkedAt);
      EXPECT_EQ(image->segments[0].file_size, bytes.size());
      EXPECT_TRUE(image->segments[0].executable);
      EXPECT_EQ(image->soname, "libone.so");
      EXPECT_THAT(image->needed, ::testing::ElementsAre("libc.so", "libm.so"));
      std::vector<std::pair<std::string, std::uint64_t>> imports;
      for (const ElfImport& import : image->imports) imports.emplace_back(import.name, import.slot);
      EXPECT_THAT(imports, ::testing::UnorderedElementsAre(std::pair("open", 0x5000U),
                                                           std::pair("read", 0x5010U),
                                                           std::pair("write", 0x5020U)));
      ASSERT_EQ(image->exports.size(), 2U);
      EXPECT_EQ(image->exports[0].name, "first");
      EXPECT_EQ(image->exports[0].address, 0x2001U);  // Thumb's mark stays
      EXPECT_EQ(image->exports[1].address, 0x2040U);
    }
  }
}

TEST(ElfTest, RefusesTheImagesOfOtherMachines) {
  for (const MachineCase& machine : kCases) {
    const Bytes bytes = testing::ElfBuilder(plan_of(machine)).build();
    for (const Machine other : kMachines) {
      EXPECT_EQ(parse_elf(bytes, other).has_value(), other == machine.machine);
    }
  }
}

TEST(ElfTest, SurvivesDamageOfEveryMachinesImage) {
  for (const MachineCase& machine : kCases) {
    for (const bool gnu_hash : {false, true}) {
      testing::ElfPlan plan = plan_of(machine);
      plan.gnu_hash = gnu_hash;
      const Bytes whole = testing::ElfBuilder(plan).build();
      for (std::size_t size = 0; size < whole.size(); ++size) {
        (void)parse_elf(ByteView(whole).first(size), machine.machine);
      }
      for (std::size_t at = 0; at + 4 <= whole.size(); ++at) {
        for (const int value : {0xff, 0x00, 0x7f}) {
          Bytes damaged = whole;
          std::memset(damaged.data() + at, value, 4);
          (void)parse_elf(damaged, machine.machine);
        }
      }
    }
  }
}

// The forms in which Android's linkers write relocations; the writer is another one than above.
TEST(ElfTest, ReadsTheTablesOfAndroidsReleases) {
  using testing::PhoneImagePlan;
  using testing::SymbolKind;
  for (const Machine machine : kMachines) {
    for (const bool packed : {false, true}) {
      for (const auto relative :
           {PhoneImagePlan::Relative::kPlain, PhoneImagePlan::Relative::kAndroid,
            PhoneImagePlan::Relative::kRelr}) {
        for (const bool text_relocations : {false, true}) {
          PhoneImagePlan plan;
          plan.machine = machine;
          plan.imports = {"open", "read", "write", "close", "abort"};
          plan.interposed = {"own"};
          plan.exports = {{"own", SymbolKind::kFunction},
                          {"chosen", SymbolKind::kIndirect},
                          {"plain", SymbolKind::kPlain}};
          plan.packed = packed;
          plan.relative = relative;
          plan.text_relocations = text_relocations;
          plan.unreadable_text = machine == Machine::kArm64;
          const testing::PhoneImage made = testing::make_image(plan);
          const Result<ElfImage> image = parse_elf(made.bytes, machine);
          ASSERT_TRUE(image);
          std::multimap<std::string, std::uint64_t> slots;
          for (const ElfImport& import : image->imports) {
            slots.emplace(import.name, import.slot);
            EXPECT_EQ(import.addend, 0U);
            EXPECT_FALSE(import.variable) << import.name;  // all lie in what becomes read-only
          }
          EXPECT_EQ(slots, made.slots);
          std::map<std::string, std::uint64_t> exports;
          for (const ElfExport& symbol : image->exports) {
            exports.emplace(symbol.name, symbol.address);
            EXPECT_EQ(symbol.chosen_at_load, symbol.name == "chosen");
          }
          EXPECT_EQ(exports, made.addresses);
          EXPECT_EQ(image->segments[1].readable, machine != Machine::kArm64);
          EXPECT_EQ(image->text_relocations,
                    text_relocations ? std::vector{made.text_word} : std::vector<std::uint64_t>());
        }
      }
    }
  }
}

TEST(ElfTest, SurvivesDamageOfPackedTables) {
  using testing::PhoneImagePlan;
  for (const Machine machine : kMachines) {
    PhoneImagePlan plan;
    plan.machine = machine;
    plan.imports = {"open", "read", "write"};
    plan.packed = true;
    plan.relative = PhoneImagePlan::Relative::kRelr;
    plan.text_relocations = true;
    plan.code_size = 64;
    const Bytes whole = testing::make_image(plan).bytes;
    const std::size_t tables = 4096;  // before the code
    for (std::size_t at = 0; at < std::min(tables, whole.size()); ++at) {
      for (const std::byte value : {std::byte{0xff}, std::byte{0}, std::byte{0x7f}}) {
        Bytes damaged = whole;
        damaged[at] = value;
        (void)parse_elf(damaged, machine);
      }
    }
  }
}

TEST(ElfTest, RefusesOtherFiles) {
  EXPECT_TRUE(parse_elf({}).error().is(ElfError::kNotElf));
  EXPECT_TRUE(parse_elf(as_bytes("\x7f"
                                 "ELF"))
                  .error()
                  .is(ElfError::kNotElf));
  Bytes other = sample();
  other[EI_CLASS] = std::byte{is_wide(kOwnMachine) ? ELFCLASS32 : ELFCLASS64};
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
