// The recorded processes of phones of API levels 23 to 36: a genuine one shows nothing, and each
// attack shows on every one of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attester/checks/process_integrity.h"
#include "attester/testing/checks.h"
#include "attester/testing/package.h"
#include "attester/testing/recorded_phone.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;
using testing::kHighestLevel;
using testing::kLowestLevel;
using testing::Packaging;
using testing::PhoneImagePlan;
using testing::PhoneOptions;
using testing::RecordedPhone;
using testing::SymbolKind;
using testing::text;

constexpr std::array kPackagings = {Packaging::kExtracted, Packaging::kInBase, Packaging::kInSplit,
                                    Packaging::kInFeature};

std::string name_of(const PhoneOptions& options) {
  static constexpr std::array<std::string_view, 4> kNames = {"extracted", "in base", "in split",
                                                             "in feature"};
  return "API " + std::to_string(options.level) + ", " + std::string(abi_name(options.machine)) +
         ", " + std::string(kNames[static_cast<std::size_t>(options.packaging)]) + ", pages of " +
         std::to_string(options.page) + ", user " + std::to_string(options.user);
}

// Android runs on pages of 16 KiB from API 35 on, on 64-bit processors.
std::vector<std::uint64_t> pages_of(int level, Machine machine) {
  if (level < 35 || !is_wide(machine)) return {4096};
  return {4096, 16384};
}

void for_each_phone(std::span<const Packaging> packagings,
                    const std::function<void(const PhoneOptions&)>& body,
                    std::span<const Machine> machines = kMachines) {
  for (int level = kLowestLevel; level <= kHighestLevel; ++level) {
    for (const Machine machine : machines) {
      if (!testing::can_play(machine)) continue;
      for (const std::uint64_t page : pages_of(level, machine)) {
        for (const Packaging packaging : packagings) {
          const PhoneOptions options{
              .level = level, .machine = machine, .packaging = packaging, .page = page};
          SCOPED_TRACE(name_of(options));
          body(options);
          if (::testing::Test::HasFailure()) return;  // one phone says enough
        }
      }
    }
  }
}

constexpr std::array kOneOfEachWidth = {Machine::kArm, Machine::kArm64};

// Makes the attack on each phone; `expected` must be among the findings. Where the packaging
// counts, the machine does not: one of each width will do.
void attack_each(std::span<const Packaging> packagings, const std::vector<FindingId>& expected,
                 const std::function<void(RecordedPhone&)>& attack) {
  const auto body = [&](const PhoneOptions& options) {
    RecordedPhone phone(options);
    attack(phone);
    const Inspection seen = phone.inspect();
    for (const FindingId id : expected) {
      EXPECT_TRUE(testing::has(seen.findings, id)) << protocol::to_string(id) << " is not among:\n"
                                                   << text(seen.findings);
    }
  };
  if (packagings.size() == 1) return for_each_phone(packagings, body);
  for_each_phone(packagings, body, kOneOfEachWidth);
}

constexpr std::array kOnePackaging = {Packaging::kInBase};

// What a hooking framework writes over the beginning of a function.
const Bytes kJump = to_bytes("\x51\x00\x00\x58\x20\x02\x1f\xd6\xaa\xbb\xcc\xdd\xee\xff\x11\x22");

TEST(PhoneTest, NoGenuinePhoneIsRefused) {
  int phones = 0;
  for_each_phone(kPackagings, [&](const PhoneOptions& options) {
    const Inspection seen = RecordedPhone(options).inspect();
    EXPECT_EQ(text(seen.findings), "");
    EXPECT_TRUE(seen.measurement);
    EXPECT_EQ(seen.groups.size(), 5U);
    ++phones;
  });
  EXPECT_EQ(phones, testing::can_play(Machine::kArm64) ? (14 * 4 + 2 * 2) * 4 : 14 * 2 * 4);
}

TEST(PhoneTest, ReadsTheTablesOfALibraryOnce) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    (void)phone.inspect();
    std::map<std::string, int> pieces;  // of code, each of which is compared with the file
    for (const testing::Area& area : phone.kernel().areas()) {
      if (area.mode[2] == 'x') ++pieces[area.path];
    }
    for (const char* library : {"libc.so", "libart.so", "libm.so"}) {
      const std::string& path = phone.loaded(library).path;
      EXPECT_LE(phone.kernel().opened().at(path), 1 + pieces[path]) << path;
    }
  });
}

