// Marks of emulators and of Android in a container or a virtual machine, maker by maker.
//
// Each is something that its maker's image has and no phone: a driver, a service or a property that
// serves the emulator alone. What phones have as well says nothing: an x86 processor, a kernel that
// knows it runs under a hypervisor (Chromebooks), few sensors (televisions), qemu.hw.mainkeys
// (phones' own build.prop).
#include <algorithm>
#include <array>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

// What lies in no phone's file system. The first is asked for on every system.
constexpr std::array<std::string_view, 4> kEmulatorDevices = {
    "/dev/qemu_pipe", "/dev/goldfish_pipe", "/dev/socket/qemud", "/dev/vboxguest_android"};
constexpr std::array<std::string_view, 62> kEmulatorFiles = {
    // Google's emulator (goldfish, ranchu), cuttlefish
    "/dev/goldfish_sync", "/dev/goldfish_address_space", "/dev/goldfish_pipe_dprctd",
    "/system/bin/qemu-props", "/system/lib/libc_malloc_debug_qemu.so", "/sys/qemu_trace",
    "/vendor/bin/qemu-props", "/vendor/lib/hw/gralloc.goldfish.so",
    "/vendor/lib64/hw/gralloc.ranchu.so", "/vendor/lib64/hw/hwcomposer.ranchu.so",
    "/vendor/etc/init/hw/init.ranchu.rc", "/vendor/etc/init/hw/init.cutf_cvm.rc", "/fstab.ranchu",
    "/init.goldfish.rc", "/init.ranchu.rc",
    // VirtualBox, under several of the next
    "/dev/vboxguest", "/dev/vboxuser", "/dev/vboxsf", "/system/lib/vboxguest.ko",
    "/system/lib/vboxsf.ko", "/system/bin/mount.vboxsf", "/sys/module/vboxguest",
    "/sys/module/vboxsf", "/fstab.vbox86", "/init.vbox86.rc",
    // Genymotion
    "/dev/socket/genyd", "/dev/socket/baseband_genyd", "/system/bin/androVM-prop",
    // Nox
    "/system/bin/nox-prop", "/system/bin/noxd", "/system/bin/nox-vbox-sf", "/system/lib/libnoxd.so",
    "/system/lib/noxguest.ko", "/fstab.nox", "/init.nox.rc",
    // BlueStacks
    "/dev/bstgyro", "/dev/bst_gps", "/dev/bst_ime", "/dev/bstpgaipc", "/sys/module/bstpgaipc",
    "/data/.bluestacks.prop", "/system/bin/bstshutdown", "/system/bin/bstsyncfs",
    // LDPlayer
    "/system/bin/ldinit", "/system/bin/ldmountsf", "/system/lib/libldutils.so",
    // MEmu
    "/system/bin/microvirtd", "/system/bin/microvirt-prop", "/system/lib/memuguest.ko",
    "/system/bin/microvirt-vbox-sf",
    // MuMu
    "/dev/nemuguest", "/dev/nemuuser", "/system/bin/nemuVM-prop", "/system/bin/nemuVM-nemu-service",
    "/system/lib/nemuguest.ko",
    // Droid4X, Andy, TianTian
    "/system/bin/droid4x-prop", "/system/bin/droid4x", "/fstab.andy", "/ueventd.andy.rc",
    "/system/bin/ttVM-prop", "/fstab.ttVM_x86", "/ueventd.ttVM_x86.rc"};

// Of ro.hardware and its like.
constexpr std::array<std::string_view, 18> kHardware = {
    "goldfish", "ranchu",         "cutf_cvm",      "cutf_ivsh",      "vsoc",    "vbox86",
    "nox",      "ttVM_x86",       "android_x86",   "android_x86_64", "redroid", "waydroid",
    "anbox",    "windows_x86_64", "windows_arm64", "andy",           "droid4x", "bluestacks"};
constexpr std::array<std::string_view, 4> kHardwareProperties = {
    "ro.hardware", "ro.boot.hardware", "ro.product.board", "ro.board.platform"};
// Beginnings of properties' names.
constexpr std::array<std::string_view, 33> kProperties = {"init.svc.qemud",
                                                          "init.svc.qemu-props",
                                                          "init.svc.goldfish-",
                                                          "init.svc.ranchu-",
                                                          "ro.kernel.qemu.",
                                                          "init.svc.vbox86-setup",
                                                          "androVM.",
                                                          "genyd.",
                                                          "ro.genymotion.",
                                                          "ro.genyd.",
                                                          "ro.vbox.",
                                                          "init.svc.noxd",
                                                          "ro.nox.",
                                                          "persist.nox.",
                                                          "bst.version",
                                                          "bst.instance",
                                                          "bst.config.",
                                                          "ro.bst.",
                                                          "persist.bst.",
                                                          "init.svc.bstsvcmgrtest",
                                                          "init.svc.ldinit",
                                                          "init.svc.microvirtd",
                                                          "microvirt.",
                                                          "nemud.",
                                                          "init.svc.nemuVM-prop",
                                                          "init.svc.droid4x",
                                                          "init.svc.ttVM_x86-setup",
                                                          "ttVM.",
                                                          "waydroid.",
                                                          "persist.waydroid.",
                                                          "init.svc.waydroid",
                                                          "ro.boot.redroid_",
                                                          "ro.anbox."};

