// Reads one Android package: container, manifest, signatures, parts.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/model/measurement.h"

namespace touchmark::package {

// Verifies the signatures and digests every part of an app in any of its forms: APK, archive of
// split APKs, app bundle, IPA. Fails with the first reason for a refusal (enumerations beside each
// reader: ZipError, AxmlError, SignatureError, ...).
Result<Measurement> measure(const Source& source, const MeasureOptions& options = {});
// The same of an APK as a device installs it, and of nothing else: what an app measures itself
// with.
Result<Measurement> measure_apk(const Source& source, const MeasureOptions& options = {});
enum class PackageError {
  kNoSuchPart,
  kRangeTooLarge,  // over kMaxRangeBytes
};
std::string_view error_id(PackageError error);

inline constexpr std::uint64_t kMaxRangeBytes = std::uint64_t{1} << 20;

// The uncompressed bytes of one part, [offset, offset + length) clipped to its end. Shapes as in
// the range proof: what lies beyond the end counts as absent, a part that is absent gives no bytes.
Result<Bytes> read_part_range(const Source& source, std::string_view name, std::uint64_t offset,
                              std::uint64_t length);
// Streams a whole part in pieces; kNoSuchPart when it is absent.
Result<void> read_part(const Source& source, std::string_view name,
                       const std::function<Result<void>(ByteView)>& sink);

}  // namespace touchmark::package
