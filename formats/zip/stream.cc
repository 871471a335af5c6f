// Reads the content of an entry with two fixed buffers, whatever its size.
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>

#include "formats/zip/internal.h"

namespace touchmark::zip {
namespace {

using Sink = std::function<Result<void>(ByteView)>;

constexpr std::size_t kBufferSize = 64 * 1024;
using Buffer = std::array<std::byte, kBufferSize>;

// The compressed bytes of an entry, one buffer after the other.
class Input {
 public:
  Input(const Source& source, const ZipEntry& entry)
      : source_(source), offset_(entry.data_offset), left_(entry.compressed_size) {}

  bool at_end() const { return left_ == 0; }
  Result<ByteView> next() {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_->size()));
    const auto piece = std::span(*buffer_).first(size);
    if (auto read = source_.read_at(offset_, piece); !read) return pass(read);
    offset_ += size;
    left_ -= size;
    return ByteView(piece);
  }

 private:
  const Source& source_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::unique_ptr<Buffer> buffer_ = std::make_unique<Buffer>();
};

// Passes pieces on and keeps count of what the directory declared.
class CheckedOutput {
 public:
  CheckedOutput(const ZipEntry& entry, const Sink& sink) : entry_(entry), sink_(sink) {}

  Result<void> put(ByteView piece) {
    if (piece.size() > entry_.size - size_) {
      return fail(ZipError::kSizeMismatch, entry_.name + " expands past its declared " +
                                               std::to_string(entry_.size) + " bytes");
    }
    size_ += piece.size();
    crc_ = crc32_z(crc_, uchars(piece), piece.size());
    return sink_(piece);
  }
  Result<void> finish() const {
    if (size_ != entry_.size) {
      return fail(ZipError::kSizeMismatch, entry_.name + " has " + std::to_string(size_) +
                                               " bytes, declared " + std::to_string(entry_.size));
    }
    if (crc_ != entry_.crc32) {
      return fail(ZipError::kCrcMismatch, entry_.name + ": CRC-32 differs from the declared one");
    }
    return {};
  }

 private:
  const ZipEntry& entry_;
  const Sink& sink_;
  std::uint64_t size_ = 0;
  uLong crc_ = crc32_z(0, nullptr, 0);
};

class Inflater {
 public:
  Inflater() : ready_(inflateInit2(&stream_, -MAX_WBITS) == Z_OK) {}  // raw deflate
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ready() const { return ready_; }
  bool ended() const { return ended_; }
  void feed(ByteView input) {
    // zlib does not write to its input; its older interface only lacks the const.
    stream_.next_in = const_cast<Bytef*>(uchars(input));
    stream_.avail_in = static_cast<uInt>(input.size());
  }
  std::size_t unused_input() const { return stream_.avail_in; }
  // Fills as much of `out` as the input allows. False for a broken stream.
  bool fill(std::span<std::byte> out, std::size_t& filled) {
    stream_.next_out = uchars(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    filled = out.size() - stream_.avail_out;
    ended_ = status == Z_STREAM_END;
    // Z_BUF_ERROR only says that there is nothing to do until more input comes.
    return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
  }

 private:
  z_stream stream_{};
  bool ready_;
  bool ended_ = false;
};

Result<void> copy_stored(Input& input, CheckedOutput& output) {
  while (!input.at_end()) {
    const auto piece = input.next();
    if (!piece) return pass(piece);
    if (auto ok = output.put(*piece); !ok) return pass(ok);
  }
  return {};
}

Result<void> inflate_all(const ZipEntry& entry, Input& input, CheckedOutput& output) {
  Inflater inflater;
  if (!inflater.ready()) return fail(ZipError::kBadDeflate, "zlib has no memory");
  const auto buffer = std::make_unique<Buffer>();
  while (!inflater.ended()) {
    if (input.at_end()) {
      return fail(ZipError::kBadDeflate, entry.name + ": the deflate stream does not end");
    }
    const auto piece = input.next();
    if (!piece) return pass(piece);
    inflater.feed(*piece);
    // A full buffer means that there may be more output, even with the input used up.
    for (std::size_t filled = buffer->size(); filled == buffer->size() && !inflater.ended();) {
      if (!inflater.fill(*buffer, filled)) {
        return fail(ZipError::kBadDeflate, entry.name + ": not a deflate stream");
      }
      if (auto ok = output.put(ByteView(*buffer).first(filled)); !ok) return pass(ok);
    }
  }
  if (inflater.unused_input() != 0 || !input.at_end()) {
    return fail(ZipError::kTrailingData, entry.name + ": bytes after the deflate stream");
  }
  return {};
}

}  // namespace

