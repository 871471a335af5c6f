#include "package/ios/mach_o.h"

#include <algorithm>
#include <string>

#include "base/endian.h"

namespace touchmark::package::ios {
namespace {

constexpr std::uint32_t kMagic32 = 0xfeedface;
constexpr std::uint32_t kMagic64 = 0xfeedfacf;
constexpr std::uint32_t kFatMagic32 = 0xcafebabe;  // big-endian, as everything in that header
constexpr std::uint32_t kFatMagic64 = 0xcafebabf;
constexpr std::uint32_t kCodeSignature = 0x1d;
constexpr std::uint32_t kEncryptionInfo32 = 0x21;
constexpr std::uint32_t kEncryptionInfo64 = 0x2c;
constexpr std::size_t kMaxSlices = 16;
constexpr std::size_t kMaxCommandsSize = std::size_t{4} << 20;
constexpr std::size_t kHeader32 = 28;
constexpr std::size_t kHeader64 = 32;

tl::unexpected<Error> truncated() {
  return fail(MachOError::kTruncated, "a Mach-O header leaves the file");
}

Result<void> read_command(ByteView command, MachSlice& slice, bool& signed_once) {
  const std::uint32_t type = le32(command, 0);
  if (type == kEncryptionInfo32 || type == kEncryptionInfo64) {
    if (command.size() < 20) return fail(MachOError::kBadCommand, "encryption info too short");
    slice.encrypted = slice.encrypted || le32(command, 16) != 0;
  }
  if (type != kCodeSignature) return {};
  if (command.size() != 16) return fail(MachOError::kBadCommand, "code signature command");
  if (signed_once) return fail(MachOError::kSeveralSignatures, "two code signatures");
  signed_once = true;
  slice.signature_offset = le32(command, 8);
  slice.signature_size = le32(command, 12);
  if (slice.signature_offset > slice.size ||
      slice.signature_size != slice.size - slice.signature_offset) {
    return fail(MachOError::kSignatureBounds, "the code signature does not end its image");
  }
  return {};
}

// The one range that is asked for alone.
Result<Bytes> read_one(const ReadRanges& read, std::size_t length) {
  const zip::ZipRange range{0, length};
  auto bytes = read({&range, 1});
  if (!bytes) return pass(bytes);
  return std::move(bytes->front());
}

struct Header {
  std::uint32_t count = 0;  // of load commands
  zip::ZipRange commands;
};

bool is_image(ByteView header) {
  if (header.size() < kHeader64) return false;
  const std::uint32_t magic = le32(header, 0);
  return magic == kMagic32 || magic == kMagic64;
}

Result<Header> read_header(ByteView header, MachSlice& slice) {
  if (header.size() < kHeader64) return truncated();
  if (!is_image(header)) return fail(MachOError::kNotMachO, "not a little-endian Mach-O image");
  const std::uint32_t magic = le32(header, 0);
  slice.cpu_type = le32(header, 4);
  slice.cpu_subtype = le32(header, 8);
  slice.file_type = le32(header, 12);
  const std::size_t size = le32(header, 20);
  const std::size_t header_size = magic == kMagic64 ? kHeader64 : kHeader32;
  if (size > kMaxCommandsSize || header_size + size > slice.size) return truncated();
  slice.head_size = header_size + size;
  slice.wide = magic == kMagic64;
  return Header{le32(header, 16), {slice.offset + header_size, size}};
}

// Fills in what the load commands say.
Result<void> read_commands(ByteView rest, const Header& header, NeedsSignature needed,
                           MachSlice& slice) {
  if (rest.size() != header.commands.length) return truncated();
  bool is_signed = false;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    if (rest.size() < 8) return truncated();
    const std::size_t length = le32(rest, 4);
    if (length < 8 || length > rest.size()) {
      return fail(MachOError::kBadCommand, "load command " + std::to_string(i));
    }
    if (auto ok = read_command(rest.first(length), slice, is_signed); !ok) return ok;
    rest = rest.subspan(length);
  }
  if (!is_signed && needed == NeedsSignature::kYes)
    return fail(MachOError::kNoSignature, "an image without a code signature");
  return {};
}

// First all headers, then all load commands.
Result<void> read_slices(const ReadRanges& read, NeedsSignature needed,
                         std::vector<MachSlice>& slices) {
  std::vector<zip::ZipRange> ranges;
  for (const MachSlice& slice : slices) ranges.push_back({slice.offset, kHeader64});
  const auto headers = read(ranges);
  if (!headers) return pass(headers);
  std::vector<MachSlice> images;
  std::vector<Header> parsed;
  ranges.clear();
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (needed == NeedsSignature::kNo && !is_image((*headers)[i])) continue;
    const auto header = read_header((*headers)[i], slices[i]);
    if (!header) return pass(header);
    ranges.push_back(header->commands);
    parsed.push_back(*header);
    images.push_back(slices[i]);
  }
  slices = std::move(images);
  const auto commands = read(ranges);
  if (!commands) return pass(commands);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (auto ok = read_commands((*commands)[i], parsed[i], needed, slices[i]); !ok) return ok;
  }
  return {};
}