TEST(PhoneTest, NeitherIsAnyUserOrVolumeOfThem) {
  for (int level = 24; level <= kHighestLevel; ++level) {
    for (const char* app : {"",
                            "/mnt/expand/57f8f4bc-abf4-655f-bf67-946fc0f9f25b/app/"
                            "~~c29t==/org.example.app-Zm9v=="}) {
      const PhoneOptions options{.level = level, .user = 10, .app = app};
      SCOPED_TRACE(name_of(options));
      EXPECT_EQ(text(RecordedPhone(options).inspect().findings), "");
    }
  }
}

// A feature that is installed while the app runs moves it: the files are linked into a new folder,
// and the old one is deleted seconds later.
TEST(PhoneTest, NeitherIsOneThatInstallsAFeatureMeanwhile) {
  for_each_phone(
      kPackagings,
      [](const PhoneOptions& options) {
        RecordedPhone phone(options);
        const Inspection before = phone.inspect();
        phone.move_app("/data/app/~~bmV3==/org.example.app-bmV3==");
        const Inspection seen = phone.inspect();
        EXPECT_EQ(text(seen.findings), "");
        ASSERT_TRUE(seen.measurement && before.measurement);
        EXPECT_EQ(package::digest(*seen.measurement), package::digest(*before.measurement));
      },
      kOneOfEachWidth);
}

// The platform's word counts for the very files that are mapped: a genuine package in the place of
// one that was deleted explains nothing.
TEST(PhoneTest, SeesADeletedPackageThatThePlatformNamesElsewhere) {
  attack_each(kPackagings, {FindingId::kAppPathMismatch}, [](RecordedPhone& phone) {
    const std::string folder = "/data/app/~~bmV3==/org.example.app-bmV3==";
    std::map<std::string, Bytes> copies;
    const auto names = phone.kernel().list_folder(phone.app_folder());
    ASSERT_TRUE(names);
    for (const std::string& name : *names) {
      const std::string path = phone.app_folder() + "/" + name;
      if (name.ends_with(".apk")) copies[name] = phone.kernel().file(path);
    }
    phone.move_app(folder);
    for (const auto& [name, content] : copies) {
      phone.kernel().put_file(folder + "/" + name, content);  // another inode
    }
    if (phone.options().packaging == Packaging::kExtracted) {
      const std::string library = phone.loaded("libtouchmark.so").path;
      const std::string moved = folder + library.substr(library.rfind("/lib/"));
      phone.kernel().put_file(moved, Bytes(phone.kernel().file(moved)));
    }
  });
}

// An app of the system image lies in a folder of its name, and its package is called like that.
TEST(PhoneTest, NeitherIsAnAppOfTheSystemImage) {
  RecordedPhone phone({.packaging = Packaging::kExtracted, .app = "/product/app/Example"});
  phone.kernel().put_file("/product/app/Example/Example.apk",
                          phone.kernel().file(phone.base_path()));
  phone.kernel().remove_file(phone.base_path());
  const auto integrity = make_process_integrity(
      {.rules = phone.rules(), .marks = {}, .platform_path = {}, .kernel = phone.kernel()});
  EXPECT_EQ(text(integrity->inspect().findings), "");
}

// An app may not open all that is mapped into it: what zygote opened, for one, was opened by
// another domain of SELinux.
TEST(PhoneTest, NeitherIsOneThatHidesFilesFromApps) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    const std::string bits = is_wide(options.machine) ? "64" : "";
    phone.kernel().hide_file("/system/bin/app_process" + (bits.empty() ? "32" : bits));
    phone.kernel().hide_file(phone.loaded("linker" + bits).path);
    phone.kernel().hide_file(phone.loaded("libm.so").path);
    EXPECT_EQ(text(phone.inspect().findings), "");
  });
}

