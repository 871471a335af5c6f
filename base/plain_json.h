// The JSON that programs write to each other: text in ASCII without escapes, whole numbers of up to
// 18 digits. Read in a tenth of the time that nlohmann's parser and its tree take; whatever else a
// document holds, and all errors, are left to that parser. For base/json*.cc alone; what text it
// takes is what relying-party/cpp/token_json.cc takes.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.h"

namespace touchmark {

// The characters of ASCII that stand in a string of JSON as themselves. A table: evidence and
// answers have thousands of them.
inline constexpr auto kPlainJsonText = [] {
  std::array<bool, 256> out{};
  for (unsigned char c = ' '; c <= '~'; ++c) out[c] = c != '"' && c != '\\';
  return out;
}();
inline bool is_plain_json_text(char c) { return kPlainJsonText[static_cast<unsigned char>(c)]; }

class PlainJson {
 public:
  // Takes `text` over; nullopt, and `text` as it was: the document is for another parser.
  static std::optional<JsonDocument> read(std::string& text, std::size_t max_depth) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    PlainJson reader(text, max_depth);
    if (!reader.read_document()) {
      text.swap(reader.out_.text_);
      return std::nullopt;
    }
    return std::move(reader.out_);
  }

 private:
  using Kind = JsonDocument::Kind;
  using Node = JsonDocument::Node;
  using Slice = JsonDocument::Slice;

  static constexpr std::size_t kMaxDigits = 18;
  static constexpr std::size_t kBytesPerNode = 20;  // of evidence, about

  PlainJson(std::string& text, std::size_t max_depth) : max_depth_(max_depth) {
    out_.text_.swap(text);
    begin_ = at_ = out_.text_.data();
    end_ = at_ + out_.text_.size();
    out_.nodes_.reserve(out_.text_.size() / kBytesPerNode);
    open_.reserve(out_.text_.size() / kBytesPerNode);
  }

  bool read_document() {
    if (!value({})) return false;
    out_.root_ = open_.front();
    skip_space();
    return at_ == end_;
  }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  // Takes `c`, and the space before it.
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  // at_ is at its first quote.
  std::optional<Slice> take_string() {
    const char* begin = ++at_;
    while (at_ != end_ && is_plain_json_text(*at_)) ++at_;
    if (at_ == end_ || *at_ != '"') return std::nullopt;
    return Slice{static_cast<std::uint32_t>(begin - begin_),
                 static_cast<std::uint32_t>(at_++ - begin)};
  }

  Node& add(Slice name, Kind kind) {
    Node& node = open_.emplace_back();
    node.name = name;
    node.kind = kind;
    return node;
  }

  // Puts one value at the end of open_.
  bool value(Slice name) {
    skip_space();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return container(name, Kind::kObject, '}');
      case '[':
        return container(name, Kind::kArray, ']');
      case '"': {
        const auto text = take_string();
        if (text) add(name, Kind::kString).slice = *text;
        return text.has_value();
      }
      case 't':
        add(name, Kind::kBoolean).truth = true;
        return take_word("true");
      case 'f':
        add(name, Kind::kBoolean).truth = false;
        return take_word("false");
      case 'n':
        add(name, Kind::kNull);
        return take_word("null");
      default:
        return number(name);
    }
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  bool number(Slice name) {
    const bool negative = *at_ == '-';
    if (negative) ++at_;
    const char* begin = at_;
    std::int64_t number = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' &&
           at_ - begin < static_cast<std::ptrdiff_t>(kMaxDigits)) {
      number = number * 10 + (*at_++ - '0');
    }
    const std::ptrdiff_t digits = at_ - begin;
    if (digits == 0 || (*begin == '0' && digits > 1)) return false;
    // Another digit, a fraction or an exponent: not for this reader, and neither is what no JSON
    // is.
    if (at_ != end_ && std::string_view(",]} \n\r\t").find(*at_) == std::string_view::npos) {
      return false;
    }
    if (negative) {
      add(name, Kind::kInteger).integer = -number;
    } else {
      add(name, Kind::kUnsigned).natural = static_cast<std::uint64_t>(number);
    }
    return true;
  }

  bool container(Slice name, Kind kind, char end) {
    if (depth_ >= max_depth_) return false;
    ++at_;
    ++depth_;
    const std::size_t self = open_.size();
    add(name, kind);
    if (!take(end)) {
      do {
        if (!(kind == Kind::kObject ? member() : value({}))) return false;
      } while (take(','));
      if (!take(end)) return false;
    }
    --depth_;
    return close(self);
  }

  bool member() {
    skip_space();
    if (at_ == end_ || *at_ != '"') return false;
    const auto name = take_string();
    return name && take(':') && value(*name);
  }

  // Moves what follows the container number `self` of open_ to where it stays.
  bool close(std::size_t self) {
    const auto children = open_.begin() + static_cast<std::ptrdiff_t>(self) + 1;
    const auto by_name = [this](const Node& a, const Node& b) {
      return out_.text(a.name) < out_.text(b.name);
    };
    const auto not_below = [&](const Node& a, const Node& b) { return !by_name(a, b); };
    if (open_[self].kind == Kind::kObject &&
        std::adjacent_find(children, open_.end(), not_below) != open_.end()) {
      std::sort(children, open_.end(), by_name);
      // Some key stands twice.
      if (std::adjacent_find(children, open_.end(), not_below) != open_.end()) return false;
    }
    open_[self].slice = {static_cast<std::uint32_t>(out_.nodes_.size()),
                         static_cast<std::uint32_t>(open_.end() - children)};
    out_.nodes_.insert(out_.nodes_.end(), children, open_.end());
    open_.resize(self + 1);
    return true;
  }

  JsonDocument out_;
  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::vector<Node> open_;  // containers that are not closed, each with the children it has so far
};

}  // namespace touchmark
