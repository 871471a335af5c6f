#include "pki/revocation_list.h"

#include <algorithm>

#include "base/json.h"

namespace touchmark::pki {
namespace {

// The list's own form is lowercase and unpadded; another spelling of a serial must not hide it.
std::optional<std::string> normal_serial(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (!is_hex) return std::nullopt;
  }
  if (text.empty()) return std::nullopt;
  std::size_t digits = std::min(text.find_first_not_of('0'), text.size() - 1);
  return text.substr(digits);
}

RevocationStatus parse_status(const std::string& text) {
  if (text == "REVOKED") return RevocationStatus::kRevoked;
  if (text == "SUSPENDED") return RevocationStatus::kSuspended;
  return RevocationStatus::kOther;
}

}  // namespace

std::string_view to_string(RevocationStatus status) {
  switch (status) {
    case RevocationStatus::kRevoked:
      return "REVOKED";
    case RevocationStatus::kSuspended:
      return "SUSPENDED";
    case RevocationStatus::kOther:
      return "other";
  }
  return "unknown";
}

std::string_view error_id(RevocationError error) {
  using enum RevocationError;
  static constexpr auto kIds = error_table<RevocationError>({
      {kMalformed, "revocation.malformed"},
  });
  return kIds[error];
}

Result<RevocationList> RevocationList::parse(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = kMaxBytes, .max_depth = 8});
  if (!json) return fail(RevocationError::kMalformed, "revocation list: " + json.error().text());
  const Json* entries = find_object(*json, "entries");
  if (entries == nullptr) {
    return fail(RevocationError::kMalformed, "revocation list: no object \"entries\"");
  }
  RevocationList list;
  for (const auto& [name, value] : entries->items()) {
    auto serial = normal_serial(name);
    auto status = find_string(value, "status");
    if (!serial || !status) {
      return fail(RevocationError::kMalformed,
                  "revocation list: entry " + dump_json(Json(name)) + " is not understood");
    }
    list.entries_[*serial] = {parse_status(*status), find_string(value, "reason").value_or("")};
  }
  return list;
}

const RevocationEntry* RevocationList::find(const std::string& serial_hex) const {
  auto at = entries_.find(serial_hex);
  return at == entries_.end() ? nullptr : &at->second;
}

}  // namespace touchmark::pki