// A library of the app that was linked so that the loader writes into its code. Loaders of 32 bits
// do so for apps that were made for API 22.
TEST(PhoneTest, NeitherIsOneWhoseLoaderWritesIntoCode) {
  for (const Machine machine : {Machine::kArm, Machine::kX86}) {
    for (const bool patched : {false, true}) {
      RecordedPhone phone({.level = 23, .machine = machine});
      PhoneImagePlan plan = phone.plan_of("libold.so");
      plan.two_segments = true;
      plan.text_relocations = true;
      const testing::PhoneImage image = make_image(plan);
      const std::string path = "/system/lib/libold.so";
      phone.kernel().put_file(path, image.bytes);
      const std::uint64_t bias = phone.map_image(path, image).bias;
      phone.write_pointer(bias + image.text_word, bias + 0x40);
      if (patched) phone.kernel().write(bias + image.text_word + 4, to_bytes("\x01"));
      const Inspection seen = phone.inspect();
      EXPECT_EQ(seen.findings.size(), patched ? 1U : 0U) << text(seen.findings);
    }
  }
}

// With pages of 16 KiB, Android 16 copies a library that was linked for smaller ones into memory
// that may be executed: one of the app, and nothing else.
TEST(PhoneTest, NeitherIsOneThatCopiesOldLibrariesIntoMemory) {
  const auto findings = [](std::uint64_t page, bool of_the_app, bool patched) {
    RecordedPhone phone({.level = 36, .packaging = Packaging::kExtracted, .page = page});
    PhoneImagePlan plan = phone.plan_of("libold.so");
    plan.page = 4096;
    plan.code_size = 60'000;
    Bytes image = make_image(plan).bytes;
    if (of_the_app) {
      phone.kernel().put_file(
          phone.app_folder() + "/split_old.apk",
          to_bytes(testing::signed_package({{"lib/arm64-v8a/libold.so", to_string(image)}}, "old")),
          1000);
    }
    if (patched) image[30'000] ^= std::byte{1};
    phone.map_memory("", "r-xp", image);
    return phone.inspect().findings;
  };
  EXPECT_EQ(text(findings(16384, true, false)), "");
  EXPECT_TRUE(testing::has(findings(16384, true, true), FindingId::kHookUnknownCode));
  EXPECT_TRUE(testing::has(findings(16384, false, false), FindingId::kHookUnknownCode));
  EXPECT_TRUE(testing::has(findings(4096, true, false), FindingId::kHookUnknownCode));
}

// Some compilers, SwiftShader's for one, run relocatable ELF files where they wrote them.
TEST(PhoneTest, NeitherIsOneThatCompilesIntoElfFiles) {
  RecordedPhone phone({});
  Bytes object = make_image(phone.plan_of("")).bytes;
  object[16] = std::byte{1};  // ET_REL
  phone.map_memory("", "r-xp", object);
  EXPECT_EQ(text(phone.inspect().findings), "");
}

// Where the web view's read-only data is one for all processes, its file lies between the library's
// mappings (bionic/linker/linker_phdr.cpp, phdr_table_map_gnu_relro).
TEST(PhoneTest, NeitherIsOneThatSharesReadOnlyData) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    const std::string name = options.level == 23 ? "libwebviewchromium.so" : "libmonochrome.so";
    const auto& image = phone.loaded(name);
    const testing::PhoneSegment& shared = image.image.segments[image.image.segments.size() - 2];
    testing::Area& area = phone.kernel().area_at(image.at(shared.address));
    area.path = "/data/misc/shared_relro/libwebviewchromium64.relro";
    area.offset = 0;
    EXPECT_EQ(text(phone.inspect().findings), "");
  });
}

TEST(PhoneTest, SeesAnInlineHookInLibc) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    for (const char* function : {"open", "memcpy", "abort"}) {
      RecordedPhone phone(options);
      phone.kernel().write(phone.address_of("libc.so", function) & ~std::uint64_t{1}, kJump);
      const Inspection seen = phone.inspect();
      ASSERT_EQ(seen.findings.size(), 1U) << text(seen.findings);
      EXPECT_EQ(seen.findings[0].id, FindingId::kHookTextModified);
      EXPECT_THAT(seen.findings[0].detail, ::testing::HasSubstr("/libc.so"));
    }
  });
}

