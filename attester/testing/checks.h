// What the tests of the checks share: rules under which the test program itself is part of the
// system, and children that break themselves before they look.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "attester/checks/image.h"

namespace touchmark::attester::testing {

using protocol::Finding;
using protocol::FindingId;

inline std::uintptr_t own_code() {
  return reinterpret_cast<std::uintptr_t>(&checks::default_rules);
}

// default_rules(), with the folder of the test program among the system's.
inline checks::Rules test_rules() {
  checks::Rules rules = checks::default_rules();
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  rules.system_dirs.push_back(program.parent_path().string());
  rules.own_code = own_code();
  rules.frida_port = 1;  // nobody listens there
  return rules;
}

using Check = void (*)(const checks::Context&, checks::Findings&);

inline checks::Findings run(Check check, const checks::Rules& rules = test_rules(),
                            const checks::PlatformMarks& marks = {}) {
  const auto maps = checks::read_maps();
  EXPECT_TRUE(maps);
  const std::vector<checks::Module> modules = checks::list_modules(*maps);
  checks::OwnPackage own;
  if (const checks::Module* module = find_module(modules, rules.own_code))
    own.library_path = module->path;
  checks::Findings out;
  const checks::Images images(checks::this_kernel(), rules.machine);
  check(checks::Context{rules, marks, *maps, modules, own, images}, out);
  return out;
}

inline bool has(const checks::Findings& findings, protocol::FindingId id) {
  return std::ranges::any_of(findings, [id](const protocol::Finding& f) { return f.id == id; });
}

inline std::string text(const checks::Findings& findings) {
  std::string out;
  for (const protocol::Finding& finding : findings) {
    out += std::string(protocol::to_string(finding.id)) + " (" + finding.detail + ")\n";
  }
  return out;
}

// Runs `body` in a child process, which must return true: what it does to its memory stays there.
inline ::testing::AssertionResult in_child(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the child ended with wait status " << status;
}

}  // namespace touchmark::attester::testing
