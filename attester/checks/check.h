// What the checks know before they look, and what each of them is given.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attester/checks/kernel.h"
#include "attester/checks/kernel_answers.h"
#include "attester/checks/memory_map.h"
#include "attester/checks/observed.h"
#include "attester/checks/processor.h"
#include "attester/checks/properties.h"
#include "attester/core/machine.h"
#include "package/model/measurement.h"
#include "protocol/findings.h"

namespace touchmark::attester::checks {

using Findings = std::vector<protocol::Finding>;

// Marks that the platform tells of itself; empty where it does not.
struct PlatformMarks {
  std::string build_tags = {};
  std::string hardware = {};
  std::string product = {};
  std::string fingerprint = {};
  std::string manufacturer = {};
  std::string model = {};
  std::string os_version = {};  // "14"
  int api_level = 0;            // 0 when it does not say
};

// Who the app is for the platform, and where it keeps the SDK's files; "" where nobody says.
struct AppFacts {
  std::string package_name;
  std::string storage_folder;
};

// What counts as the platform. default_rules() is what the SDK runs with; tests make their own.
struct Rules {
  // Folders whose files belong to the system. Without a trailing slash.
  std::vector<std::string> system_dirs;
  // Packages of the system that updates put among the apps and that the platform loads into other
  // apps' processes: the web view and what it stands on. A name that ends with a dot stands for all
  // that begin so.
  std::vector<std::string> shared_packages;
  // Of those, packages whose data folders hold code that they lend to other apps.
  std::vector<std::string> lending_packages;
  // Roots of system images: their build.prop and tools are looked at. "/system" on Android.
  std::vector<std::string> image_roots;
  // Where the installer puts what it compiled of the app, below the app's folder: "/oat" on
  // Android; "" when it compiles nothing.
  std::string compiled_code_folder;
  // Mount points that must be read-only on a sound device.
  std::vector<std::string> read_only_mounts;
  // The lowest number of an app's user, of each of the device's users (100,000 numbers apart): what
  // such a user owns was not put there by the installer. nullopt where packages may be anybody's.
  std::optional<std::uint32_t> first_app_user;
  // Libraries of the platform whose imports are looked at beside the SDK's and its libraries':
  // where the virtual machine's calls are redirected. By soname.
  std::vector<std::string> watched_libraries;
  // Whether this is Android: what only its phones have is asked for there alone.
  bool phone = false;
  Machine machine = kOwnMachine;  // whose code the process runs
  // The program that the kernel started, which all apps are forks of, and its loader: files of the
  // system whose names begin so. "" where programs are of any name.
  std::string program;
  std::string loader;
  std::uint16_t frida_port = 27042;
  std::chrono::milliseconds frida_patience{200};  // for each step of asking a Frida server
  // An address inside the code whose package is looked for; 0: this library's own.
  std::uintptr_t own_code = 0;
};
Rules default_rules();
Rules android_rules();
// Whether a file belongs to the system.
bool is_system_file(const Rules& rules, std::string_view path);

// An entry of a package that is stored as it is, so that the loader can map it from there.
struct StoredPart {
  std::string package;  // path of the APK
  std::string name;     // within it
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where this code was loaded from, and what that package is.
struct OwnPackage {
  std::string library_path;  // the file that is mapped: a library, or an APK that holds it
  std::string package_path;  // the base APK it belongs to; "" when it does not lie in a package
  std::vector<std::string> packages;  // that APK, then those of the app's splits
  std::optional<package::Measurement> measurement;
  std::vector<StoredPart> stored;  // of all packages
  // Everything below it belongs to the app.
  std::string folder() const;
  bool is_package(std::string_view path) const;
  // The part that the byte at `offset` of a package belongs to; nullptr when it is part of none.
  const StoredPart* stored_at(std::string_view package, std::uint64_t offset) const;
};

class Images;

// One run's view of the process. The checks only read it.
struct Context {
  const Rules& rules;
  const PlatformMarks& marks;
  const std::vector<Mapping>& maps;
  const std::vector<Module>& modules;
  const OwnPackage& own;
  const Images& images;  // of the modules
  const Kernel& kernel = this_kernel();
  const AppFacts& app = kNobody;
  const Observed& observed = kNothing;
  const Properties& properties = kNoProperties;
  const ListLibraries& libraries = kNoLibraries;

  static const AppFacts kNobody;
  static const Observed kNothing;
  static const Properties kNoProperties;
  static const ListLibraries kNoLibraries;  // does not list them
};

void check_own_code(const Context& context, Findings& out);  // app.code-not-from-package
void check_text(const Context& context, Findings& out);      // hook.text-modified, debug.breakpoint
void check_imports(const Context& context, Findings& out);   // hook.import-redirected
void check_unknown_code(const Context& context, Findings& out);  // hook.unknown-code, .framework
void check_frida_server(const Context& context, Findings& out);  // hook.framework
void check_preload(const Context& context, Findings& out);       // hook.preload
void check_debugger(const Context& context, Findings& out);      // debug.attached
void check_root(const Context& context, Findings& out);          // root.*
void check_mounts(const Context& context, Findings& out);        // root.mounts, .writable-system
void check_emulator(const Context& context, Findings& out);      // device.emulator
void check_java(const Context& context, Findings& out);          // hook.java-method, hook.jni
void check_hidden_code(const Context& context, Findings& out);   // hook.hidden-code
void check_classes(const Context& context, Findings& out);  // hook.foreign-classes, hook.framework
void check_threads(const Context& context, Findings& out);  // hook.framework, debug.debuggable
void check_virtual_space(const Context& context, Findings& out);  // app.virtual-space
void check_surroundings(const Context& context, Findings& out);   // surroundings.*
// Off the device: what emulators of libraries leave out. The answers are asked for before the
// context's maps are read, which have to list what was mapped for them.
void check_kernel(const Context& context, const KernelAnswers& kernel, Findings& out);
void check_memory_layout(const Context& context, const KernelAnswers& kernel, Findings& out);
void check_processor(const ProcessorMarks& marks, Findings& out);
void check_libc(const Context& context, Findings& out);

inline void report(Findings& out, protocol::FindingId id, std::string detail) {
  out.push_back({id, std::move(detail)});
}

// Whether a file is the app's own code: its packages, and what the installer took out of them. Not
// what the platform compiled of it.
bool is_own_file(const Context& context, std::string_view path);

// A path in an app's data: "/data/user/10/org.example/files" and its like, of the device or of
// storage that was adopted. nullopt for others.
struct DataPath {
  int user = 0;
  std::string package;
};
std::optional<DataPath> parse_data_path(std::string_view path);

// "0x1f0"
std::string hex_text(std::uint64_t value);

}  // namespace touchmark::attester::checks
