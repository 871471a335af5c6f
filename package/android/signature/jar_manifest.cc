#include "package/android/signature/jar_manifest.h"

#include <algorithm>

namespace touchmark::package::signature {
namespace {

// Lines end with CR LF, LF or CR alone.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  std::size_t offset() const { return offset_; }

  std::optional<std::string_view> next() {
    if (offset_ == text_.size()) return std::nullopt;
    const std::size_t start = offset_;
    const std::size_t end = std::min(text_.find_first_of("\r\n", start), text_.size());
    offset_ = end;
    if (offset_ < text_.size()) {
      const bool crlf = text_.substr(offset_, 2) == "\r\n";
      offset_ += crlf ? 2 : 1;
    }
    return text_.substr(start, end - start);
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
};

// What a section and an attribute take in memory beside their text, in lists that grow.
constexpr std::size_t kJarSectionCost = 2 * sizeof(JarSection);
constexpr std::size_t kJarAttributeCost = 2 * sizeof(std::pair<std::string, std::string>);

std::pair<std::string, std::string> split_attribute(const std::string& line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string::npos) return {line, ""};
  return {line.substr(0, colon), line.substr(colon + 2)};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

const std::string* JarSection::find(std::string_view name) const {
  for (const auto& [key, value] : attributes) {
    if (equal_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

const std::string* JarSection::name() const {
  if (attributes.empty() || !equal_ignoring_case(attributes.front().first, "Name")) return nullptr;
  return &attributes.front().second;
}

Result<std::vector<JarSection>> parse_jar_manifest(ByteView text, Budget& budget) {
  // The lines themselves, as attributes and while they are joined.
  if (auto ok = budget.take_bytes(text.size()); !ok) return pass(ok);
  std::vector<JarSection> sections;
  LineReader lines(as_text(text));
  for (;;) {
    std::size_t start = lines.offset();
    auto line = lines.next();
    while (line && line->empty()) {
      start = lines.offset();
      line = lines.next();
    }
    if (!line) return sections;
    if (auto ok = budget.take_bytes(kJarSectionCost + kJarAttributeCost); !ok) return pass(ok);
    JarSection section;
    section.offset = start;
    std::string attribute(*line);
    for (line = lines.next(); line && !line->empty(); line = lines.next()) {
      if (line->front() == ' ') {  // continues the line before
        attribute += line->substr(1);
        continue;
      }
      if (auto ok = budget.take_bytes(kJarAttributeCost); !ok) return pass(ok);
      section.attributes.push_back(split_attribute(attribute));
      attribute = *line;
    }
    section.attributes.push_back(split_attribute(attribute));
    section.size = lines.offset() - start;
    sections.push_back(std::move(section));
  }
}

}  // namespace touchmark::package::signature