TEST(PhoneTest, SeesAnInlineHookInAnySystemLibrary) {
  for (const char* library : {"libssl.so", "libart.so", "libGLES_vendor.so", "libmonochrome.so"}) {
    SCOPED_TRACE(library);
    for_each_phone(kOnePackaging, [library](const PhoneOptions& options) {
      if (options.level == 23 && std::string_view(library) == "libmonochrome.so") return;
      RecordedPhone phone(options);
      const auto& image = phone.loaded(library);
      phone.kernel().write(image.at(image.image.addresses.begin()->second) & ~std::uint64_t{1},
                           kJump);
      EXPECT_TRUE(testing::has(phone.inspect().findings, FindingId::kHookTextModified));
    });
  }
}

TEST(PhoneTest, SeesAnInlineHookInWhatTheAppMayNotOpen) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    if (options.level < 26) return;
    RecordedPhone phone(options);
    phone.kernel().write(phone.address_of("libpreloaded_vendor.so", "preload") & ~std::uint64_t{1},
                         kJump);
    EXPECT_TRUE(testing::has(phone.inspect().findings, FindingId::kHookTextModified));
  });
}

TEST(PhoneTest, SeesAnInlineHookBehindADeletedFile) {
  attack_each(kOnePackaging, {FindingId::kHookTextModified}, [](RecordedPhone& phone) {
    const std::uint64_t function = phone.address_of("libc.so", "read") & ~std::uint64_t{1};
    phone.kernel().write(function, kJump);
    const std::string path = phone.loaded("libc.so").path;
    phone.kernel().remove_file(path);
    for (testing::Area& area : phone.kernel().areas()) {
      if (area.path == path) area.path += " (deleted)";
    }
  });
}

// Taking the right to read away from code does not hide what was done to it.
TEST(PhoneTest, SeesCodeMadeUnreadable) {
  attack_each(kOnePackaging, {FindingId::kHookTextModified}, [](RecordedPhone& phone) {
    phone.kernel().write(phone.address_of("libart.so", "JNI_CreateJavaVM") & ~std::uint64_t{1},
                         kJump);
    phone.kernel().area_at(phone.address_of("libart.so", "JNI_CreateJavaVM")).mode = "--xp";
    phone.kernel().memory_list_is_readable =
        phone.loaded("libart.so").image.plan.unreadable_text;  // there, pages alone tell
  });
}

TEST(PhoneTest, SeesOwnCodeModified) {
  attack_each(kPackagings, {FindingId::kAppCodeNotFromPackage, FindingId::kHookTextModified},
              [](RecordedPhone& phone) {
                phone.kernel().write(
                    phone.address_of("libtouchmark.so", "JNI_OnLoad") & ~std::uint64_t{1}, kJump);
              });
  attack_each(kPackagings, {FindingId::kAppCodeNotFromPackage, FindingId::kHookTextModified},
              [](RecordedPhone& phone) {
                phone.kernel().area_at(phone.address_of("libtouchmark.so", "JNI_OnLoad")).mode =
                    "--xp";
              });
}

TEST(PhoneTest, SeesAnotherLibraryOfTheAppModified) {
  attack_each(kPackagings, {FindingId::kHookTextModified}, [](RecordedPhone& phone) {
    phone.kernel().write(phone.address_of("libother.so", "spare") & ~std::uint64_t{1}, kJump);
  });
}

