// The XML form: a closed set of elements without attributes (but <plist version>), in UTF-8.
// Anything else that XML allows is refused: other encodings, entities of a DTD, CDATA, unknown
// elements.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>

#include "base/encoding.h"
#include "base/text.h"
#include "base/utf.h"
#include "formats/plist/plist.h"

namespace touchmark::plist {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

tl::unexpected<Error> bad_xml(std::string what) {
  return fail(PlistError::kBadXml, std::move(what));
}
tl::unexpected<Error> bad_value(std::string_view text) {
  return fail(PlistError::kBadValue, "'" + std::string(text.substr(0, 40)) + "'");
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Result<PlistValue> parse_integer(std::string_view text) {
  text = trimmed(text);
  const int base = text.starts_with("0x") ? 16 : 10;
  const std::string_view digits = base == 16 ? text.substr(2) : text;
  std::int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return bad_value(text);
  return PlistValue(value);
}

Result<PlistValue> parse_real(std::string_view text) {
  const std::string number(trimmed(text));
  if (number.empty() || number.find_first_not_of("0123456789+-.eE") != number.npos) {
    return bad_value(text);
  }
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (end != number.c_str() + number.size()) return bad_value(text);
  return PlistValue(value);
}

// "2026-01-31T12:00:00Z"
Result<PlistValue> parse_date(std::string_view text) {
  text = trimmed(text);
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kShape.size()) return bad_value(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return bad_value(text);
  }
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (std::size_t i = at; i < at + length; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  using namespace std::chrono;
  const year_month_day day{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                           std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!day.ok()) return bad_value(text);
  const auto since = sys_days(day) - sys_days(2001y / January / 1) + hours(number(11, 2)) +
                     minutes(number(14, 2)) + seconds(number(17, 2));
  return PlistValue(PlistDate{static_cast<double>(duration_cast<seconds>(since).count())});
}

Result<PlistValue> parse_data(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  for (const char c : text) {
    if (kSpace.find(c) == kSpace.npos) compact += c;
  }
  auto bytes = base64_decode(compact);
  if (!bytes) return bad_value(text);
  return PlistValue(*std::move(bytes));
}

class XmlPlistReader {
 public:
  XmlPlistReader(std::string_view text, Budget& budget) : rest_(text), budget_(budget) {}

  Result<PlistValue> read() {
    if (auto ok = skip_misc(); !ok) return pass(ok);
    auto root = take_tag();
    if (!root) return pass(root);
    if (root->name != "plist" || root->kind != Tag::kStart) return bad_xml("no <plist>");
    auto first = take_tag();
    if (!first) return pass(first);
    auto value = read_value(*first, 0);
    if (!value) return value;
    if (auto ok = expect_end("plist"); !ok) return pass(ok);
    if (auto ok = skip_misc(); !ok) return pass(ok);
    if (!rest_.empty()) return bad_xml("something after </plist>");
    return value;
  }

 private:
  struct Tag {
    enum Kind { kStart, kEnd, kEmpty } kind = kStart;
    std::string_view name;
  };

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  // White space, comments, processing instructions, and a DOCTYPE without declarations of its own.
  Result<void> skip_misc() {
    for (;;) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
      std::string_view end;
      if (rest_.starts_with("<!--")) end = "-->";
      if (rest_.starts_with("<?")) end = "?>";
      if (rest_.starts_with("<!DOCTYPE")) end = ">";
      if (end.empty()) return {};
      const std::size_t at = rest_.find(end);
      if (at == rest_.npos) return bad_xml("the text ends within markup");
      const std::string_view skipped = rest_.substr(0, at);
      if (end == ">" && skipped.find('[') != skipped.npos) return bad_xml("a DTD of its own");
      rest_.remove_prefix(at + end.size());
    }
  }

  Result<Tag> take_tag() {
    if (auto ok = skip_misc(); !ok) return pass(ok);
    const std::size_t end = rest_.find('>');
    if (!rest_.starts_with('<') || end == rest_.npos) return bad_xml("no tag where one belongs");
    std::string_view inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    Tag tag;
    if (inside.starts_with('/')) {
      tag.kind = Tag::kEnd;
      inside.remove_prefix(1);
    } else if (inside.ends_with('/')) {
      tag.kind = Tag::kEmpty;
      inside.remove_suffix(1);
    }
    tag.name = trimmed(inside);
    // The one element that has an attribute.
    if (tag.name.starts_with("plist ")) tag.name = "plist";
    return tag;
  }

  Result<void> expect_end(std::string_view name) {
    const auto tag = take_tag();
    if (!tag) return pass(tag);
    if (tag->kind != Tag::kEnd || tag->name != name) {
      return bad_xml("no </" + shortened(name) + "> where it belongs");
    }
    return {};
  }

  // The text up to the next tag, which must be the end of `name`.
  Result<std::string> take_text(std::string_view name) {
    const std::size_t end = rest_.find('<');
    if (end == rest_.npos) return bad_xml("the text ends within <" + shortened(name) + ">");
    // The text, and what it is decoded to.
    if (auto ok = budget_.take_bytes(2 * end); !ok) return pass(ok);
    auto text = unescape(rest_.substr(0, end));
    if (!text) return text;
    rest_.remove_prefix(end);
    if (!take("</") || !take(name) || !take(">")) return bad_xml("markup within a text");
    return text;
  }

  static Result<std::string> unescape(std::string_view text) {
    if (!is_utf8(text)) return bad_xml("not UTF-8");
    constexpr std::pair<std::string_view, char> kEntities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
      if (text[0] != '&') {
        if (text[0] == '\0') return bad_xml("a zero");
        out += text[0];
        text.remove_prefix(1);
        continue;
      }
      const auto entity = std::ranges::find_if(
          kEntities, [&](const auto& candidate) { return text.starts_with(candidate.first); });
      if (entity == std::end(kEntities)) return bad_xml("an unknown entity");
      out += entity->second;
      text.remove_prefix(entity->first.size());
    }
    return out;
  }