Result<std::vector<MachSlice>> read_fat_header(std::uint64_t file_size, const ReadRanges& read,
                                               bool wide) {
  const std::size_t entry_size = wide ? 32 : 20;
  const auto header = read_one(read, 8 + kMaxSlices * 32);
  if (!header) return pass(header);
  const std::size_t count = be32(*header, 4);
  if (count == 0 || count > kMaxSlices) {
    return fail(MachOError::kTooManySlices, std::to_string(count) + " slices");
  }
  if (header->size() < 8 + count * entry_size) return truncated();
  std::vector<MachSlice> slices;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView entry = ByteView(*header).subspan(8 + i * entry_size, entry_size);
    MachSlice slice;
    slice.offset = wide ? be64(entry, 8) : be32(entry, 8);
    slice.size = wide ? be64(entry, 16) : be32(entry, 12);
    if (slice.offset > file_size || slice.size > file_size - slice.offset) {
      return fail(MachOError::kSliceBounds, "a slice leaves the file");
    }
    slices.push_back(slice);
  }
  std::ranges::sort(slices, {}, &MachSlice::offset);
  std::uint64_t end = 8 + count * entry_size;
  for (const MachSlice& slice : slices) {
    if (slice.offset < end) return fail(MachOError::kSliceBounds, "slices that overlap");
    end = slice.offset + slice.size;
  }
  return slices;
}

}  // namespace

std::string_view error_id(MachOError error) {
  using enum MachOError;
  static constexpr auto kIds = error_table<MachOError>({
      {kNotMachO, "macho.not-mach-o"},
      {kTruncated, "macho.truncated"},
      {kBadCommand, "macho.bad-command"},
      {kTooManySlices, "macho.too-many-slices"},
      {kSliceBounds, "macho.slice-bounds"},
      {kNoSignature, "macho.no-signature"},
      {kSeveralSignatures, "macho.several-signatures"},
      {kSignatureBounds, "macho.signature-bounds"},
  });
  return kIds[error];
}

Result<std::vector<MachSlice>> read_mach_o(std::uint64_t file_size, const ReadRanges& read,
                                           NeedsSignature needed) {
  const auto start = read_one(read, 8);
  if (!start) return pass(start);
  if (start->size() < 8) return fail(MachOError::kNotMachO, "too short for a Mach-O file");
  const std::uint32_t magic = be32(*start, 0);
  std::vector<MachSlice> slices;
  if (magic == kFatMagic32 || magic == kFatMagic64) {
    auto listed = read_fat_header(file_size, read, magic == kFatMagic64);
    if (!listed) return listed;
    slices = *std::move(listed);
  } else {
    slices.push_back({.offset = 0, .size = file_size});
  }
  if (auto ok = read_slices(read, needed, slices); !ok) return pass(ok);
  return slices;
}

}  // namespace touchmark::package::ios
