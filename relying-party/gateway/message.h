// HTTP/1.1 as the gateway passes it on: heads of requests and answers, what of them goes no further
// than one connection, and bodies in chunks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "relying-party/cpp/guard.h"

namespace touchmark::relying::gateway {

enum class MessageError {
  kMalformed,  // an answer that is no HTTP/1.1, or that could be read in two ways
  kBadChunk,   // a body in chunks that is none
};
std::string_view error_id(MessageError error);

// How a body ends.
struct Framing {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // kLength
};

// The views are of the bytes that it was read from.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  bool is_http_11 = false;
  std::vector<Header> fields;
  Framing body;
  bool keep_alive = false;
  bool expects_continue = false;
  std::string_view upgrade;  // what the client asks to go over to; empty: nothing

  std::string_view find(std::string_view name) const;  // the first; empty: none
};
// Of a head that verifier::http::check_head() has taken. nullopt: a Connection that names what
// would end the request elsewhere.
std::optional<RequestHead> read_request_head(std::string_view head);

struct AnswerHead {
  unsigned status = 0;
  std::string_view reason;
  std::vector<Header> fields;
  Framing body;
  bool keep_alive = false;
};
// `to_head`: it answers HEAD. Strict, as for requests: who guesses where an answer ends gives a
// client the wrong one.
Result<AnswerHead> read_answer_head(std::string_view head, bool to_head);

// Whether a field goes no further than this connection (RFC 9110, section 7.6.1): by its name, or
// because `connection`, the value of the fields Connection, names it.
bool is_hop_by_hop(std::string_view name, std::string_view connection);
// The values of the fields `name`, with ", " between.
std::string joined(const std::vector<Header>& fields, std::string_view name);
// Whether a name is one that the gateway alone writes, in any spelling that a server could read as
// such: X-Touchmark-..., with underscores too.
bool is_fact_name(std::string_view name);

// Reads a body in chunks out of the pieces in which it comes.
class ChunkReader {
 public:
  // Takes from the front of `bytes` and gives the next part of the body, which is part of `bytes`;
  // empty when more bytes are needed, or at the end. Trailers are read over.
  Result<std::string_view> next(std::string_view& bytes);
  bool is_done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kDone };
  static constexpr std::size_t kMaxLine = 4096;
  static constexpr std::size_t kMaxTrailers = 16384;

  // The line at the front without its end; nullopt: not here yet.
  Result<std::optional<std::string>> line(std::string_view& bytes);
  Result<void> read_size(std::string_view line);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;
  std::string line_;  // what came of it
  std::size_t trailer_bytes_ = 0;
};
// "1f4\r\n": what stands before a chunk.
std::string chunk_head(std::size_t size);

}  // namespace touchmark::relying::gateway
