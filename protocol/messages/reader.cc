#include "protocol/messages/reader.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::protocol {
namespace {

const Json& empty() {
  static const Json object = Json::object();
  return object;
}

}  // namespace

std::string Reader::text(const char* name, std::size_t max_bytes) {
  return keep(get_string(*object_, name, max_bytes));
}

std::string Reader::optional_text(const char* name, std::size_t max_bytes) {
  return has(name) ? text(name, max_bytes) : std::string();
}

std::string Reader::lenient_text(const char* name, std::size_t max_bytes) const {
  return get_string(*object_, name, max_bytes).value_or("");
}

std::int64_t Reader::integer(const char* name, std::int64_t min, std::int64_t max) {
  return keep(get_int(*object_, name, min, max));
}

Bytes Reader::binary(const char* name, std::size_t max_bytes) {
  return keep(get_base64url(*object_, name, max_bytes));
}

Sha256Digest Reader::digest(const char* name) {
  return to_digest(get_base64url(*object_, name), name);
}

Sha256Digest Reader::to_digest(const Result<Bytes>& bytes, const std::string& what) {
  Sha256Digest digest{};
  if (!bytes) {
    fault_->malformed(what + ": " + bytes.error().message());
  } else if (bytes->size() != digest.size()) {
    fault_->malformed(what + " is not 32 bytes");
  } else {
    std::ranges::copy(*bytes, digest.begin());
  }
  return digest;
}

const Json& Reader::object_json(const char* name) {
  if (const Json* found = find_object(*object_, name)) return *found;
  fault_->malformed(std::string(name) + " is not an object");
  return empty();
}

const Json& Reader::array(const char* name, std::size_t max_size) {
  const Json* found = find_array(*object_, name);
  if (found == nullptr) {
    fault_->malformed(std::string(name) + " is not an array");
    return empty();
  }
  if (found->size() <= max_size) return *found;
  fault_->malformed(std::string(name) + " has " + std::to_string(found->size()) +
                    " elements, which is more than " + std::to_string(max_size));
  return empty();
}

std::map<std::string, Sha256Digest> Reader::digests(const char* name, const std::string& what,
                                                    std::size_t max_size) {
  std::map<std::string, Sha256Digest> out;
  const Json& object = object_json(name);
  if (object.size() > max_size) {
    fault_->malformed(what + " has too many members");
    return out;
  }
  for (const auto& [member, value] : object.items()) {
    out.emplace(member, to_digest(get_base64url(object, member.c_str()), what));
  }
  return out;
}

std::vector<Sha256Digest> Reader::digest_list(const char* name, const std::string& what,
                                              std::size_t max_size) {
  std::vector<Sha256Digest> out;
  for (const Json& item : array(name, max_size)) {
    const Json named{{"item", item}};
    out.push_back(to_digest(get_base64url(named, "item"), what));
  }
  return out;
}

}  // namespace touchmark::protocol
