// The parts of a package and their digests.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/model/measurement.h"

namespace touchmark::package {

// By the path: what the platform does with an entry of that name.
PartKind kind_of(std::string_view name);
// Whether an entry is a part: a file that is not of the v1 signature.
bool is_part(const zip::ZipEntry& entry);

// Says under which name an entry is a part; nothing when it is none.
using PartNames = std::function<std::optional<std::string>(const zip::ZipEntry&)>;

// Digests the parts of an archive, on several cores when there is much to do. Sorted by name, each
// of the kind that kind_of() gives its name.
Result<std::vector<Part>> digest_parts(const zip::ZipArchive& archive, const PartNames& names);
// Every entry that is_part() under its own name.
Result<std::vector<Part>> digest_parts(const zip::ZipArchive& archive);

}  // namespace touchmark::package