// Of every form of import there is: table of the PLT, global offset table, pointers in read-only
// data, packed or not, of the SDK's library and of the system's.
TEST(PhoneTest, SeesEveryImportRedirected) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    const std::uint64_t anonymous = phone.map_memory("", "r-xp", Bytes(64));
    const std::uint64_t named = phone.map_memory("[anon:libc_malloc]", "r-xp", Bytes(64));
    const std::uint64_t libc = phone.address_of("libc.so", "write");
    const std::uint64_t art = phone.address_of("libart.so", "JNI_CreateJavaVM") + 16;
    for (const std::uint64_t target : {anonymous, named, libc, art}) {
      std::vector<std::string> expected;
      std::vector<std::pair<std::uint64_t, Bytes>> before;
      for (const char* library :
           {"libtouchmark.so", "libother.so", "liblog.so", "libc++.so", "libm.so", "libc.so"}) {
        for (const auto& [name, place] : phone.loaded(library).image.slots) {
          if (name == "write") continue;  // that is where it leads
          const std::string file = phone.loaded(library).path;
          expected.push_back(file.substr(file.rfind('/') + 1) + ": " + name);
          const std::uint64_t slot = phone.loaded(library).at(place);
          Bytes old(pointer_size(options.machine));
          phone.kernel().copy_memory(static_cast<std::uintptr_t>(slot), old);
          before.emplace_back(slot, old);
          phone.write_pointer(slot, target);
        }
      }
      std::vector<std::string> seen;
      for (const protocol::Finding& finding : phone.inspect().findings) {
        EXPECT_EQ(finding.id, FindingId::kHookImportRedirected) << finding.detail;
        seen.push_back(finding.detail.substr(0, finding.detail.find(" -> ")));
      }
      EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(expected));
      for (const auto& [slot, old] : before) phone.kernel().write(slot, old);
    }
    EXPECT_EQ(text(phone.inspect().findings), "");
  });
}

// A library elsewhere that defines the very name.
PhoneImagePlan impostor(const RecordedPhone& phone, const std::string& soname) {
  PhoneImagePlan plan = phone.plan_of(soname);
  plan.seed = "an attacker's";
  plan.exports = {{"open", SymbolKind::kFunction}, {"sigaction", SymbolKind::kFunction}};
  return plan;
}

TEST(PhoneTest, SeesLibrariesFromElsewhere) {
  const std::vector<FindingId> both = {FindingId::kHookUnknownCode,
                                       FindingId::kHookImportRedirected};
  for (const char* path :
       {"/data/local/tmp/libc.so", "/data/app/~~eA==/com.evil-eA==/lib/arm64/libevil.so",
        "/data/app/com.google.android.gmsx-1/base.apk", "/data/data/org.example.app/files/libx.so",
        "/data/user_de/10/com.google.android.gms.evil/libx.so",
        "/mnt/expand/57f8f4bc/user/0/org.example.app/libx.so", "/sdcard/system/lib64/libc.so"}) {
    SCOPED_TRACE(path);
    attack_each(kOnePackaging, both, [path](RecordedPhone& phone) {
      const testing::PhoneImage image = make_image(impostor(phone, "libc.so"));
      phone.kernel().put_file(path, image.bytes);
      const std::uint64_t target = image.addresses.at("open") + phone.map_image(path, image).bias;
      phone.write_pointer(phone.slots_of("libtouchmark.so", "open").front(), target);
    });
  }
}

TEST(PhoneTest, SeesALibraryFromAnotherPackage) {
  attack_each(kPackagings, {FindingId::kHookUnknownCode}, [](RecordedPhone& phone) {
    const testing::PhoneImage image = make_image(impostor(phone, "libevil.so"));
    const std::string path = "/data/app/~~eA==/com.evil-eA==/base.apk";
    const std::string package = testing::signed_package(
        {}, "", {{"lib/arm64-v8a/libevil.so", to_string(image.bytes)}}, 16384);
    phone.kernel().put_file(path, to_bytes(package), 1000);
    phone.map_image(path, image, package.find(to_string(image.bytes)));
  });
}

// Bytes of the app's own package that are none of its parts are not measured. A note in the signing
// block is not even signed.
TEST(PhoneTest, SeesALibraryBetweenThePartsOfThePackage) {
  attack_each(kOnePackaging, {FindingId::kHookUnknownCode}, [](RecordedPhone& phone) {
    PhoneImagePlan plan = impostor(phone, "libevil.so");
    plan.page = 4096;
    const std::string image = to_string(make_image(plan).bytes);
    const std::string path = phone.app_folder() + "/split_noted.apk";
    std::string package;
    std::size_t at = 1;
    for (std::size_t fill = 0; at % phone.options().page != 0;) {
      package = testing::signed_package({{"classes.dex", "x"}}, "noted", {}, 4096,
                                        std::string(fill, ' ') + image);
      at = package.find(image);
      fill += phone.options().page - at % phone.options().page;
    }
    phone.kernel().put_file(path, to_bytes(package), 1000);
    ASSERT_EQ(text(phone.inspect().findings), "");
    phone.map_image(path, make_image(plan), at);
  });
}

