// Names that two readers could take for different, or for the same, entries.
#include <algorithm>
#include <numeric>
#include <string>

#include "base/utf.h"
#include "formats/zip/internal.h"

namespace touchmark::zip {
namespace {

// The name as a file system would see it: either slash separates, empty and "." segments vanish.
// Empty when a segment is "..".
std::string canonical_path(std::string_view name) {
  std::string path;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("/\\", at), name.size());
    const std::string_view segment = name.substr(at, end - at);
    if (segment == "..") return {};
    if (!segment.empty() && segment != ".") {
      if (!path.empty()) path += '/';
      path += segment;
    }
    at = end + 1;
  }
  return path;
}

std::string lower_ascii(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Resource shrinkers make names that differ only in case, libraries bring META-INF/LICENSE.txt
// beside META-INF/license.txt, and Android tells them apart. For what the platform looks up by
// name, a reader that folds case would see another package; the files of the v1 signature are
// looked up without regard to case by the platform itself.
bool case_matters(std::string_view lowered) {
  return lowered == "androidmanifest.xml" || lowered == "resources.arsc" ||
         is_v1_signature_file(lowered) || lowered.starts_with("lib/") ||
         (lowered.starts_with("classes") && lowered.ends_with(".dex"));
}

// What two different entries may not share.
std::string collision_key(std::string_view name) {
  std::string path = canonical_path(name);
  std::string lowered = lower_ascii(path);
  return case_matters(lowered) ? lowered : path;
}

Result<void> check_name(const ZipEntry& entry) {
  const std::string_view name = entry.name;
  if (name.empty()) return fail(ZipError::kEmptyName, "an entry without a name");
  if (!is_utf8(name)) {
    return fail(ZipError::kNameEncoding,
                "the name at " + std::to_string(entry.header_offset) + " is not UTF-8");
  }
  if (name.front() == '/' || name.front() == '\\' || canonical_path(name).empty()) {
    return fail(ZipError::kNameTraversal, entry.name + " leaves the package's folder");
  }
  if (entry.is_directory() && entry.size != 0) {
    return fail(ZipError::kDirectoryWithData, entry.name + " is a folder with content");
  }
  return {};
}

}  // namespace

bool is_known_method(std::string_view name, std::uint16_t method) {
  return method == kStored || method == kDeflated || is_v1_signature_file(name);
}

Result<std::vector<std::uint32_t>> check_names(const std::vector<ZipEntry>& entries) {
  std::vector<std::string> keys;
  keys.reserve(entries.size());
  for (const ZipEntry& entry : entries) {
    if (auto ok = check_name(entry); !ok) return pass(ok);
    keys.push_back(collision_key(entry.name));
  }
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::ranges::sort(order, {}, [&](std::uint32_t i) -> const std::string& { return keys[i]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const std::string& a = entries[order[i - 1]].name;
    const std::string& b = entries[order[i]].name;
    if (keys[order[i - 1]] != keys[order[i]]) continue;
    if (a == b) return fail(ZipError::kDuplicateName, a + " stands twice in the archive");
    return fail(ZipError::kConfusableName, a + " and " + b + " name the same file to some readers");
  }
  std::ranges::sort(order, {},
                    [&](std::uint32_t i) -> const std::string& { return entries[i].name; });
  return order;
}

}  // namespace touchmark::zip

namespace touchmark::zip {

bool is_v1_signature_file(std::string_view name) {
  const std::string path = zip::lower_ascii(std::string(name));
  constexpr std::string_view kFolder = "meta-inf/";
  if (!path.starts_with(kFolder)) return false;
  const std::string_view file = std::string_view(path).substr(kFolder.size());
  if (file.find('/') != file.npos) return false;
  return file == "manifest.mf" || file.ends_with(".sf") || file.ends_with(".rsa") ||
         file.ends_with(".dsa") || file.ends_with(".ec");
}

}  // namespace touchmark::zip
