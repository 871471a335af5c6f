// Where one request ends and the next begins must be the same for us and for every proxy before us
// (RFC 9112 section 11.2, request smuggling). So a header is read strictly, before the parser sees
// it, and whatever two readers could take for two things is refused.
#pragma once

#include <string_view>

#include "base/error.h"

namespace touchmark::verifier::http {

// Whether `part`, the beginning of a request, may still become one: false once it holds a control
// character or a lone CR or LF, so that nobody waits for the end of a header that never comes.
// `known`: how much of it was looked at before.
bool may_become_head(std::string_view part, std::size_t known = 0);

// `head`: request line and fields, up to and with the empty line. After any error the connection
// has to be closed: nobody knows where its next request begins.
//   kMalformed: not of RFC 9112's grammar (folded lines, spaces around names and lone CR or LF
//     included); a Transfer-Encoding that does not end in `chunked`, or in HTTP/1.0, or beside a
//     Content-Length; several Content-Length, Host or Authorization, or no Host in HTTP/1.1.
//   kNotImplemented: a coding before `chunked`, such as "gzip, chunked".
//   kBadVersion: not HTTP/1.0 or HTTP/1.1.
Result<void> check_head(std::string_view head);

// The same for what stands after the size of a chunk: extensions are read over, when they cannot be
// read in two ways.
bool is_chunk_extension(std::string_view text);

}  // namespace touchmark::verifier::http