TEST(PhoneTest, SeesPreloadedLibraries) {
  attack_each(
      kOnePackaging,
      {FindingId::kHookUnknownCode, FindingId::kHookPreload, FindingId::kHookImportRedirected},
      [](RecordedPhone& phone) {
        const std::string path = "/data/local/tmp/libpreload.so";
        const testing::PhoneImage image = make_image(impostor(phone, "libpreload.so"));
        phone.kernel().put_file(path, image.bytes);
        const std::uint64_t bias = phone.map_image(path, image).bias;
        phone.write_pointer(phone.slots_of("libtouchmark.so", "sigaction").front(),
                            bias + image.addresses.at("sigaction"));
        phone.kernel().put_file("/proc/self/environ", to_bytes("LD_PRELOAD=" + path));
      });
}

TEST(PhoneTest, SeesFridasGadget) {
  // In a memory file, and in anonymous memory, heap or stack where a loader of its own put it.
  for (const char* name : {"/memfd:frida-agent-64.so (deleted)", "/memfd:jit-cache (deleted)", "",
                           "[anon:libc_malloc]", "[heap]", "[stack]",
                           "[anon:/data/app/x/base.apk!/lib/arm64-v8a/liba.so (compat loaded)]"}) {
    SCOPED_TRACE(name);
    attack_each(kOnePackaging, {FindingId::kHookUnknownCode}, [name](RecordedPhone& phone) {
      Bytes code = make_image(impostor(phone, "libgadget.so")).bytes;
      phone.map_memory(name, "r-xp", code);
    });
  }
  // In a file of the app's own folder that its package does not hold.
  attack_each(kPackagings, {FindingId::kHookUnknownCode, FindingId::kHookFramework},
              [](RecordedPhone& phone) {
                const std::string path = phone.app_folder() + "/lib/arm64/libfrida-gadget.so";
                const testing::PhoneImage image = make_image(impostor(phone, "libgadget.so"));
                phone.kernel().put_file(path, image.bytes, 1000);
                phone.map_image(path, image);
              });
}

TEST(PhoneTest, SeesARepackagedApp) {
  constexpr std::array kOneMachine = {PhoneOptions().machine};
  for_each_phone(
      kPackagings,
      [](const PhoneOptions& options) {
        const Inspection genuine = RecordedPhone(options).inspect();
        ASSERT_TRUE(genuine.measurement);
        // Another split beside it, by the same signer or not: it is another app.
        RecordedPhone phone(options);
        phone.kernel().put_file(
            phone.app_folder() + "/split_more.apk",
            to_bytes(testing::signed_package({{"classes.dex", "more"}}, "more")), 1000);
        const Inspection more = phone.inspect();
        ASSERT_TRUE(more.measurement) << text(more.findings);
        EXPECT_NE(package::digest(*more.measurement), package::digest(*genuine.measurement));
        // The library's package, with another library under its name: what is mapped is none of it.
        RecordedPhone changed(options);
        Bytes bytes = changed.kernel().file(changed.library_package());
        bytes[bytes.size() / 2] ^= std::byte{1};
        changed.kernel().put_file(changed.library_package(), bytes, 1000);
        EXPECT_FALSE(changed.inspect().findings.empty());
      },
      kOneMachine);
}

// In the app's folder, or wherever an app's user could write: of the first user, of another, of an
// isolated process.
TEST(PhoneTest, SeesAPackageThatNoInstallerPutThere) {
  for (const std::uint32_t owner : {10123U, 1010123U, 1099001U}) {
    attack_each(kOnePackaging, {FindingId::kAppPathMismatch}, [owner](RecordedPhone& phone) {
      phone.kernel().set_owner(phone.base_path(), owner);
    });
  }
}

