// What tools, root managers, emulators and virtual spaces leave on the recorded phones of API
// levels 23 to 36. That a genuine phone shows none of it is phone_test.cc's first test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attester/checks/process_integrity.h"
#include "attester/testing/checks.h"
#include "attester/testing/recorded_phone.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;
using testing::kHighestLevel;
using testing::kLowestLevel;
using testing::PhoneOptions;
using testing::RecordedPhone;
using testing::text;

using Attack = std::function<void(RecordedPhone&)>;

// `body` gets a phone that nothing was done to.
void on_phone(int level, Machine machine, const std::function<void(RecordedPhone&)>& body) {
  if (!testing::can_play(machine)) return;
  SCOPED_TRACE("API " + std::to_string(level) + ", " + std::string(abi_name(machine)));
  RecordedPhone phone({.level = level, .machine = machine});
  body(phone);
}

// Each level, on a machine of one width and the next on one of the other.
void for_each_level(const Attack& body) {
  for (int level = kLowestLevel; level <= kHighestLevel; ++level) {
    on_phone(level, level % 2 == 0 ? Machine::kArm64 : Machine::kArm, body);
    if (::testing::Test::HasFailure()) return;
  }
}

// Each shape of ART's records.
void for_each_machine(const Attack& body) {
  for (int level = kLowestLevel; level <= kHighestLevel; ++level) {
    for (const Machine machine : {Machine::kArm, Machine::kArm64}) on_phone(level, machine, body);
    if (::testing::Test::HasFailure()) return;
  }
}

// Each way in which init keeps properties.
void for_each_store(const Attack& body) {
  for (const int level : {23, 27, 30, 36}) on_phone(level, testing::PhoneOptions().machine, body);
}

using Phones = void (*)(const Attack&);

// The attack gives this finding and no other.
void expect_only(FindingId finding, const Attack& attack, Phones phones = for_each_level) {
  phones([&](RecordedPhone& phone) {
    attack(phone);
    const Findings findings = phone.inspect().findings;
    EXPECT_FALSE(findings.empty()) << protocol::to_string(finding);
    for (const protocol::Finding& one : findings) {
      EXPECT_EQ(one.id, finding) << protocol::to_string(one.id) << ": " << one.detail;
    }
  });
}

void expect_nothing(const Attack& change, Phones phones = for_each_level) {
  phones([&](RecordedPhone& phone) {
    change(phone);
    EXPECT_EQ(text(phone.inspect().findings), "");
  });
}

std::uint64_t foreign_code(RecordedPhone& phone) {
  return phone.map_memory("", "r-xp", Bytes(64)) + 32;
}

// --- Java.

TEST(JavaMethodsTest, SeeAnEntryIntoForeignCode) {
  const auto seen = [](const char* method, const char* memory, Phones phones) {
    SCOPED_TRACE(std::string(method) + " in " + memory);
    phones([&](RecordedPhone& phone) {
      phone.set_entry(method, phone.map_memory(memory, "r-xp", Bytes(64)));
      const Findings findings = phone.inspect().findings;
      EXPECT_TRUE(testing::has(findings, FindingId::kHookJavaMethod)) << text(findings);
    });
  };
  for (const char* memory : {"[anon:libc_malloc]", "/memfd:trampolines (deleted)",
                             "/data/user/0/org.example.app/files/x.tmp (deleted)"}) {
    seen("addToken", memory, for_each_level);
  }
  for (const char* method :
       {"getInstance", "java.security.KeyStore.getKey", "java.lang.reflect.Method.invoke"}) {
    seen(method, "", for_each_level);
  }
  seen("addToken", "", for_each_machine);
  seen("fetchToken", "", for_each_machine);
}

