// _CodeSignature/CodeResources: the list of every file of an app but its executable, with hashes.
#pragma once

#include <string>
#include <vector>

#include "base/budget.h"
#include "base/error.h"
#include "package/model/measurement.h"

namespace touchmark::package::ios {

// Compares the files of an app (`parts`, sorted by name) with the list. What is never listed: the
// list, the executable, Info.plist and PkgInfo (the first two special slots of the code directory
// cover what matters of them), the App Store's own additions, and what the list's own rules leave
// out.
Result<void> check_sealed_resources(ByteView list, const std::vector<Part>& parts,
                                    std::string_view executable, Budget& budget);

}  // namespace touchmark::package::ios
