#include "relying-party/gateway/path.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "base/utf.h"

namespace touchmark::relying::gateway {
namespace {

constexpr std::string_view kHexDigitsOfPaths = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.3.
bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// RFC 3986, section 3.3: what stands in a path as itself.
bool may_stand(char c) {
  return is_unreserved(c) || std::string_view("!$&'()*+,=:@").find(c) != std::string_view::npos;
}

struct Segment {
  std::string decoded;
  std::string sent;
};

bool read_segment(std::string_view text, Segment& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c != '%') {
      if (!may_stand(c)) return false;
      out.decoded += c;
      out.sent += c;
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return false;
    c = static_cast<char>(high * 16 + low);
    i += 2;
    const bool is_control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    if (is_control || std::string_view("/\\;%").find(c) != std::string_view::npos) return false;
    out.decoded += c;
    if (is_unreserved(c)) {
      out.sent += c;
    } else {
      out.sent += '%';
      out.sent += kHexDigitsOfPaths[static_cast<std::size_t>(high)];
      out.sent += kHexDigitsOfPaths[static_cast<std::size_t>(low)];
    }
  }
  return is_utf8(out.decoded);
}

bool is_visible(char c) { return c > ' ' && c <= '~'; }

}  // namespace

std::optional<Target> read_target(std::string_view target) {
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  const std::string_view query =
      question == target.npos ? std::string_view() : target.substr(question);
  if (!path.starts_with('/') || query.find('#') != query.npos ||
      !std::ranges::all_of(query, is_visible)) {
    return std::nullopt;
  }
  std::vector<Segment> segments;
  bool ends_in_slash = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    Segment segment;
    if (!read_segment(path.substr(0, end), segment)) return std::nullopt;
    path.remove_prefix(end);
    ends_in_slash = segment.decoded.empty() || segment.decoded == "." || segment.decoded == "..";
    if (segment.decoded == "..") {
      if (segments.empty()) return std::nullopt;
      segments.pop_back();
    } else if (!ends_in_slash) {
      segments.push_back(std::move(segment));
    }
  }
  Target out;
  for (const Segment& segment : segments) {
    out.compared.append("/").append(segment.decoded);
    out.sent.append("/").append(segment.sent);
  }
  if (segments.empty()) out.compared = "/";
  if (ends_in_slash || segments.empty()) out.sent += '/';
  out.sent += query;
  return out;
}

std::optional<PathRule> PathRule::parse(std::string_view text) {
  PathRule out;
  out.text_ = text;
  out.is_prefix_ = text.ends_with('*');
  if (out.is_prefix_) text.remove_suffix(1);
  out.is_folder_ = out.is_prefix_ && text.ends_with('/');
  // A rule is written as people read a path, decoded.
  if (!text.starts_with('/') || text.find_first_of("*%?#;\\") != text.npos || !is_utf8(text)) {
    return std::nullopt;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    const bool is_last = segment.size() == rest.size();
    if (segment == "." || segment == ".." || (segment.empty() && !is_last)) return std::nullopt;
    rest.remove_prefix(segment.size());
  }
  if (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  out.path_ = text;
  return out;
}

PathRule::Fit PathRule::fit(std::string_view compared) const {
  const auto as = [&](bool fits) {
    if (!fits) return Fit::kNo;
    return compared.starts_with(path_) ? Fit::kYes : Fit::kOtherCase;
  };
  const bool begins = same_word(compared.substr(0, path_.size()), path_);
  if (!is_prefix_) return as(begins && compared.size() == path_.size());
  if (!is_folder_ || path_ == "/") return as(begins);
  return as(begins && (compared.size() == path_.size() || compared[path_.size()] == '/'));
}

}  // namespace touchmark::relying::gateway
