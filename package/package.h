// Reads one Android package: container, manifest, signatures, parts.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "package/measurement.h"
#include "package/zip.h"

namespace touchmark::package {

enum class SourceError {
  kNotFound,
  kPermission,
  kNotAFile,  // a folder, a device, a pipe
  kIo,
  kPastEnd,  // a read past the end
};
std::string_view error_id(SourceError error);

// Opens a file for reading with pread. The SDK passes its own Source, made of raw system calls.
Result<std::unique_ptr<Source>> open_file(const std::filesystem::path& path);
std::unique_ptr<Source> from_memory(Bytes bytes);

struct MeasureOptions {
  // Verify signatures as a platform of these API levels would; 0 = what the manifest says / newest.
  std::uint32_t min_sdk = 0;
  std::uint32_t max_sdk = 0;
  // For an app bundle, which does not say who will sign what is installed: SHA-256 of the
  // app-signing certificates.
  std::vector<Sha256Digest> bundle_signers = {};
  // For an iOS app: the roots that its signer's certificate may chain to, DER. Empty: Apple's.
  std::vector<Bytes> ios_roots = {};
};

// Verifies the signatures and digests every part of an app in any of its forms: APK, archive of
// split APKs, app bundle, IPA. Fails with the first reason for a refusal (enumerations beside each
// reader: ZipError, AxmlError, SignatureError, ...).
Result<Measurement> measure(const Source& source, const MeasureOptions& options = {});
// An app that is installed as several APKs, a base and its splits, in any order.
Result<Measurement> measure_splits(std::span<const Source* const> sources,
                                   const MeasureOptions& options = {});

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
