// What the platform and its virtual machine say at each run of the checks, and what the loader
// knows. None of it is trusted for being said: it is held against what the kernel says, or is
// notable only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace touchmark::attester::checks {

// A method as reflection gives it. Its address is that of ART's own record of it (ArtMethod), which
// JNI's FromReflectedMethod gives for apps that may not be debugged; 0 where it does not.
struct JavaMethod {
  std::string name;
  std::uintptr_t address = 0;
  std::uint32_t modifiers = 0;    // java.lang.reflect.Modifier
  bool native = false;            // as it was written
  std::uintptr_t registered = 0;  // the function that RegisterNatives was given; 0: not by the SDK
};

struct VirtualMachine {
  std::uintptr_t functions = 0;         // the table that a JNIEnv points to; 0: none was seen
  std::uintptr_t invoke_functions = 0;  // the table that the JavaVM points to
  int api_level = 0;
  std::vector<JavaMethod> methods;
};

// What only Java can ask. Counts and flags: who a user's helpers are is nobody's business.
struct Surroundings {
  bool debuggable = false;  // the app's flag, as the platform has it
  bool debugger = false;    // android.os.Debug.isDebuggerConnected()
  bool vpn = false;
  bool proxy = false;
  bool overlaid = false;             // a touch came through another app's window
  int accessibility_services = 0;    // enabled, neither of the system nor of a store
  std::string foreign_frames;        // between frames of the SDK, where only its own belong
  std::string framework_class;       // a hooking framework's class that the boot loader knows
  std::vector<std::string> sensors;  // "vendor: name"
};

struct Observed {
  Surroundings surroundings;
  VirtualMachine machine;
};

// The observer's JSON (touchmark.h, touchmark_observer). What is missing or of another type is as
// if it had not been observed; an error is JsonError's.
Result<Observed> parse_observed(std::string_view json);

// A library as the loader lists it.
struct ListedLibrary {
  std::string name;
  std::uintptr_t code = 0;  // where its code begins in memory
};
using ListLibraries = std::function<std::vector<ListedLibrary>()>;
// Those of this process, by dl_iterate_phdr.
std::vector<ListedLibrary> list_libraries();

}  // namespace touchmark::attester::checks
