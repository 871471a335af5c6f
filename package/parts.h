// The parts of a package and their digests.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "package/measurement.h"
#include "package/zip.h"

namespace touchmark::package {

// By the path: what the platform does with an entry of that name.
PartKind kind_of(std::string_view name);
// META-INF/MANIFEST.MF, *.SF, *.RSA, *.DSA, *.EC: they hold the v1 signature of the parts and are
// none themselves. The platform does not look at the case of these names.
bool is_v1_signature_file(std::string_view name);
// Whether an entry is a part: a file that is not of the v1 signature.
bool is_part(const ZipEntry& entry);

// Says under which name an entry is a part; nothing when it is none.
using PartNames = std::function<std::optional<std::string>(const ZipEntry&)>;

// Digests the parts of an archive, on several cores when there is much to do. Sorted by name, each
// of the kind that kind_of() gives its name.
Result<std::vector<Part>> digest_parts(const ZipArchive& archive, const PartNames& names);
// Every entry that is_part() under its own name.
Result<std::vector<Part>> digest_parts(const ZipArchive& archive);

}  // namespace touchmark::package