Result<void> ZipArchive::stream(const ZipEntry& entry, const Sink& sink) const {
  Input input(*source_, entry);
  CheckedOutput output(entry, sink);
  const auto copied =
      entry.method == kStored ? copy_stored(input, output) : inflate_all(entry, input, output);
  if (!copied) return pass(copied);
  return output.finish();
}

Result<Bytes> ZipArchive::read_range(const ZipEntry& entry, std::uint64_t offset,
                                     std::size_t length) const {
  if (offset >= entry.size) return Bytes();
  length = static_cast<std::size_t>(std::min<std::uint64_t>(length, entry.size - offset));
  Bytes range;
  if (entry.method == kStored) {
    range.resize(length);
    if (auto read = source_->read_at(entry.data_offset + offset, range); !read) return pass(read);
    return range;
  }
  std::uint64_t at = 0;
  const auto collect = [&](ByteView piece) -> Result<void> {
    const std::uint64_t skip = at < offset ? std::min<std::uint64_t>(offset - at, piece.size()) : 0;
    at += piece.size();
    piece = piece.subspan(static_cast<std::size_t>(skip));
    append(range, piece.first(std::min(piece.size(), length - range.size())));
    // Ends the stream; the error goes no further.
    if (range.size() == length) return fail(ZipError::kTooLarge, "the range is complete");
    return {};
  };
  const auto streamed = stream(entry, collect);
  if (!streamed && range.size() != length) return pass(streamed);
  return range;
}

Result<std::vector<Bytes>> ZipArchive::read_ranges(const ZipEntry& entry,
                                                   std::span<const ZipRange> ranges) const {
  std::vector<ZipRange> clipped;
  std::uint64_t total = 0;
  std::uint64_t end = 0;
  for (const ZipRange& range : ranges) {
    const std::uint64_t offset = std::min(range.offset, entry.size);
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(range.length, entry.size - offset));
    clipped.push_back({offset, length});
    total += length;
    if (length > 0) end = std::max(end, offset + length);
  }
  if (auto ok = budget_->take_bytes(total); !ok) return pass(ok);
  std::vector<Bytes> out(clipped.size());
  if (entry.method == kStored) {
    for (std::size_t i = 0; i < clipped.size(); ++i) {
      out[i].resize(clipped[i].length);
      if (auto read = source_->read_at(entry.data_offset + clipped[i].offset, out[i]); !read) {
        return pass(read);
      }
    }
    return out;
  }
  // What is counted may be taken at once; growing by doubling would take three times that.
  for (std::size_t i = 0; i < clipped.size(); ++i) out[i].reserve(clipped[i].length);
  std::uint64_t at = 0;
  const auto collect = [&](ByteView piece) -> Result<void> {
    for (std::size_t i = 0; i < clipped.size(); ++i) {
      const std::uint64_t wanted = clipped[i].offset + out[i].size();
      const std::size_t left = clipped[i].length - out[i].size();
      if (left == 0 || wanted < at || wanted >= at + piece.size()) continue;
      const ByteView rest = piece.subspan(static_cast<std::size_t>(wanted - at));
      append(out[i], rest.first(std::min(rest.size(), left)));
    }
    at += piece.size();
    // Ends the stream; the error goes no further.
    if (at >= end) return fail(ZipError::kTooLarge, "the ranges are complete");
    return {};
  };
  if (end == 0) return out;
  const auto streamed = stream(entry, collect);
  if (!streamed && at < end) return pass(streamed);
  return out;
}

}  // namespace touchmark::zip
