// Mach-O files, thin and universal, as far as code signing needs them (<mach-o/loader.h>,
// <mach-o/fat.h>).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"

namespace touchmark::package::ios {

enum class MachOError {
  kNotMachO,       // no magic number of a little-endian image or a universal file
  kTruncated,      // a header or load command that leaves the file
  kBadCommand,     // a load command of a wrong size
  kTooManySlices,  // none, or over 16
  kSliceBounds,    // a slice that leaves the file, or two that share bytes
  kNoSignature,    // no LC_CODE_SIGNATURE
  kSeveralSignatures,
  kSignatureBounds,  // a signature that does not end the slice
};
std::string_view error_id(MachOError error);

// The image for one processor.
struct MachSlice {
  std::uint64_t offset = 0;  // within the file
  std::uint64_t size = 0;
  std::uint32_t cpu_type = 0;
  std::uint32_t cpu_subtype = 0;
  std::uint32_t file_type = 0;
  std::uint64_t signature_offset = 0;  // within the slice
  std::uint64_t signature_size = 0;
  bool encrypted = false;     // by a store: the pages on disk are not those that were signed
  std::size_t head_size = 0;  // of the header and its load commands
  bool wide = false;          // 64-bit
};

// Reads ranges of the file, each clipped to its end. One call may have to inflate all that stands
// before the last of them, so what is known to be needed is asked for at once.
using ReadRanges = std::function<Result<std::vector<Bytes>>(std::span<const zip::ZipRange>)>;

// Whether an image without a code signature is refused. If not, a universal file may also hold what
// is no image at all, such as static libraries; those slices are left out.
enum class NeedsSignature { kYes, kNo };
Result<std::vector<MachSlice>> read_mach_o(std::uint64_t file_size, const ReadRanges& read,
                                           NeedsSignature needed = NeedsSignature::kYes);

}  // namespace touchmark::package::ios