constexpr std::array<std::string_view, 17> kProducts = {
    "sdk",      "sdk_",  "google_sdk", "full_x86", "vbox86",           "aosp_cf_",
    "cf_x86_",  "vsoc_", "redroid",    "waydroid", "lineage_waydroid", "anbox",
    "windows_", "nox",   "ttVM_",      "droid4x",  "android_x86"};
constexpr std::array<std::string_view, 6> kModels = {
    "Android SDK built for", "sdk_gphone", "google_sdk",
    "Subsystem for Android", "WayDroid",   "Droid4X"};
constexpr std::array<std::string_view, 5> kManufacturers = {"Genymotion", "BlueStacks", "Waydroid",
                                                            "MicroVirt", "TiantianVM"};
constexpr std::array<std::string_view, 8> kSensors = {"Goldfish",   "ranchu",     "Genymotion",
                                                      "Genyd",      "Cuttlefish", "VirtualBox",
                                                      "BlueStacks", "Waydroid"};
constexpr std::array<std::string_view, 5> kProcessors = {"Goldfish", "ranchu", "vbox86",
                                                         "QEMU Virtual CPU", "QEMU TCG CPU"};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool contains(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  return std::ranges::search(text, part, same).begin() != text.end();
}

template <std::size_t kSize>
bool contains_any(std::string_view text, const std::array<std::string_view, kSize>& parts) {
  return std::ranges::any_of(parts, [text](std::string_view part) { return contains(text, part); });
}

// "sdk" stands for itself, as do all that end without a mark after which more is expected.
bool is_product(std::string_view product) {
  return std::ranges::any_of(kProducts, [product](std::string_view name) {
    const bool begins = name.ends_with('_') || name.ends_with("86") || name == "redroid";
    return begins ? product.starts_with(name) : product == name;
  });
}

bool is_hardware(std::string_view name) {
  return contains(name, "vbox") || std::ranges::find(kHardware, name) != kHardware.end();
}

void check_emulator_files(const Context& context, Findings& out) {
  const auto look = [&](std::string_view path) {
    if (exists(context.kernel, std::string(path))) {
      report(out, FindingId::kDeviceEmulator, std::string(path));
    }
  };
  for (const std::string_view path : kEmulatorDevices) look(path);
  if (!context.rules.phone) return;
  for (const std::string_view path : kEmulatorFiles) look(path);
}

void check_emulator_marks(const PlatformMarks& marks, Findings& out) {
  const bool fingerprint =
      marks.fingerprint.starts_with("generic/") || contains(marks.fingerprint, "/emulator") ||
      contains(marks.fingerprint, "generic_x86") ||
      contains(marks.fingerprint, "google/sdk_gphone") || contains(marks.fingerprint, "vsoc_x86") ||
      contains(marks.fingerprint, "/redroid") || contains(marks.fingerprint, "waydroid/") ||
      marks.fingerprint.starts_with("Windows/windows_");
  if (is_hardware(marks.hardware) || is_product(marks.product) || fingerprint) {
    report(out, FindingId::kDeviceEmulator,
           "hardware " + marks.hardware + ", product " + marks.product);
  }
  if (contains_any(marks.model, kModels) || contains_any(marks.manufacturer, kManufacturers)) {
    report(out, FindingId::kDeviceEmulator, marks.manufacturer + " " + marks.model);
  }
}

void check_emulator_properties(const Properties& properties, Findings& out) {
  for (const char* name : {"ro.kernel.qemu", "ro.boot.qemu"}) {
    if (properties.value(name) == "1") {
      report(out, FindingId::kDeviceEmulator, std::string(name) + " is 1");
    }
  }
  for (const std::string_view name : kHardwareProperties) {
    const std::string value = properties.value(name);
    if (is_hardware(value)) {
      report(out, FindingId::kDeviceEmulator, std::string(name) + " is " + value);
    }
  }
  for (const auto& [name, property] : properties.all()) {
    const auto begins = [&name](std::string_view mark) { return name.starts_with(mark); };
    if (std::ranges::none_of(kProperties, begins)) continue;
    report(out, FindingId::kDeviceEmulator, "the system has the property " + name);
    return;  // one of a maker's many is enough
  }
}

}  // namespace

void check_emulator(const Context& context, Findings& out) {
  check_emulator_files(context, out);
  check_emulator_marks(context.marks, out);
  check_emulator_properties(context.properties, out);
  for (const std::string& sensor : context.observed.surroundings.sensors) {
    if (!contains_any(sensor, kSensors)) continue;
    report(out, FindingId::kDeviceEmulator, "the sensor " + sensor);
    break;
  }
  if (!context.rules.phone) return;
  const Result<Bytes> processor = read_whole(context.kernel, "/proc/cpuinfo", 1 << 20);
  if (!processor) return;
  for (const std::string_view mark : kProcessors) {
    if (contains(as_text(*processor), mark)) {
      report(out, FindingId::kDeviceEmulator, "/proc/cpuinfo says " + std::string(mark));
    }
  }
}

}  // namespace touchmark::attester::checks