  Result<PlistValue> read_value(const Tag& tag, unsigned depth) {
    if (depth > kMaxPlistDepth) return fail(PlistError::kTooDeep, "over 32 levels");
    if (++values_ > kMaxPlistValues) return fail(PlistError::kTooLarge, "over 100,000 values");
    if (auto ok = budget_.take_bytes(kPlistValueCost); !ok) return pass(ok);
    if (tag.kind == Tag::kEmpty) return empty_value(tag.name);
    if (tag.kind == Tag::kEnd) return bad_xml("an end tag where a value belongs");
    if (tag.name == "dict") return read_dict(depth);
    if (tag.name == "array") return read_array(depth);
    auto text = take_text(tag.name);
    if (!text) return pass(text);
    if (tag.name == "string") return PlistValue(*std::move(text));
    if (tag.name == "integer") return parse_integer(*text);
    if (tag.name == "real") return parse_real(*text);
    if (tag.name == "date") return parse_date(*text);
    if (tag.name == "data") return parse_data(*text);
    if ((tag.name == "true" || tag.name == "false") && text->empty()) {
      return PlistValue(tag.name == "true");
    }
    return bad_xml("an unknown element <" + shortened(tag.name) + ">");
  }

  static Result<PlistValue> empty_value(std::string_view name) {
    if (name == "true" || name == "false") return PlistValue(name == "true");
    if (name == "string") return PlistValue(std::string());
    if (name == "data") return PlistValue(Bytes());
    if (name == "array") return PlistValue(PlistValue::Array());
    if (name == "dict") return PlistValue(PlistValue::Dict());
    return bad_xml("an unknown element <" + shortened(name) + "/>");
  }

  Result<PlistValue> read_array(unsigned depth) {
    PlistValue::Array values;
    for (;;) {
      const auto tag = take_tag();
      if (!tag) return pass(tag);
      if (tag->kind == Tag::kEnd) {
        if (tag->name != "array") return bad_xml("no </array> where it belongs");
        return PlistValue(std::move(values));
      }
      auto value = read_value(*tag, depth + 1);
      if (!value) return value;
      values.push_back(*std::move(value));
    }
  }

  Result<PlistValue> read_dict(unsigned depth) {
    PlistValue::Dict entries;
    for (;;) {
      const auto key_tag = take_tag();
      if (!key_tag) return pass(key_tag);
      if (key_tag->kind == Tag::kEnd) {
        if (key_tag->name != "dict") return bad_xml("no </dict> where it belongs");
        if (auto ok = check_plist_keys(entries); !ok) return pass(ok);
        return PlistValue(std::move(entries));
      }
      if (key_tag->name != "key" || key_tag->kind != Tag::kStart) return bad_xml("no <key>");
      auto key = take_text("key");
      if (!key) return pass(key);
      const auto tag = take_tag();
      if (!tag) return pass(tag);
      auto value = read_value(*tag, depth + 1);
      if (!value) return value;
      entries.push_back({*std::move(key), *std::move(value)});
    }
  }

  std::string_view rest_;
  Budget& budget_;
  std::size_t values_ = 0;
};

}  // namespace

Result<PlistValue> parse_xml_plist(std::string_view text, Budget& budget) {
  return XmlPlistReader(text, budget).read();
}

}  // namespace touchmark::plist
