// All checks on this very process, as the Integrity that the client asks.
#pragma once

#include "attester/checks/check.h"
#include "attester/core/integrity.h"

namespace touchmark::attester::checks {

struct ProcessIntegrityOptions {
  Rules rules = default_rules();
  PlatformMarks marks;
  std::string platform_path;  // base APK as the platform names it; "" when it does not say
  AppFacts app = {};
  // Asked at each inspection, on the thread that inspects.
  std::function<Observed()> observe = {};
  ListLibraries libraries = {};  // none: what the loader lists is not looked at
  const Kernel& kernel = this_kernel();
};
std::unique_ptr<Integrity> make_process_integrity(ProcessIntegrityOptions options);

}  // namespace touchmark::attester::checks