TEST(JavaMethodsTest, SeeAMethodMadeNative) {
  expect_only(FindingId::kHookJavaMethod, [](RecordedPhone& phone) {
    phone.method("addToken").modifiers |= 0x100;  // by Frida and the first Xposed
  });
  expect_only(
      FindingId::kHookJavaMethod,
      [](RecordedPhone& phone) {
        phone.set_flags("addToken", 0x1008'0101);  // and where reflection is made to hide it
      },
      for_each_machine);
}

TEST(JavaMethodsTest, SeeANativeMethodRegisteredAgain) {
  expect_only(
      FindingId::kHookJni,
      [](RecordedPhone& phone) { phone.set_function("pinAllows", foreign_code(phone)); },
      for_each_machine);
  // To another function of the very library.
  expect_only(FindingId::kHookJni, [](RecordedPhone& phone) {
    phone.set_function("pinAllows", phone.method("isProtected").registered);
  });
  expect_only(FindingId::kHookJni, [](RecordedPhone& phone) {
    phone.set_function("java.lang.Thread.currentThread", foreign_code(phone));
  });
}

// When none of the SDK's methods leads where it should, the layout of the level is what is left.
TEST(JavaMethodsTest, SeeAllNativeMethodsRegisteredAgain) {
  expect_only(
      FindingId::kHookJni,
      [](RecordedPhone& phone) {
        const std::uint64_t code = foreign_code(phone);
        for (const JavaMethod& method : phone.observed.machine.methods) {
          if (method.registered != 0) phone.set_function(method.name, code);
        }
      },
      for_each_machine);
}

// Records of a shape that no known version has, or addresses that are none: nothing is known, and
// nothing said.
TEST(JavaMethodsTest, SayNothingWhereTheyAreNotUnderstood) {
  expect_nothing([](RecordedPhone& phone) {
    for (const JavaMethod& method : phone.observed.machine.methods) {
      phone.kernel().write(method.address, Bytes(24, std::byte{0x11}));
      phone.set_function(method.name, 0x1111'1111);
      phone.set_entry(method.name, 0x1111'1111);
    }
  });
  expect_nothing([](RecordedPhone& phone) {
    for (JavaMethod& method : phone.observed.machine.methods) method.address = 0;
  });
  expect_nothing([](RecordedPhone& phone) {
    for (JavaMethod& method : phone.observed.machine.methods) method.address |= 1;  // an index
  });
  expect_nothing([](RecordedPhone& phone) { phone.observed = {}; });
}

TEST(JavaMethodsTest, SeeForeignFrames) {
  expect_only(FindingId::kHookJavaMethod, [](RecordedPhone& phone) {
    phone.observed.surroundings.foreign_frames = "LSPHooker_.collect";
  });
}

TEST(JniTest, SeesATableOfItsOwn) {
  expect_only(FindingId::kHookJni, [](RecordedPhone& phone) {
    Bytes table(2048);
    phone.kernel().copy_memory(phone.observed.machine.functions, table);
    phone.observed.machine.functions =
        static_cast<std::uintptr_t>(phone.map_memory("[anon:libc_malloc]", "rw-p", table));
  });
}

TEST(JniTest, SeesAnEntryOfTheTablesRedirected) {
  for (const std::uint64_t entry : {4, 215, 232}) {  // 215 is RegisterNatives
    expect_only(FindingId::kHookJni, [entry](RecordedPhone& phone) {
      const std::uint64_t word = pointer_size(phone.options().machine);
      phone.write_pointer(phone.observed.machine.functions + entry * word, foreign_code(phone));
    });
  }
  expect_only(FindingId::kHookJni, [](RecordedPhone& phone) {
    const std::uint64_t word = pointer_size(phone.options().machine);
    phone.write_pointer(phone.observed.machine.invoke_functions + 6 * word, foreign_code(phone));
  });
}

// An app for Arm on a device with an x86 processor gets its JNI from the translator.
TEST(JniTest, SaysNothingUnderATranslator) {
  expect_nothing([](RecordedPhone& phone) {
    const testing::PhoneImage image = make_image(phone.plan_of("libndk_translation.so"));
    const std::string path = "/system/lib64/libndk_translation.so";
    phone.kernel().put_file(path, image.bytes);
    phone.map_image(path, image);
    phone.observed.machine.functions =
        static_cast<std::uintptr_t>(phone.map_memory("", "rw-p", Bytes(2048)));
    for (const JavaMethod& method : phone.observed.machine.methods) {
      if (method.registered != 0) phone.set_function(method.name, foreign_code(phone));
    }
  });
}

// A hook in the table of imports of ART's own library, which the SDK does not call.
TEST(ImportsOfTheMachineTest, AreLookedAt) {
  for (const char* function : {"sigaction", "dlopen"}) {
    expect_only(FindingId::kHookImportRedirected, [function](RecordedPhone& phone) {
      phone.write_pointer(phone.slots_of("libart.so", function).front(), foreign_code(phone));
    });
  }
}

// --- Memory.

TEST(HiddenCodeTest, SeesALineKeptBack) {
  expect_only(FindingId::kHookHiddenCode, [](RecordedPhone& phone) {
    const testing::PhoneImage image = make_image(phone.plan_of("libhidden.so"));
    const std::string path = "/system/lib64/libhidden.so";
    phone.kernel().put_file(path, image.bytes);
    phone.map_image(path, image);
    std::erase_if(phone.kernel().areas(),
                  [&path](const testing::Area& area) { return area.path == path; });
  });
}

TEST(ClassesTest, SeeThoseOfOtherApps) {
  for (const char* path :
       {"/data/app/~~eA==/com.evil-eA==/oat/arm64/base.vdex", "/data/local/tmp/hook.dex",
        "/data/data/com.evil/files/plugin.jar", "/sdcard/x.dex"}) {
    expect_only(FindingId::kHookForeignClasses, [path](RecordedPhone& phone) {
      phone.kernel().put_file(path, Bytes(5000));
      phone.map_memory(path, "r--p", Bytes(5000));
    });
  }
}

TEST(ClassesTest, SayNothingOfTheAppsOwn) {
  expect_nothing([](RecordedPhone& phone) {
    const std::string own = "/data/user/0/org.example.app/code_cache/plugin.dex";
    for (const std::string& path : {own, phone.app_folder() + "/oat/arm64/base.vdex",
                                    std::string("/system/framework/org.apache.http.legacy.jar"),
                                    // Resources of another app, which launchers and widgets show.
                                    std::string("/data/app/~~eA==/com.other-eA==/base.apk")}) {
      phone.kernel().put_file(path, Bytes(5000));
      phone.map_memory(path, "r--p", Bytes(5000));
    }
    // A program that only looks for the framework.
    phone.map_memory("[anon:dalvik-DEX data]", "r--p",
                     to_bytes("de.robv.android.xposed.XposedBridge"));
  });
}

TEST(ClassesTest, SeeAFrameworkInMemory) {
  for (const char* memory : {"[anon:dalvik-DEX data]", "/dev/ashmem/dalvik-DEX data (deleted)",
                             "[anon:dalvik-classes.dex extracted in memory from /x.jar]"}) {
    expect_only(FindingId::kHookFramework, [memory](RecordedPhone& phone) {
      phone.map_memory(
          memory, "r--p",
          to_bytes("dex\n035" + std::string(9000, 'x') + "Lde/robv/android/xposed/XposedBridge;"));
    });
  }
}

TEST(FrameworkTest, IsSeenByFoldersThreadsAndClasses) {
  for (const char* path :
       {"/data/adb/modules/zygisk_lsposed/daemon.apk", "/data/misc/riru/api", "/dev/zygisk/x",
        "/system/framework/XposedBridge.art", "/debug_ramdisk/x"}) {
    expect_only(FindingId::kHookFramework, [path](RecordedPhone& phone) {
      phone.kernel().put_file(path, Bytes(5000));
      phone.map_memory(path, "r--p", Bytes(5000));
    });
  }
  for (const char* thread : {"gum-js-loop", "pool-frida", "frida-agent-con", "linjector"}) {
    expect_only(FindingId::kHookFramework,
                [thread](RecordedPhone& phone) { phone.add_thread(5000, thread); });
  }
  expect_only(FindingId::kHookFramework, [](RecordedPhone& phone) {
    phone.observed.surroundings.framework_class = "de.robv.android.xposed.XposedBridge";
  });
}

TEST(DebuggableTest, IsSeenByThreadsAgentsAndFlags) {
  for (const char* thread : {"JDWP", "ADB-JDWP Connec", "JDWP Transport "}) {
    expect_only(FindingId::kDebugDebuggable,
                [thread](RecordedPhone& phone) { phone.add_thread(5000, thread); });
  }
  expect_only(FindingId::kDebugDebuggable, [](RecordedPhone& phone) {
    const testing::PhoneImage image = make_image(phone.plan_of("libopenjdkjvmti.so"));
    const std::string path = "/apex/com.android.art/lib64/libopenjdkjvmti.so";
    phone.kernel().put_file(path, image.bytes);
    phone.map_image(path, image);
  });
  expect_only(FindingId::kDebugDebuggable,
              [](RecordedPhone& phone) { phone.observed.surroundings.debuggable = true; });
  expect_only(FindingId::kDebugDebuggable,
              [](RecordedPhone& phone) { phone.observed.surroundings.debugger = true; });
}

// --- Root.

TEST(MountsTest, AreSeenOfEachRootManager) {
  for (const char* line :
       {// Magisk: its own file system, a module's file, its folder made in memory
        "90 1 0:60 / /sbin rw,relatime - tmpfs magisk rw,mode=755",
        "91 1 253:8 /adb/modules/hosts/system/etc/hosts /system/etc/hosts ro - f2fs /dev/data rw",
        "92 1 0:61 / /system/bin ro,relatime - tmpfs tmpfs rw,mode=755",
        "93 1 0:62 / /debug_ramdisk/.magisk rw - tmpfs tmpfs rw",
        // KernelSU and APatch: overlays, and files of modules
        "94 1 0:63 / /system ro - overlay KSU ro,lowerdir=/data/adb/modules/a/system:/system",
        "95 1 0:64 / /product ro - overlay overlay "
        "ro,lowerdir=/data/adb/modules/a/product:/product",
        "96 1 0:65 / /vendor ro - overlay APatch ro,lowerdir=/vendor",
        "97 1 253:8 /local/tmp/libc.so /system/lib64/libc.so ro - f2fs /dev/data rw",
        "98 1 0:66 / /system/lib64 ro - overlay overlay "
        "ro,lowerdir=/system,upperdir=/x,workdir=/w"}) {
    SCOPED_TRACE(line);
    expect_only(FindingId::kRootMounts, [line](RecordedPhone& phone) { phone.add_mount(line); });
  }
  expect_only(FindingId::kRootWritableSystem, [](RecordedPhone& phone) {
    phone.add_mount("99 1 253:5 / /system rw,relatime - ext4 /dev/root rw");
  });
}

TEST(RootTest, IsSeenByPropertiesAndSelinux) {
  using testing::RecordedProperty;
  const auto property = [](FindingId finding, const RecordedProperty& one) {
    SCOPED_TRACE(one.name + "=" + one.value);
    expect_only(finding, [&one](RecordedPhone& phone) { phone.set_property(one); });
  };
  property(FindingId::kRootBootState, {"ro.boot.verifiedbootstate", "orange"});
  property(FindingId::kRootBootState, {"ro.boot.vbmeta.device_state", "unlocked"});
  property(FindingId::kRootDebuggableSystem, {"ro.debuggable", "1"});
  property(FindingId::kRootDebuggableSystem, {"ro.secure", "0"});
  property(FindingId::kRootDebuggableSystem, {"ro.build.type", "userdebug"});
  property(FindingId::kRootSelinux, {"ro.boot.selinux", "permissive"});
  // Green now, and something else before.
  property(FindingId::kRootChangedProperty, {"ro.boot.verifiedbootstate", "green", 1});
  expect_only(FindingId::kRootSelinux, [](RecordedPhone& phone) {
    phone.kernel().put_file("/sys/fs/selinux/enforce", to_bytes("0"));
  });
  expect_only(FindingId::kRootSu, [](RecordedPhone& phone) {
    phone.kernel().put_file("/proc/self/attr/current", to_bytes("u:r:magisk:s0"));
  });
  for (const char* path :
       {"/product/bin/su", "/cache/su", "/system/bin/failsafe/su", "/debug_ramdisk/magisk"}) {
    expect_only(FindingId::kRootSu,
                [path](RecordedPhone& phone) { phone.kernel().put_file(path, Bytes()); });
  }
  // A system that its owner signed, on a locked phone: the policy's boot keys judge that.
  expect_nothing([](RecordedPhone& phone) {
    phone.set_property({"ro.boot.verifiedbootstate", "yellow"});
  });
}

// --- Emulators.

struct EmulatorCase {
  const char* maker;
  Attack attack;
};

Attack has_file(const char* path) {
  return [path](RecordedPhone& phone) { phone.kernel().put_file(path, Bytes()); };
}
Attack has_property(const char* name, const char* value) {
  return [name, value](RecordedPhone& phone) { phone.set_property({name, value}); };
}
Attack calls_itself(const PlatformMarks& marks) {
  return [marks](RecordedPhone& phone) { phone.marks = marks; };
}

TEST(EmulatorTest, EachMakersIsSeen) {
  const std::vector<EmulatorCase> cases = {
      {"Google, ranchu", has_file("/dev/goldfish_address_space")},
      {"Google, ranchu", has_property("ro.kernel.qemu", "1")},
      {"Google, ranchu", has_property("ro.hardware", "ranchu")},
      {"Google, ranchu", has_property("init.svc.goldfish-logcat", "stopped")},
      {"Google, ranchu",
       [](RecordedPhone& phone) {
         phone.observed.surroundings.sensors = {
             "The Android Open Source Project: Goldfish 3-axis "
             "Accelerometer"};
       }},
      {"Google, ranchu",
       [](RecordedPhone& phone) {
         phone.kernel().put_file("/proc/cpuinfo", to_bytes("Hardware\t: Ranchu\n"));
       }},
      {"Google", calls_itself({.build_tags = "release-keys",
                               .hardware = "x",
                               .product = "sdk_gphone64_arm64",
                               .fingerprint = "x"})},
      {"cuttlefish", has_property("ro.hardware", "cutf_cvm")},
      {"cuttlefish", calls_itself({.build_tags = "release-keys",
                                   .hardware = "x",
                                   .product = "aosp_cf_x86_64_phone",
                                   .fingerprint = "x"})},
      {"Genymotion", has_file("/dev/socket/genyd")},
      {"Genymotion", has_property("ro.genymotion.version", "3.2")},
      {"Genymotion", calls_itself({.build_tags = "release-keys",
                                   .hardware = "x",
                                   .product = "x",
                                   .fingerprint = "x",
                                   .manufacturer = "Genymotion",
                                   .model = "Custom Phone"})},
      {"BlueStacks", has_file("/data/.bluestacks.prop")},
      {"BlueStacks", has_property("bst.version", "5")},
      {"Nox", has_file("/system/bin/nox-prop")},
      {"Nox", has_property("init.svc.noxd", "running")},
      {"LDPlayer", has_file("/system/bin/ldinit")},
      {"LDPlayer", has_property("init.svc.ldinit", "running")},
      {"MEmu", has_file("/system/bin/microvirtd")},
      {"MEmu", has_property("microvirt.channel", "x")},
      {"MuMu", has_file("/system/bin/nemuVM-prop")},
      {"MuMu", has_property("nemud.player_uuid", "x")},
      {"Waydroid", has_property("waydroid.host_data_path", "/x")},
      {"Waydroid", has_property("ro.hardware", "waydroid")},
      {"Anbox", has_property("ro.hardware", "anbox")},
      {"WSA", has_property("ro.hardware", "windows_x86_64")},
      {"WSA", calls_itself({.build_tags = "release-keys",
                            .hardware = "x",
                            .product = "windows_x86_64",
                            .fingerprint = "Windows/windows_x86_64/windows_x86_64:13"})},
      {"redroid", has_property("ro.boot.redroid_width", "720")},
      {"redroid", calls_itself({.build_tags = "release-keys",
                                .hardware = "redroid",
                                .product = "redroid_arm64",
                                .fingerprint = "redroid/redroid_arm64/redroid_arm64:13"})},
      {"VirtualBox", has_file("/dev/vboxguest")},
      {"Android-x86", has_property("ro.hardware", "android_x86_64")},
      {"TianTian", has_file("/system/bin/ttVM-prop")},
      {"Droid4X", has_file("/system/bin/droid4x")},
      {"Andy", has_file("/fstab.andy")},
      {"QEMU", [](RecordedPhone& phone) {
         phone.kernel().put_file("/proc/cpuinfo", to_bytes("model name: QEMU Virtual CPU 2.5+\n"));
       }}};
  for (const EmulatorCase& one : cases) {
    SCOPED_TRACE(one.maker);
    expect_only(FindingId::kDeviceEmulator, one.attack, for_each_store);
  }
}

TEST(EmulatorTest, WhatPhonesHaveIsNone) {
  const std::vector<Attack> phones = {
      // A Chromebook: x86, under a hypervisor.
      [](RecordedPhone& phone) {
        phone.set_property({"ro.hardware", "bertha"});
        phone.kernel().put_file("/proc/cpuinfo",
                                to_bytes("model name: Intel Core i5\nflags: fpu hypervisor\n"));
        phone.marks = {.build_tags = "release-keys",
                       .hardware = "bertha",
                       .product = "brya",
                       .fingerprint = "google/brya/brya_cheets:13/R120/1:user/release-keys",
                       .manufacturer = "Google",
                       .model = "Chromebook"};
      },
      // Products whose names look like one of an emulator's, from afar.
      [](RecordedPhone& phone) { phone.marks.product = "noxious"; },
      [](RecordedPhone& phone) { phone.marks.product = "sdkphone"; },
      [](RecordedPhone& phone) { phone.marks.model = "Emulation Console"; },
      // A television without sensors.
      [](RecordedPhone& phone) { phone.observed.surroundings.sensors = {}; },
      [](RecordedPhone& phone) {
        phone.observed.surroundings.sensors = {"Bosch: BMI160 Accelerometer",
                                               "AOSP: Rotation Vector Sensor"};
      }};
  for (const Attack& phone : phones) expect_nothing(phone);
}

// --- Virtual spaces.

TEST(VirtualSpaceTest, IsSeenByTheFoldersOfTheHost) {
  const auto inspect = [](RecordedPhone& phone, const std::string& storage,
                          const std::string& package = "org.example.app") {
    const auto integrity =
        make_process_integrity({.rules = phone.rules(),
                                .marks = phone.marks,
                                .platform_path = {},
                                .app = {.package_name = package, .storage_folder = storage},
                                .observe = [&phone] { return phone.observed; },
                                .libraries = {},
                                .kernel = phone.kernel()});
    return integrity->inspect().findings;
  };
  for_each_level([&](RecordedPhone& phone) {
    const auto seen = [&](const Findings& findings) {
      return findings.size() == 1 && findings[0].id == FindingId::kAppVirtualSpace;
    };
    EXPECT_EQ(text(inspect(phone, phone.storage_folder())), "");
    EXPECT_EQ(text(inspect(phone, "")), "");
    EXPECT_EQ(text(inspect(phone, "/var/lib/app")), "") << "a place of one's own choosing";
    // Where the guest believes to write, and does not.
    EXPECT_TRUE(seen(inspect(phone, "/data/user/10/org.example.app/files/touchmark")));
    // The genuine app is installed as well: its folder is another user's.
    phone.kernel().set_owner(phone.storage_folder(), phone.app_user() + 1);
    EXPECT_TRUE(seen(inspect(phone, phone.storage_folder())));
    // The host does not even pretend.
    const std::string hosts = "/data/data/io.va.exposed/virtual/data/user/0/org.example.app/files";
    phone.kernel().put_file(hosts, Bytes(), phone.app_user());
    EXPECT_TRUE(seen(inspect(phone, hosts)));
  });
}

TEST(VirtualSpaceTest, IsSeenByWhereTheCodeLies) {
  for_each_level([](RecordedPhone& phone) {
    const std::string folder = "/data/user/0/com.lbe.parallel/virtual/data/app/org.example.app";
    const std::string path = folder + "/lib/arm64/libtouchmark.so";
    const testing::PhoneImage image = make_image(phone.plan_of("libinside.so"));
    phone.kernel().put_file(path, image.bytes, phone.app_user());
    Rules rules = phone.rules();
    rules.own_code =
        static_cast<std::uintptr_t>(phone.map_image(path, image).at(image.segments[1].address));
    const auto integrity =
        make_process_integrity({.rules = rules,
                                .marks = phone.marks,
                                .platform_path = {},
                                .app = {.package_name = "org.example.app", .storage_folder = {}},
                                .observe = {},
                                .libraries = {},
                                .kernel = phone.kernel()});
    const Findings findings = integrity->inspect().findings;
    EXPECT_TRUE(testing::has(findings, FindingId::kAppVirtualSpace)) << text(findings);
  });
}

// A work profile, a second user and the makers' dual apps (users 95, 150 and 999) are Android's
// own. The highest one's apps have numbers that no signed 32 bits hold.
TEST(VirtualSpaceTest, IsNoOtherUserOfThePhone) {
  for (const int user : {10, 95, 150, 999, 42'000}) {
    EXPECT_EQ(text(RecordedPhone({.level = 34, .user = user}).inspect().findings), "");
  }
}

// --- What is only notable.

TEST(SurroundingsTest, AreSaidWithoutNames) {
  const auto notable = [](FindingId finding, const std::string& detail, const Attack& change) {
    expect_only(finding, change);
    RecordedPhone phone({});
    change(phone);
    EXPECT_EQ(phone.inspect().findings.at(0).detail, detail);
    EXPECT_EQ(protocol::find_finding(static_cast<std::uint8_t>(finding))->level,
              protocol::Level::kAnnotate);
  };
  notable(FindingId::kSurroundingsAccessibility, "2 of them",
          [](RecordedPhone& phone) { phone.observed.surroundings.accessibility_services = 2; });
  notable(FindingId::kSurroundingsOverlay, "since the last attestation",
          [](RecordedPhone& phone) { phone.observed.surroundings.overlaid = true; });
  notable(FindingId::kSurroundingsVpn, "",
          [](RecordedPhone& phone) { phone.observed.surroundings.vpn = true; });
  notable(FindingId::kSurroundingsProxy, "",
          [](RecordedPhone& phone) { phone.observed.surroundings.proxy = true; });
}

TEST(ObservedTest, IsReadFromTheObserversText) {
  const auto seen = parse_observed(
      R"({"facts":{"debuggable":1,"vpn":1,"accessibility_services":3,"foreign_frames":"a.b",
          "sensors":["Bosch: x",7]},
          "machine":{"functions":"7f0012","api_level":34,"methods":[
            {"name":"open","address":"70000010","modifiers":264,"native":1,"registered":"7f00"},
            "none",{"name":"addToken","address":"zz"}]}})");
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->surroundings.debuggable);
  EXPECT_FALSE(seen->surroundings.debugger);
  EXPECT_TRUE(seen->surroundings.vpn);
  EXPECT_EQ(seen->surroundings.accessibility_services, 3);
  EXPECT_EQ(seen->surroundings.foreign_frames, "a.b");
  EXPECT_THAT(seen->surroundings.sensors, ::testing::ElementsAre("Bosch: x"));
  EXPECT_EQ(seen->machine.functions, 0x7f0012U);
  EXPECT_EQ(seen->machine.api_level, 34);
  ASSERT_EQ(seen->machine.methods.size(), 2U);
  EXPECT_EQ(seen->machine.methods[0].address, 0x7000'0010U);
  EXPECT_EQ(seen->machine.methods[0].modifiers, 264U);
  EXPECT_TRUE(seen->machine.methods[0].native);
  EXPECT_EQ(seen->machine.methods[0].registered, 0x7f00U);
  EXPECT_EQ(seen->machine.methods[1].address, 0U);
  EXPECT_FALSE(parse_observed("nothing"));
  EXPECT_TRUE(parse_observed("{}"));
}

}  // namespace
}  // namespace touchmark::attester::checks
