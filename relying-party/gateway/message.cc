#include "relying-party/gateway/message.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "verifier/http/framing.h"
#include "verifier/http/text.h"

namespace touchmark::relying::gateway {
namespace {

using verifier::http::trimmed;

constexpr std::string_view kLineEnd = "\r\n";
constexpr auto kHopByHop = std::to_array<std::string_view>(
    {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
     "TE", "Trailer", "Transfer-Encoding", "Upgrade"});
// What a Connection must not name: the request would end elsewhere, or be for somebody else.
constexpr auto kNeverDropped = std::to_array<std::string_view>({"Host", "Content-Length"});

bool has_word(std::string_view list, std::string_view word) {
  while (const auto part = take_part(list, ',')) {
    if (same_word(trimmed(*part), word)) return true;
  }
  return false;
}

// Lines NAME: VALUE; nullopt for another.
std::optional<std::vector<Header>> split_fields(std::string_view lines) {
  std::vector<Header> out;
  out.reserve(16);
  while (!lines.empty()) {
    const std::size_t end = lines.find(kLineEnd);
    if (end == lines.npos) return std::nullopt;
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + kLineEnd.size());
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_http_token(line.substr(0, colon))) return std::nullopt;
    out.push_back({line.substr(0, colon), trimmed(line.substr(colon + 1))});
  }
  return out;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_digits =
      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) && !text.empty();
  if (!is_digits || error != std::errc() || end != text.data() + text.size() || text.size() > 18) {
    return std::nullopt;
  }
  return out;
}

tl::unexpected<Error> bad_answer(const std::string& what) {
  return fail(MessageError::kMalformed, "the upstream's answer " + what);
}

// RFC 9112, section 6.3.
Result<Framing> framing_of(const AnswerHead& head, bool to_head) {
  std::optional<std::uint64_t> length;
  std::size_t codings = 0;
  bool is_chunked = false;
  for (const Header& field : head.fields) {
    if (same_word(field.name, "Content-Length")) {
      const auto found = parse_length(field.value);
      if (!found || (length && length != found)) return bad_answer("has no one Content-Length");
      length = found;
    } else if (same_word(field.name, "Transfer-Encoding")) {
      ++codings;
      is_chunked = same_word(field.value, "chunked");
    }
  }
  if (codings > 0 && (codings > 1 || !is_chunked)) {
    return bad_answer("has a Transfer-Encoding other than chunked");
  }
  if (is_chunked && length) return bad_answer("has both Transfer-Encoding and Content-Length");
  const bool has_none = to_head || head.status < 200 || head.status == 204 || head.status == 304;
  if (has_none) return Framing{};
  if (is_chunked) return Framing{Framing::Kind::kChunked, 0};
  if (length) return Framing{Framing::Kind::kLength, *length};
  return Framing{Framing::Kind::kUntilClose, 0};
}

}  // namespace

std::string_view error_id(MessageError error) {
  using enum MessageError;
  static constexpr auto kIds = error_table<MessageError>({
      {kMalformed, "gateway.bad-answer"},
      {kBadChunk, "gateway.bad-chunk"},
  });
  return kIds[error];
}

std::string_view RequestHead::find(std::string_view name) const {
  for (const Header& field : fields) {
    if (same_word(field.name, name)) return field.value;
  }
  return {};
}

std::optional<RequestHead> read_request_head(std::string_view head) {
  RequestHead out;
  const std::size_t end = head.find(kLineEnd);
  const std::string_view line = head.substr(0, end);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, second - first - 1);
  out.is_http_11 = line.ends_with("HTTP/1.1");
  head.remove_prefix(end + kLineEnd.size());
  head.remove_suffix(kLineEnd.size());
  auto fields = split_fields(head);
  if (!fields) return std::nullopt;
  out.fields = std::move(*fields);
  bool asks_to_close = !out.is_http_11;
  bool asks_to_upgrade = false;
  for (const Header& field : out.fields) {
    // Most fields are none of these: their lengths tell.
    switch (field.name.size()) {
      case 6:
        if (same_word(field.name, "Expect")) {
          out.expects_continue = out.is_http_11 && same_word(field.value, "100-continue");
        }
        break;
      case 7:
        if (same_word(field.name, "Upgrade")) out.upgrade = field.value;
        break;
      case 10:
        if (same_word(field.name, "Connection")) {
          for (const std::string_view name : kNeverDropped) {
            if (has_word(field.value, name)) return std::nullopt;
          }
          asks_to_close = asks_to_close || has_word(field.value, "close");
          asks_to_upgrade = asks_to_upgrade || has_word(field.value, "upgrade");
        }
        break;
      case 14:
        if (same_word(field.name, "Content-Length")) {
          const auto length = parse_length(field.value);
          if (!length) return std::nullopt;
          if (*length > 0) out.body = {Framing::Kind::kLength, *length};
        }
        break;
      case 17:
        if (same_word(field.name, "Transfer-Encoding")) out.body.kind = Framing::Kind::kChunked;
        break;
      default:
        break;
    }
  }
  out.keep_alive = !asks_to_close;
  if (!asks_to_upgrade || !out.is_http_11) out.upgrade = {};
  return out;
}

