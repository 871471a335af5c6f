// How the process was started and who watches it: the loader's environment, a tracer.
#include <algorithm>
#include <array>

#include "attester/checks/check.h"

extern "C" char**
    environ;  // NOLINT(readability-redundant-declaration): only with _GNU_SOURCE in libc

namespace touchmark::attester::checks {
namespace {

using protocol::FindingId;

constexpr std::size_t kMaxEnvironment = 4 << 20;
constexpr std::array<std::string_view, 2> kVariables = {"LD_PRELOAD=", "LD_AUDIT="};

// The environment as the kernel handed it over: code that ran since cannot take an entry out of
// there as unsetenv would. Where /proc refuses (an app that is not debuggable), libc's list has to
// do.
std::vector<std::string> start_environment(const Context& context) {
  std::vector<std::string> out;
  if (const Result<Bytes> text =
          read_whole(context.kernel, "/proc/self/environ", kMaxEnvironment)) {
    std::string_view rest = as_text(*text);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::ranges::find(out, *entry) == out.end()) out.emplace_back(*entry);
  }
  return out;
}

// A library of the system, such as a debugging malloc that its owner asked for: named by a path in
// the system's folders, or bare and then loaded from one of them.
bool of_the_system(const Context& context, std::string_view library) {
  if (library.find("..") != std::string_view::npos) return false;
  if (library.find('/') != std::string_view::npos) {
    return is_system_file(context.rules, library);
  }
  const auto named = [library](const Module& module) { return file_name(module.path) == library; };
  const auto loaded = std::ranges::find_if(context.modules, named);
  return loaded == context.modules.end() || is_system_file(context.rules, loaded->path);
}

void check_list(const Context& context, std::string_view list, std::string_view where,
                Findings& out) {
  constexpr std::string_view kSeparators = ": \n\t";
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(kSeparators), list.size());
    const std::string_view library = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (library.empty() || of_the_system(context, library)) continue;
    report(out, FindingId::kHookPreload, std::string(where) + std::string(library));
  }
}

}  // namespace

void check_preload(const Context& context, Findings& out) {
  for (const std::string& entry : start_environment(context)) {
    for (const std::string_view variable : kVariables) {
      if (!entry.starts_with(variable)) continue;
      check_list(context, std::string_view(entry).substr(variable.size()), variable, out);
    }
  }
  if (const Result<Bytes> file = read_whole(context.kernel, "/etc/ld.so.preload", 64 * 1024)) {
    check_list(context, as_text(*file), "/etc/ld.so.preload: ", out);
  }
}

void check_debugger(const Context& context, Findings& out) {
  const Result<Bytes> status = read_status(context.kernel);
  const auto tracer = status ? status_field(*status, "TracerPid:") : std::nullopt;
  if (!tracer) {
    report(out, FindingId::kDebugAttached, "whether the process is traced cannot be read");
  } else if (!tracer->starts_with('0')) {
    report(out, FindingId::kDebugAttached, "traced by process " + std::string(*tracer));
  }
}

}  // namespace touchmark::attester::checks
