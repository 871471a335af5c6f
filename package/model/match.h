// Compares what a device has installed with a registered release.
//
// The two are seldom the same list of parts: of a release in splits a device has the base and some
// of the splits; of an app bundle it has packages that the store made, with the bundle's code in
// them but with another manifest and other resources.
#pragma once

#include "base/error.h"
#include "package/model/measurement.h"

namespace touchmark::package {

enum class MatchError {
  kOtherApp,      // another platform or package name
  kOtherVersion,  // another version code or name
  kOtherSigners,  // or none
  kPartChanged,
  kPartUnknown,  // installed, not registered
  kPartMissing,  // registered and always installed, not there
};
std::string_view error_id(MatchError error);

// Succeeds when every installed part that can be compared is the registered one, and none that
// every device gets is missing. The error's message names the first part that differs.
//
// A bundle's manifest, resources and other files are not compared, since the store rewrites them;
// its code and assets are. What is known of an installed app may be its code-bearing parts only:
// give `code_only` then, and nothing else is compared or missed.
Result<void> match(const Measurement& registered, const Measurement& installed,
                   bool code_only = false);

}  // namespace touchmark::package
