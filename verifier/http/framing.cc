#include "verifier/http/framing.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.h"
#include "verifier/http/problem.h"
#include "verifier/http/text.h"

namespace touchmark::verifier::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMaxLengthDigits = 18;  // more would not fit into 64 bits
constexpr std::size_t kMaxQuoted = 60;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
  });
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// RFC 9110 section 5.5, with the octets above ASCII that it calls obs-text.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; });
}

tl::unexpected<Error> malformed(const std::string& what) {
  return fail(HttpError::kMalformed, what);
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > kMaxQuoted ? "...\"" : "\"");
}

struct RequestLine {
  bool is_http_11 = false;
};

Result<RequestLine> read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? first : line.find(' ', first + 1);
  if (second == line.npos) return malformed("the request line is not METHOD TARGET VERSION");
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  const bool is_visible =
      std::ranges::all_of(target, [](char c) { return c > ' ' && c <= '~'; }) && !target.empty();
  if (!is_token(line.substr(0, first)) || !is_visible) {
    return malformed("the request line is not METHOD TARGET VERSION");
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return malformed("the request line does not end in a version of HTTP");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return fail(HttpError::kBadVersion,
                "this service speaks HTTP/1.1, not " + std::string(version));
  }
  return RequestLine{version == "HTTP/1.1"};
}

// What of the fields decides where the request ends, and who it is for.
struct Framing {
  std::optional<std::string> codings;  // of all lines Transfer-Encoding, with ", " between
  std::optional<std::string_view> length;
  std::optional<std::string_view> host;
  bool authorized = false;
  std::size_t coding_lines = 0;
};

Result<void> take_field(std::string_view name, std::string_view value, Framing& framing) {
  const auto once = [&](bool before) -> Result<void> {
    if (before) return malformed("there are two fields " + shown(name));
    return {};
  };
  if (same_word(name, "Transfer-Encoding")) {
    framing.codings =
        framing.codings ? *framing.codings + ", " + std::string(value) : std::string(value);
    ++framing.coding_lines;
  } else if (same_word(name, "Content-Length")) {
    const bool before = framing.length.has_value();
    framing.length = value;
    return once(before);
  } else if (same_word(name, "Host")) {
    const bool before = framing.host.has_value();
    framing.host = value;
    return once(before);
  } else if (same_word(name, "Authorization")) {
    const bool before = framing.authorized;
    framing.authorized = true;
    return once(before);
  }
  return {};
}

Result<Framing> read_fields(std::string_view lines) {
  Framing framing;
  while (!lines.empty()) {
    const std::size_t end = lines.find(kLineEnd);
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + kLineEnd.size());
    if (line.starts_with(' ') || line.starts_with('\t')) {
      return malformed("a header field is folded over two lines");
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == line.npos || !is_token(name)) {
      return malformed("a header line is not NAME: VALUE: " + shown(line));
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) {
      return malformed("the header field " + shown(name) + " holds a control character");
    }
    if (auto ok = take_field(name, value, framing); !ok) return pass(ok);
  }
  return framing;
}

// RFC 9112 sections 6.1 and 6.3.
Result<void> check_codings(const Framing& framing, bool is_http_11) {
  if (!framing.codings) return {};
  if (!is_http_11) return malformed("HTTP/1.0 has no Transfer-Encoding");
  if (framing.length) return malformed("both Transfer-Encoding and Content-Length are given");
  if (framing.coding_lines == 1 && same_word(*framing.codings, "chunked")) return {};
  std::string_view rest = *framing.codings;
  bool more = true;
  while (more) {
    const std::size_t comma = rest.find(',');
    const std::string_view coding = trimmed(rest.substr(0, comma));
    more = comma != rest.npos;
    if (more) rest.remove_prefix(comma + 1);
    // Once, and at the end.
    if (!is_token(coding) || same_word(coding, "chunked") == more) {
      return malformed("Transfer-Encoding is not chunked: " + shown(*framing.codings));
    }
  }
  return fail(HttpError::kNotImplemented,
              "of the transfer codings only chunked is known: " + shown(*framing.codings));
}

Result<void> check_length(const Framing& framing) {
  if (!framing.length) return {};
  const bool is_number =
      !framing.length->empty() && framing.length->size() <= kMaxLengthDigits &&
      std::ranges::all_of(*framing.length, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return malformed("Content-Length is not a number: " + shown(*framing.length));
  return {};
}

// A name or an IPv4 address, with a port or without, as nearly every Host is.
bool is_plain_host(std::string_view host) {
  constexpr std::size_t kMaxPortDigits = 5;
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  const std::string_view port = colon == host.npos ? "0" : host.substr(colon + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && !port.empty() && port.size() <= kMaxPortDigits &&
         std::ranges::all_of(port, is_digit) && std::ranges::all_of(name, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '.';
         });
}

// RFC 9112 section 3.2.
Result<void> check_host(const Framing& framing, bool is_http_11) {
  if (!framing.host) {
    if (is_http_11) return malformed("HTTP/1.1 needs a field Host");
    return {};
  }
  if (is_plain_host(*framing.host)) return {};
  const auto authority = boost::urls::parse_authority(*framing.host);
  if (!authority || authority->has_userinfo() || authority->host().empty()) {
    return malformed("Host is not HOST[:PORT]: " + shown(*framing.host));
  }
  return {};
}

}  // namespace

bool may_become_head(std::string_view part, std::size_t known) {
  // A CR at the end of the known part may turn out to be alone.
  for (std::size_t i = known > 0 ? known - 1 : 0; i < part.size(); ++i) {
    const char c = part[i];
    if (!is_control(c) || c == '\t') continue;
    if (c == '\n' && i > 0 && part[i - 1] == '\r') continue;
    if (c == '\r' && (i + 1 == part.size() || part[i + 1] == '\n')) continue;
    return false;
  }
  return !part.starts_with('\r') && !part.starts_with('\n');
}

Result<void> check_head(std::string_view head) {
  if (!may_become_head(head)) {
    return malformed("the header holds a control character, or a line that does not end in CR LF");
  }
  const std::size_t end = head.find(kLineEnd);
  if (end == head.npos || !head.ends_with("\r\n\r\n")) return malformed("the header has no end");
  const auto line = read_request_line(head.substr(0, end));
  if (!line) return pass(line);
  head.remove_prefix(end + kLineEnd.size());
  head.remove_suffix(kLineEnd.size());
  const auto framing = read_fields(head);
  if (!framing) return pass(framing);
  if (auto ok = check_codings(*framing, line->is_http_11); !ok) return ok;
  if (auto ok = check_length(*framing); !ok) return ok;
  return check_host(*framing, line->is_http_11);
}

bool is_chunk_extension(std::string_view text) {
  return text.empty() || (text.starts_with(';') && std::ranges::none_of(text, is_control));
}

}  // namespace touchmark::verifier::http
