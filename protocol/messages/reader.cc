#include "protocol/messages/reader.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::protocol {
namespace {

constexpr std::size_t kMaxDigestText = 64;  // more than the 43 that a digest takes

JsonView empty() {
  static const JsonDocument object{Json::object()};
  return object.root();
}

}  // namespace

std::string Reader::text(const char* name, std::size_t max_bytes) {
  return keep(get_string(object_, name, max_bytes));
}

std::string Reader::optional_text(const char* name, std::size_t max_bytes) {
  return has(name) ? text(name, max_bytes) : std::string();
}

std::string Reader::lenient_text(const char* name, std::size_t max_bytes) const {
  return get_string(object_, name, max_bytes).value_or("");
}

std::int64_t Reader::integer(const char* name, std::int64_t min, std::int64_t max) {
  return keep(get_int(object_, name, min, max));
}

Bytes Reader::binary(const char* name, std::size_t max_bytes) {
  return keep(get_base64url(object_, name, max_bytes));
}

Sha256Digest Reader::digest(const char* name) {
  const auto text = find_string(object_, name);
  if (const auto digest = base64url_digest(text.value_or(""))) return *digest;
  const auto bytes = get_base64url(object_, name);
  if (bytes) return to_digest(*bytes, name);
  fault_->malformed(std::string(name) + ": " + bytes.error().message());
  return {};
}

Sha256Digest Reader::to_digest(ByteView bytes, std::string_view what) {
  Sha256Digest digest{};
  if (bytes.size() == digest.size()) {
    std::ranges::copy(bytes, digest.begin());
  } else {
    fault_->malformed(std::string(what) + " is not 32 bytes");
  }
  return digest;
}

Sha256Digest Reader::read_digest(JsonView item, std::string_view what) {
  if (!item.is_string() || item.text().size() > kMaxDigestText) {
    fault_->malformed(std::string(what) + " holds something else than the base64url of 32 bytes");
    return {};
  }
  if (const auto digest = base64url_digest(item.text())) return *digest;
  const auto bytes = base64url_decode(item.text());
  if (bytes) return to_digest(*bytes, what);
  fault_->malformed(std::string(what) + " is not base64url: " + bytes.error().message());
  return {};
}

JsonView Reader::object_view(const char* name) {
  if (const auto found = find_object(object_, name)) return *found;
  fault_->malformed(std::string(name) + " is not an object");
  return empty();
}

JsonView Reader::array(const char* name, std::size_t max_size) {
  const auto found = find_array(object_, name);
  if (!found) {
    fault_->malformed(std::string(name) + " is not an array");
    return empty();
  }
  if (found->size() <= max_size) return *found;
  fault_->malformed(std::string(name) + " has " + std::to_string(found->size()) +
                    " elements, which is more than " + std::to_string(max_size));
  return empty();
}

std::map<std::string, Sha256Digest> Reader::digests(const char* name, std::string_view what,
                                                    std::size_t max_size) {
  std::map<std::string, Sha256Digest> out;
  const JsonView object = object_view(name);
  if (object.size() > max_size) {
    fault_->malformed(std::string(what) + " has too many members");
    return out;
  }
  if (!object.is_object()) return out;
  for (const JsonView member : object) {
    out.emplace_hint(out.end(), member.name(), read_digest(member, what));
  }
  return out;
}

std::vector<Sha256Digest> Reader::digest_list(const char* name, std::string_view what,
                                              std::size_t max_size) {
  std::vector<Sha256Digest> out;
  for (const JsonView item : array(name, max_size)) {
    out.push_back(read_digest(item, what));
  }
  return out;
}

}  // namespace touchmark::protocol
