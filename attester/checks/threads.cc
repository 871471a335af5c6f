// Threads and agents that a tool runs in this process, by the names that the kernel has for them.
#include <algorithm>
#include <array>

#include "attester/checks/check.h"

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxThreads = 2000;

// Beginnings of names; the kernel keeps 15 bytes. GLib's own threads ("gmain", "gdbus") are left
// out, for apps that play media have them as well.
constexpr std::array<std::string_view, 6> kToolThreads = {"gum-js-loop", "pool-frida", "frida-",
                                                          "frida_",      "linjector",  "gum-dbus"};
// art/runtime/jdwp, art/adbconnection, libjdwp. ART starts them where the app may be debugged.
constexpr std::array<std::string_view, 2> kDebuggerThreads = {"JDWP", "ADB-JDWP"};
// What ART loads when an agent of JVMTI comes, a debugger's or another: never into an app that may
// not be debugged.
constexpr std::array<std::string_view, 2> kAgents = {"libopenjdkjvmti.so", "libjdwp.so"};

template <std::size_t kSize>
bool begins_with_any(std::string_view text, const std::array<std::string_view, kSize>& marks) {
  return std::ranges::any_of(marks,
                             [text](std::string_view mark) { return text.starts_with(mark); });
}

void judge_thread(std::string_view name, Findings& out) {
  if (begins_with_any(name, kToolThreads)) {
    report(out, FindingId::kHookFramework, "a thread is called " + std::string(name));
  }
  if (begins_with_any(name, kDebuggerThreads)) {
    report(out, FindingId::kDebugDebuggable, "a thread is called " + std::string(name));
  }
}

}  // namespace

void check_threads(const Context& context, Findings& out) {
  static const std::string kFolder = "/proc/self/task";
  const auto threads = context.kernel.list_folder(kFolder);
  std::size_t looked_at = 0;
  for (const std::string& thread : threads.value_or(std::vector<std::string>())) {
    if (++looked_at > kMaxThreads) break;
    if (thread.starts_with('.')) continue;
    const auto name = read_whole(context.kernel, kFolder + "/" + thread + "/comm", 4096);
    if (name) judge_thread(as_text(*name).substr(0, as_text(*name).find('\n')), out);
  }
  for (const Module& module : context.modules) {
    if (std::ranges::find(kAgents, file_name(module.path)) == kAgents.end()) continue;
    report(out, FindingId::kDebugDebuggable, module.path + " is loaded");
  }
  const Surroundings& seen = context.observed.surroundings;
  if (seen.debuggable) report(out, FindingId::kDebugDebuggable, "the app's flag says so");
  if (seen.debugger) report(out, FindingId::kDebugDebuggable, "a debugger of Java is connected");
  if (!seen.framework_class.empty()) {
    report(out, FindingId::kHookFramework, "the class " + seen.framework_class + " is there");
  }
}

}  // namespace touchmark::attester::checks