Result<AnswerHead> read_answer_head(std::string_view head, bool to_head) {
  if (!verifier::http::may_become_head(head) || !head.ends_with("\r\n\r\n")) {
    return bad_answer("is no HTTP");
  }
  AnswerHead out;
  const std::size_t end = head.find(kLineEnd);
  const std::string_view line = head.substr(0, end);
  const bool is_http_11 = line.starts_with("HTTP/1.1 ");
  constexpr std::size_t kStatusAt = 9;
  constexpr std::size_t kStatusEnd = 12;
  if ((!is_http_11 && !line.starts_with("HTTP/1.0 ")) || line.size() < kStatusEnd ||
      (line.size() > kStatusEnd && line[kStatusEnd] != ' ')) {
    return bad_answer("does not begin with HTTP/1.1 and a status");
  }
  const auto status = parse_length(line.substr(kStatusAt, 3));
  if (!status || *status < 100 || *status > 599) return bad_answer("has no status");
  out.status = static_cast<unsigned>(*status);
  out.reason = line.size() > kStatusEnd ? line.substr(kStatusEnd + 1) : std::string_view();
  head.remove_prefix(end + kLineEnd.size());
  head.remove_suffix(kLineEnd.size());
  auto fields = split_fields(head);
  if (!fields) return bad_answer("has a line that is not NAME: VALUE");
  out.fields = std::move(*fields);
  const auto framing = framing_of(out, to_head);
  if (!framing) return pass(framing);
  out.body = *framing;
  const std::string connection = joined(out.fields, "Connection");
  out.keep_alive =
      is_http_11 && !has_word(connection, "close") && out.body.kind != Framing::Kind::kUntilClose;
  return out;
}

bool is_hop_by_hop(std::string_view name, std::string_view connection) {
  const auto is_it = [name](std::string_view other) { return same_word(name, other); };
  return std::ranges::any_of(kHopByHop, is_it) ||
         (!connection.empty() && has_word(connection, name));
}

std::string joined(const std::vector<Header>& fields, std::string_view name) {
  std::string out;
  for (const Header& field : fields) {
    if (!same_word(field.name, name)) continue;
    if (!out.empty()) out += ", ";
    out += field.value;
  }
  return out;
}

bool is_fact_name(std::string_view name) {
  constexpr std::string_view kBegin = "x-touchmark-";
  if (name.size() < kBegin.size()) return false;
  for (std::size_t i = 0; i < kBegin.size(); ++i) {
    const char c = name[i] == '_' ? '-' : lower(name[i]);
    if (c != kBegin[i]) return false;
  }
  return true;
}

Result<std::optional<std::string>> ChunkReader::line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end);
  if (line_.size() + part.size() > kMaxLine) {
    return fail(MessageError::kBadChunk, "a line between chunks is over 4096 bytes");
  }
  line_ += part;
  bytes.remove_prefix(part.size());
  if (end == std::string_view::npos) return std::optional<std::string>();
  bytes.remove_prefix(1);
  if (!line_.ends_with('\r')) return fail(MessageError::kBadChunk, "a line does not end in CR LF");
  line_.pop_back();
  return std::optional(std::exchange(line_, {}));
}

Result<void> ChunkReader::read_size(std::string_view line) {
  constexpr std::size_t kMaxDigits = 15;
  std::size_t digits = 0;
  while (digits < line.size() && std::isxdigit(static_cast<unsigned char>(line[digits])) != 0) {
    ++digits;
  }
  std::uint64_t size = 0;
  const auto read = std::from_chars(line.data(), line.data() + digits, size, 16);
  if (digits == 0 || digits > kMaxDigits || read.ec != std::errc() ||
      !verifier::http::is_chunk_extension(line.substr(digits))) {
    return fail(MessageError::kBadChunk, "a chunk does not begin with its size");
  }
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kData;
  return {};
}

Result<std::string_view> ChunkReader::next(std::string_view& bytes) {
  while (!bytes.empty() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const std::string_view part =
          bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
      bytes.remove_prefix(part.size());
      left_ -= part.size();
      if (left_ == 0) state_ = State::kDataEnd;
      return part;
    }
    const auto text = line(bytes);
    if (!text) return tl::unexpected<Error>(text.error());
    if (!*text) return std::string_view();
    switch (state_) {
      case State::kSize:
        if (auto ok = read_size(**text); !ok) return pass(ok);
        break;
      case State::kDataEnd:
        if (!(*text)->empty()) return fail(MessageError::kBadChunk, "a chunk is over its size");
        state_ = State::kSize;
        break;
      default:
        trailer_bytes_ += (*text)->size();
        if (trailer_bytes_ > kMaxTrailers) {
          return fail(MessageError::kBadChunk, "the trailers are over 16 KiB");
        }
        if ((*text)->empty()) {
          state_ = State::kDone;
        } else if (!split_fields(**text + "\r\n")) {
          return fail(MessageError::kBadChunk, "a trailer is not NAME: VALUE");
        }
        break;
    }
  }
  return std::string_view();
}

std::string chunk_head(std::size_t size) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), size, 16).ptr;
  return std::string(text.data(), end) + "\r\n";
}

}  // namespace touchmark::relying::gateway
