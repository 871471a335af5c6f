// An installed app in a temporary folder: its library is loaded from there, and then things go
// wrong.
#include "attester/checks/own_package.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "attester/checks/elf.h"
#include "attester/checks/process_integrity.h"
#include "attester/testing/checks.h"
#include "attester/testing/package.h"
#include "attester/testing/testing.h"
#include "package/package.h"
#include "tests/support/temporary_folder.h"

namespace touchmark::attester::checks {
namespace {

namespace fs = std::filesystem;
using protocol::FindingId;
using testing::has;
using testing::in_child;
using testing::signed_package;
using testing::test_rules;
using testing::text;
using touchmark::testing::TemporaryFolder;

#if defined(__x86_64__)
const std::string kAbi = "x86_64";
#else
const std::string kAbi = "arm64-v8a";
#endif

TEST(PackageOfTest, FollowsTheInstallersLayout) {
  EXPECT_EQ(package_of("/data/app/~~a==/org.x-b==/lib/arm64/libtouchmark.so"),
            "/data/app/~~a==/org.x-b==/base.apk");
  EXPECT_EQ(package_of("/data/app/org.x-1/base.apk"), "/data/app/org.x-1/base.apk");
  EXPECT_EQ(package_of("/data/app/org.x-1/split_config.arm64_v8a.apk"),
            "/data/app/org.x-1/base.apk");
  EXPECT_EQ(package_of("/data/local/tmp/libtouchmark.so"), "");
  EXPECT_EQ(package_of("libtouchmark.so"), "");
}

class OwnPackageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string library = to_string(*read_whole(this_kernel(), SAMPLE_LIBRARY, 1 << 30));
    package_ = signed_package(
        {{"classes.dex", "code of the app"}, {"lib/" + kAbi + "/libsample.so", library}});
    install(dir_.path(), package_, library);
  }

