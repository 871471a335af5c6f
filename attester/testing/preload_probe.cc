// The program that HookTest starts with and without a preloaded library: exit status 0 when it sees
// one.
#include <cstdlib>

#include "attester/checks/image.h"

namespace checks = touchmark::attester::checks;

int main() {
  unsetenv("LD_PRELOAD");  // as a library that hides itself does
  const auto maps = checks::read_maps();
  if (!maps) return 2;
  const checks::Rules rules = checks::default_rules();
  const std::vector<checks::Module> modules = checks::list_modules(*maps);
  checks::Findings findings;
  const checks::Images images(checks::this_kernel(), rules.machine);
  checks::check_preload(checks::Context{rules, {}, *maps, modules, {}, images}, findings);
  if (findings.empty()) return 1;
  return findings.front().id == touchmark::protocol::FindingId::kHookPreload ? 0 : 2;
}
