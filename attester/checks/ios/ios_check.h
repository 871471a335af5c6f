// The checks of an app on an iPhone. What each looks at, and where it could be wrong, is in
// docs/checks.md.
#pragma once

#include <string>
#include <vector>

#include "attester/checks/ios/loaded_image.h"
#include "protocol/findings.h"

namespace touchmark::attester::checks::ios {

using Findings = std::vector<protocol::Finding>;

struct IosContext {
  const Iphone& iphone;
  const LoadedImages& images;
};

// Whether an image is the system's: of the shared cache, or in a folder that no app can write.
bool is_system_image(const LoadedImage& image, bool simulator);

void check_signatures(const IosContext& context, Findings& out);      // hook.text-modified,
                                                                      // app.code-not-from-package
void check_pointers(const IosContext& context, Findings& out);        // hook.import-redirected
void check_foreign_images(const IosContext& context, Findings& out);  // hook.unknown-code,
                                                                      // .framework, .preload
void check_tracing(const IosContext& context, Findings& out);         // debug.attached
void check_jailbreak(const IosContext& context, Findings& out);       // root.jailbreak
void check_simulator(const IosContext& context, Findings& out);       // device.emulator

}  // namespace touchmark::attester::checks::ios
