#include "relying-party/cpp/token_json.h"

#include "base/plain_json.h"
#include "protocol/token_check.h"

namespace touchmark::relying {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::ptrdiff_t kMaxDigits = 18;
constexpr double kMaxExactInteger = 9007199254740992;  // 2^53

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Takes `c`, and the space before it.
  bool take(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == end_;
  }
  bool text(std::string_view& out) {
    if (!take('"')) return false;
    const char* begin = at_;
    while (at_ != end_ && is_plain_json_text(*at_)) ++at_;
    if (at_ == end_ || *at_ != '"') return false;
    out = {begin, static_cast<std::size_t>(at_++ - begin)};
    return true;
  }
  bool value(FlatMember& out) {
    using enum FlatMember::Kind;
    skip_space();
    if (at_ == end_) return false;
    switch (*at_) {
      case '"':
        out.kind = kText;
        return text(out.text);
      case 't':
        out.kind = kTrue;
        return word("true");
      case 'f':
        out.kind = kFalse;
        return word("false");
      case 'n':
        out.kind = kNull;
        return word("null");
      default:
        out.kind = kNumber;
        return number(out.number);
    }
  }

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool word(std::string_view wanted) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(wanted)) {
      return false;
    }
    at_ += wanted.size();
    return true;
  }
  // A fraction, an exponent or a sign is left to the strict reader: what follows the digits is then
  // neither a comma nor the end.
  bool number(std::int64_t& out) {
    const char* begin = at_;
    out = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' && at_ - begin < kMaxDigits) {
      out = out * 10 + (*at_++ - '0');
    }
    return at_ != begin && (*begin != '0' || at_ - begin == 1);
  }

  const char* at_;
  const char* end_;
};

std::optional<std::string_view> text_of(const FlatObject& object, std::string_view name) {
  const FlatMember* member = object.find(name);
  if (member == nullptr || member->kind != FlatMember::Kind::kText) return std::nullopt;
  return member->text;
}

TimeClaim time_of(const FlatMember& member) {
  const auto seconds = static_cast<double>(member.number);
  // The scanner takes no number below 0.
  if (member.kind != FlatMember::Kind::kNumber || seconds >= kMaxExactInteger) return {true, {}};
  return {true, seconds};
}

const Json* member_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at == object.end() ? nullptr : &*at;
}

std::optional<std::string_view> text_of(const Json* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_ref<const std::string&>());
}
std::optional<std::string_view> text_of(const Json& object, const char* name) {
  return text_of(member_of(object, name));
}

TimeClaim time_of(const Json& object, const char* name) {
  return {object.contains(name), protocol::numeric_date(object, name)};
}

}  // namespace

bool FlatObject::scan(std::string_view text) {
  Scanner scanner(text);
  size_ = 0;
  if (!scanner.take('{')) return false;
  if (scanner.take('}')) return scanner.at_end();
  do {
    if (size_ == kMaxMembers) return false;
    FlatMember& member = members_[size_];
    if (!scanner.text(member.name) || !scanner.take(':') || !scanner.value(member)) return false;
    if (find(member.name) != nullptr) return false;
    ++size_;
  } while (scanner.take(','));
  return scanner.take('}') && scanner.at_end();
}

const FlatMember* FlatObject::find(std::string_view name) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (members_[i].name == name) return &members_[i];
  }
  return nullptr;
}

JoseHeader jose_header(const FlatObject& object) {
  JoseHeader out;
  out.alg = text_of(object, "alg").value_or("");
  out.kid = text_of(object, "kid");
  out.typ = text_of(object, "typ");
  out.kid_is_no_text = !out.kid && object.find("kid") != nullptr;
  const FlatMember* b64 = object.find("b64");
  out.has_extension =
      object.find("crit") != nullptr || (b64 != nullptr && b64->kind == FlatMember::Kind::kFalse);
  return out;
}

JoseHeader jose_header(const Json& object) {
  JoseHeader out;
  out.alg = text_of(object, "alg").value_or("");
  out.kid = text_of(object, "kid");
  out.typ = text_of(object, "typ");
  out.kid_is_no_text = !out.kid && object.contains("kid");
  const Json* b64 = member_of(object, "b64");
  out.has_extension = object.contains("crit") || (b64 != nullptr && *b64 == false);
  return out;
}

Claims claims_of(const FlatObject& object) {
  Claims out;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const FlatMember& member = object[i];
    if (member.name.size() != 3) continue;  // as all of them are
    const auto text =
        member.kind == FlatMember::Kind::kText ? std::optional(member.text) : std::nullopt;
    if (member.name == "exp") out.exp = time_of(member);
    if (member.name == "nbf") out.nbf = time_of(member);
    if (member.name == "iss") out.iss = text;
    if (member.name == "aud") out.aud = text;
    if (member.name == "lvl") out.lvl = text;
    if (member.name == "pay") out.pay = text;
    if (member.name == "jti") out.jti = text;
    if (member.name == "did") out.did = text;
  }
  return out;
}

Claims claims_of(const Json& object) {
  Claims out;
  out.exp = time_of(object, "exp");
  out.nbf = time_of(object, "nbf");
  out.iss = text_of(object, "iss");
  out.aud = text_of(object, "aud");
  out.lvl = text_of(object, "lvl");
  out.pay = text_of(object, "pay");
  out.jti = text_of(object, "jti");
  out.did = text_of(object, "did");
  const Json* audience = member_of(object, "aud");
  if (audience != nullptr && audience->is_array()) {
    for (const Json& one : *audience) {
      if (const auto text = text_of(&one)) out.audiences.push_back(*text);
    }
  }
  return out;
}

std::optional<Json> read_object(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = text.size(), .max_depth = kMaxDepth});
  if (!json || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

}  // namespace touchmark::relying