// Off the device: one wrong answer, of whichever question, on every phone.
TEST(PhoneTest, SeesAKernelThatIsNone) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    for (std::size_t i = 0; i < kQuestions; ++i) {
      for (const long wrong : {-1L, 1L, -static_cast<long>(EIO)}) {
        if (wrong_answer(static_cast<Question>(i), wrong).empty()) continue;
        phone.kernel().given.answers[i] = wrong;
        const Findings seen = phone.inspect().findings;
        ASSERT_EQ(seen.size(), 1U) << text(seen);
        EXPECT_EQ(seen[0].id, FindingId::kDeviceKernel);
        phone.kernel().given.answers[i] = answers_of_linux().answers[i];
        if (i > 0) break;  // all are judged alike
      }
      if (i > 1 && options.level != 30) break;
    }
    EXPECT_EQ(text(phone.inspect().findings), "");
  });
}

TEST(PhoneTest, SeesAListOfMemoryThatIsNotTheKernels) {
  const std::vector<FindingId> memory = {FindingId::kDeviceMemory};
  attack_each(kOnePackaging, memory,
              [](RecordedPhone& phone) { phone.kernel().given.stack = 0x1000; });
  attack_each(kOnePackaging, memory,
              [](RecordedPhone& phone) { phone.kernel().given.heap = 0x1000; });
  attack_each(kOnePackaging, memory, [](RecordedPhone& phone) {
    phone.kernel().given.program = phone.kernel().given.stack;
  });
  attack_each(kOnePackaging, memory, [](RecordedPhone& phone) { phone.kernel().given.loader = 0; });
  for (const std::size_t page : {0, 1, 2}) {
    attack_each(kOnePackaging, memory, [page](RecordedPhone& phone) {
      phone.kernel().area_at(phone.kernel().given.pages[page].address).mode = "-w-p";
    });
  }
}

TEST(PhoneTest, SeesALibcThatIsOlderThanTheRelease) {
  for_each_phone(kOnePackaging, [](const PhoneOptions& options) {
    RecordedPhone phone(options);
    const auto findings = [&phone](const PlatformMarks& marks) {
      return text(make_process_integrity({.rules = phone.rules(),
                                          .marks = marks,
                                          .platform_path = phone.base_path(),
                                          .kernel = phone.kernel()})
                      ->inspect()
                      .findings);
    };
    // By number or by name; a preview's libc is newer than its number, and a name may be none.
    EXPECT_EQ(findings({.api_level = options.level - 1}), "");
    EXPECT_EQ(findings({.os_version = "VanillaIceCream", .api_level = options.level}), "");
    const bool known_next =
        options.level < 35 && options.level != 24 && options.level != 26 && options.level != 31;
    if (!known_next) return;
    EXPECT_THAT(findings({.api_level = options.level + 1}), ::testing::HasSubstr("device.libc"));
    EXPECT_THAT(findings({.os_version = "15.1"}), ::testing::HasSubstr("device.libc"));
  });
}

TEST(PhoneTest, SeesAProcessorThatIsNone) {
  attack_each(kOnePackaging, {FindingId::kDeviceProcessor}, [](RecordedPhone& phone) {
    phone.kernel().processor_marks.reservation_outlives_a_call = true;
  });
  attack_each(kOnePackaging, {FindingId::kDeviceProcessor}, [](RecordedPhone& phone) {
    phone.kernel().processor_marks.reservation_works = false;
  });
  attack_each(kOnePackaging, {FindingId::kDeviceProcessor}, [](RecordedPhone& phone) {
    phone.kernel().processor_marks.counter_stands_still = true;
  });
  attack_each(kOnePackaging, {FindingId::kDeviceTiming}, [](RecordedPhone& phone) {
    phone.kernel().processor_marks.first_run_factor = kMostFirstRunFactor + 1;
  });
}

TEST(PhoneTest, SeesAnotherPackageNamedByThePlatform) {
  RecordedPhone phone({});
  phone.kernel().put_file("/data/app/~~eA==/org.example.app-eA==/base.apk",
                          phone.kernel().file(phone.base_path()));
  const auto integrity =
      make_process_integrity({.rules = phone.rules(),
                              .marks = {},
                              .platform_path = "/data/app/~~eA==/org.example.app-eA==/base.apk",
                              .kernel = phone.kernel()});
  EXPECT_TRUE(testing::has(integrity->inspect().findings, FindingId::kAppPathMismatch));
}

}  // namespace
}  // namespace touchmark::attester::checks