  static void write(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  static void install(const fs::path& folder, const std::string& package,
                      const std::string& library) {
    write(folder / "base.apk", package);
    write(folder / "lib" / kAbi / "libsample.so", library);
  }
  fs::path library() const { return dir_.path() / "lib" / kAbi / "libsample.so"; }
  fs::path package() const { return dir_.path() / "base.apk"; }

  // Loads the app's library and inspects the process as its code would. For a child process.
  static Inspection inspect(
      const fs::path& library, const std::string& platform_path,
      const std::function<void(void*)>& attack = [](void*) {}) {
    void* handle = dlopen(library.c_str(), RTLD_NOW);
    if (handle == nullptr) return {};
    void* function = dlsym(handle, "touchmark_sample");
    attack(function);
    Rules rules = test_rules();
    rules.own_code = reinterpret_cast<std::uintptr_t>(function);
    return make_process_integrity({.rules = rules, .marks = {}, .platform_path = platform_path})
        ->inspect();
  }
  static bool only(const Inspection& inspection, const std::vector<FindingId>& expected) {
    std::vector<FindingId> seen;
    for (const protocol::Finding& finding : inspection.findings) {
      if (std::ranges::find(seen, finding.id) == seen.end()) seen.push_back(finding.id);
    }
    if (std::ranges::is_permutation(seen, expected)) return true;
    std::fputs(text(inspection.findings).c_str(), stderr);
    return false;
  }

  TemporaryFolder dir_;
  std::string package_;
};

TEST_F(OwnPackageTest, AnInstalledAppShowsNothing) {
  EXPECT_TRUE(in_child([this] {
    const Inspection inspection = inspect(library(), package().string());
    return only(inspection, {}) && inspection.measurement &&
           inspection.measurement->package_name == "org.example.app" &&
           inspection.measurement->parts.size() == 3;
  }));
}

TEST_F(OwnPackageTest, ThePlatformMayNameThePackageByAnotherPath) {
  const fs::path link = dir_.path() / "link.apk";
  fs::create_symlink(package(), link);
  EXPECT_TRUE(in_child([&] { return only(inspect(library(), link.string()), {}); }));
}

TEST_F(OwnPackageTest, SeesAnotherPackageNamed) {
  TemporaryFolder genuine;
  write(genuine.path() / "base.apk", package_);
  EXPECT_TRUE(in_child([&] {
    return only(inspect(library(), (genuine.path() / "base.apk").string()),
                {FindingId::kAppPathMismatch});
  }));
}

TEST_F(OwnPackageTest, SeesAPackageThatTheAppItselfWrote) {
  EXPECT_TRUE(in_child([this] {
    Rules rules = test_rules();
    rules.first_app_user = 0;  // whoever runs this test
    void* handle = dlopen(library().c_str(), RTLD_NOW);
    rules.own_code = reinterpret_cast<std::uintptr_t>(dlsym(handle, "touchmark_sample"));
    const auto integrity =
        make_process_integrity({.rules = rules, .marks = {}, .platform_path = {}});
    return only(integrity->inspect(), {FindingId::kAppPathMismatch});
  }));
}

TEST_F(OwnPackageTest, SeesABrokenPackage) {
  std::string broken = package_;
  broken[40] = static_cast<char>(broken[40] ^ 1);
  write(package(), broken);
  EXPECT_TRUE(in_child([this] {
    const Inspection inspection = inspect(library(), package().string());
    return only(inspection, {FindingId::kAppUnreadable}) && !inspection.measurement;
  }));
  fs::remove(package());
  EXPECT_TRUE(
      in_child([this] { return only(inspect(library(), ""), {FindingId::kAppUnreadable}); }));
}

// What is registered is the file that the build made, what is attested the installer's copy of it.
TEST_F(OwnPackageTest, MeasuresTheInstalledCopyAsTheFile) {
  const auto file = touchmark::from_memory(to_bytes(package_));
  const auto registered = package::measure(*file);
  ASSERT_TRUE(registered);
  EXPECT_EQ(MeasurementCache().measure({package().string()})->measurement, *registered);
}

// A measurement is kept only as long as the file stays what it was.
TEST_F(OwnPackageTest, MeasuresAChangedPackageAnew) {
  MeasurementCache cache;
  const Result<MeasuredPackages> first = cache.measure({package().string()});
  ASSERT_TRUE(first);
  EXPECT_EQ(cache.measure({package().string()})->measurement, first->measurement);
  {
    std::fstream file(package(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);  // in place: same file, same size
    file.put(static_cast<char>(package_[40] ^ 1));
  }
  EXPECT_FALSE(cache.measure({package().string()}));
  write(package(), package_);
  EXPECT_TRUE(cache.measure({package().string()}));
  write(package(), signed_package({{"classes.dex", "other code"}}));
  const Result<MeasuredPackages> other = cache.measure({package().string()});
  ASSERT_TRUE(other);
  EXPECT_NE(package::digest(other->measurement), package::digest(first->measurement));
}

TEST_F(OwnPackageTest, SeesALibraryThatThePackageDoesNotHold) {
  const std::string library_text = to_string(*read_whole(this_kernel(), SAMPLE_LIBRARY, 1 << 30));
  write(package(), signed_package({{"classes.dex", "x"}}));
  EXPECT_TRUE(in_child(
      [this] { return only(inspect(library(), ""), {FindingId::kAppCodeNotFromPackage}); }));
  // One byte of data differs; the code is the same.
  std::string other = library_text;
  other.back() = static_cast<char>(other.back() ^ 1);
  install(dir_.path(), package_, other);
  EXPECT_TRUE(in_child(
      [this] { return only(inspect(library(), ""), {FindingId::kAppCodeNotFromPackage}); }));
}

TEST_F(OwnPackageTest, SeesOwnCodePatched) {
  EXPECT_TRUE(in_child([this] {
    const auto patch = [](void* function) {
      auto* page = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(function) & ~0xfffUL);
      mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
      std::memset(function, 0x90, 4);
      mprotect(page, 8192, PROT_READ | PROT_EXEC);
    };
    return only(inspect(library(), "", patch),
                {FindingId::kAppCodeNotFromPackage, FindingId::kHookTextModified});
  }));
}

TEST_F(OwnPackageTest, SeesAForeignLibraryAmongTheApps) {
  const fs::path foreign = library().parent_path() / "libforeign.so";
  fs::copy_file(SAMPLE_LIBRARY, foreign);
  EXPECT_TRUE(in_child([&] {
    return only(inspect(library(), "", [&](void*) { dlopen(foreign.c_str(), RTLD_NOW); }),
                {FindingId::kHookUnknownCode});
  }));
}

TEST_F(OwnPackageTest, ProvesRangesOfItsOwnPackage) {
  EXPECT_TRUE(in_child([this] {
    void* handle = dlopen(library().c_str(), RTLD_NOW);
    Rules rules = test_rules();
    rules.own_code = reinterpret_cast<std::uintptr_t>(dlsym(handle, "touchmark_sample"));
    const auto integrity =
        make_process_integrity({.rules = rules, .marks = {}, .platform_path = {}});
    const std::vector<protocol::Range> ranges{
        {"classes.dex", 0, 4}, {"absent.dex", 0, 9}, {"classes.dex", 12, 100}};
    return integrity->range_proof(as_bytes("nonce"), ranges) == crypto::sha256(as_bytes("nonce"
                                                                                        "code"
                                                                                        "app"));
  }));
}

// Loads the library that begins at `base` in a package, as Android's loader does; nothing in it
// needs a relocation to be run. Gives the address of its function.
std::uintptr_t map_from_package(const fs::path& package, std::uint64_t base) {
  const Bytes bytes = *read_whole(this_kernel(), package.string(), 1 << 30);
  const ElfImage elf = *parse_elf(ByteView(bytes).subspan(base));
  constexpr std::uintptr_t kPage = 4096;
  std::uintptr_t end = 0;
  for (const ElfSegment& segment : elf.segments) {
    end = std::max<std::uintptr_t>(end, segment.address + segment.file_size);
  }
  void* room = mmap(nullptr, end + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const auto start = reinterpret_cast<std::uintptr_t>(room);
  const int fd = open(package.c_str(), O_RDONLY | O_CLOEXEC);
  for (const ElfSegment& segment : elf.segments) {
    const std::uintptr_t first = segment.address / kPage * kPage;
    mmap(reinterpret_cast<void*>(start + first), segment.address + segment.file_size - first,
         PROT_READ | (segment.executable ? PROT_EXEC : 0), MAP_PRIVATE | MAP_FIXED, fd,
         static_cast<off_t>(base + segment.offset / kPage * kPage));
  }
  close(fd);
  for (const ElfExport& symbol : elf.exports) {
    if (symbol.name == "touchmark_sample") return start + symbol.address;
  }
  return 0;
}

// As Gradle packs apps: nobody takes the library out, it is mapped where it is, of the base or of a
// split. The function's name does not matter, only where it lies.
TEST_F(OwnPackageTest, MayBeMappedStraightFromAPackage) {
  const std::string native = to_string(*read_whole(this_kernel(), SAMPLE_LIBRARY, 1 << 30));
  const std::string part = "lib/" + kAbi + "/libsample.so";
  fs::remove_all(dir_.path() / "lib");
  const auto inspect_mapped = [this](const fs::path& mapped, std::uint64_t base, bool patch) {
    Rules rules = test_rules();
    rules.own_code = map_from_package(mapped, base);
    if (patch) {
      auto* page = reinterpret_cast<void*>(rules.own_code & ~0xfffUL);
      mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
      std::memset(reinterpret_cast<void*>(rules.own_code), 0x90, 4);
      mprotect(page, 4096, PROT_READ | PROT_EXEC);
    }
    // The copy was loaded by this test and not by the loader, which would have filled its table.
    Inspection out =
        make_process_integrity({.rules = rules, .marks = {}, .platform_path = package().string()})
            ->inspect();
    std::erase_if(out.findings, [](const protocol::Finding& finding) {
      return finding.id == FindingId::kHookImportRedirected;
    });
    return out;
  };
  for (const std::uint64_t alignment : {4096U, 16384U}) {
    const std::string whole =
        signed_package({{"classes.dex", "x"}}, "", {{part, native}}, alignment);
    write(package(), whole);
    EXPECT_TRUE(
        in_child([&] { return only(inspect_mapped(package(), whole.find(native), false), {}); }));
    EXPECT_TRUE(in_child([&] {
      return only(inspect_mapped(package(), whole.find(native), true),
                  {FindingId::kAppCodeNotFromPackage, FindingId::kHookTextModified});
    }));
    const fs::path split = dir_.path() / "split_config.cpu.apk";
    const std::string piece = signed_package({}, "config.cpu", {{part, native}}, alignment);
    write(package(), signed_package({{"classes.dex", "x"}}));
    write(split, piece);
    EXPECT_TRUE(
        in_child([&] { return only(inspect_mapped(split, piece.find(native), false), {}); }));
    EXPECT_TRUE(in_child([&] {
      return only(inspect_mapped(split, piece.find(native), true),
                  {FindingId::kAppCodeNotFromPackage, FindingId::kHookTextModified});
    }));
    fs::remove(split);
  }
}

// As a store delivers apps: the library is in the split for the phone's processor.
TEST_F(OwnPackageTest, IsMeasuredWithItsSplits) {
  const std::string native = to_string(*read_whole(this_kernel(), SAMPLE_LIBRARY, 1 << 30));
  write(package(), signed_package({{"classes.dex", "code of the app"}}));
  write(dir_.path() / "split_config.cpu.apk",
        signed_package({{"lib/" + kAbi + "/libsample.so", native}}, "config.cpu"));
  write(dir_.path() / "split_config.de.apk", signed_package({{"assets/a", "de"}}, "config.de"));
  EXPECT_TRUE(in_child([this] {
    const Inspection inspection = inspect(library(), package().string());
    return only(inspection, {}) && inspection.measurement &&
           inspection.measurement->form == package::Form::kSplits &&
           package::split_digests(*inspection.measurement).size() == 3;
  }));
  const auto packages = packages_of(package().string());
  ASSERT_EQ(packages.size(), 3U);
  const std::string part = "lib/" + kAbi + "/libsample.so";
  const PartPlace place = place_of(packages, "config.cpu!/" + part);
  EXPECT_EQ(place.package, (dir_.path() / "split_config.cpu.apk").string());
  EXPECT_EQ(place.name, part);
  EXPECT_EQ(place_of(packages, "classes.dex").package, package().string());
  EXPECT_EQ(place_of(packages, "none!/classes.dex").name, "none!/classes.dex");

  // Something that is no split of this app.
  MeasurementCache cache;
  EXPECT_TRUE(cache.measure(packages));
  write(dir_.path() / "split_more.apk", package_);
  EXPECT_FALSE(cache.measure(packages_of(package().string())));
}

}  // namespace
}  // namespace touchmark::attester::checks
