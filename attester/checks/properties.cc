#include "attester/checks/properties.h"

#include <array>
#include <cstring>
#include <optional>

namespace touchmark::attester::checks {
namespace {

constexpr std::size_t kMaxAreaBytes = 1 << 20;

// Contexts of SELinux, under which init keeps properties in a file each, from API 24 on. They
// changed their names over the years (system/sepolicy/private/property_contexts).
constexpr std::array<std::string_view, 14> kContexts = {"default_prop",
                                                        "build_prop",
                                                        "build_vendor_prop",
                                                        "bootloader_prop",
                                                        "exported_default_prop",
                                                        "exported2_default_prop",
                                                        "exported3_default_prop",
                                                        "vendor_default_prop",
                                                        "userdebug_or_eng_prop",
                                                        "debug_prop",
                                                        "system_prop",
                                                        "init_service_status_prop",
                                                        "init_service_status_private_prop",
                                                        "qemu_hw_prop"};

// One area: a header, then a trie over the parts of names between dots, whose nodes are binary
// trees.
class PropertyArea {
 public:
  explicit PropertyArea(ByteView bytes) : bytes_(bytes) {}

  bool is_one() const {
    constexpr std::uint32_t kMagic = 0x504f5250, kVersion = 0xfc6ed0ab;
    return number(8) == kMagic && number(12) == kVersion;
  }

  template <class Take>
  void walk(const Take& take) const {
    constexpr std::size_t kMaxNodes = 20'000;  // a hostile area may lead in circles
    std::vector<std::uint64_t> nodes{0};
    for (std::size_t seen = 0; !nodes.empty() && seen < kMaxNodes; ++seen) {
      const std::uint64_t node = kHeader + nodes.back();
      nodes.pop_back();
      if (const auto property = number(node + 4); property && *property != 0) {
        take_property(kHeader + *property, take);
      }
      for (const std::uint64_t link : {8U, 12U, 16U}) {  // left, right, children
        if (const auto next = number(node + link); next && *next != 0) nodes.push_back(*next);
      }
    }
  }

 private:
  static constexpr std::uint64_t kHeader = 128;
  static constexpr std::uint64_t kValueSize = 92;  // PROP_VALUE_MAX

  std::optional<std::uint32_t> number(std::uint64_t at) const {
    std::uint32_t out = 0;
    if (at > bytes_.size() || bytes_.size() - at < sizeof out) return std::nullopt;
    std::memcpy(&out, bytes_.data() + at, sizeof out);
    return out;
  }

  std::optional<std::string> text(std::uint64_t at, std::uint64_t most) const {
    if (at >= bytes_.size()) return std::nullopt;
    const std::string_view rest =
        as_text(bytes_).substr(static_cast<std::size_t>(at), static_cast<std::size_t>(most));
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(rest.substr(0, end));
  }

  // prop_info: serial, value, name. A long value lies elsewhere, and the place of the value says
  // where.
  template <class Take>
  void take_property(std::uint64_t at, const Take& take) const {
    constexpr std::uint32_t kLong = 1U << 16U, kCount = 0xffff;
    constexpr std::uint64_t kMaxText = 4096, kLongAt = 4 + 56;
    const auto serial = number(at);
    auto name = text(at + 4 + kValueSize, kMaxText);
    if (!serial || !name) return;
    std::optional<std::string> value;
    if ((*serial & kLong) != 0) {
      if (const auto offset = number(at + kLongAt)) value = text(at + *offset, kMaxText);
    } else {
      value = text(at + 4, kValueSize);
    }
    if (!value) return;
    // Each change counts twice: the lowest bit is set while it is under way.
    take(std::move(*name), Property{std::move(*value), (*serial & kCount) / 2});
  }

  ByteView bytes_;
};

}  // namespace

void Properties::add_area(ByteView bytes) {
  const PropertyArea area(bytes);
  if (!area.is_one()) return;
  area.walk([this](std::string name, Property property) {
    all_.insert_or_assign(std::move(name), std::move(property));
  });
}

const Property* Properties::find(std::string_view name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

std::string Properties::value(std::string_view name) const {
  const Property* found = find(name);
  return found == nullptr ? std::string() : found->value;
}

Properties read_properties(const Kernel& kernel) {
  static const std::string kPlace = "/dev/__properties__";
  Properties out;
  const auto add = [&](const std::string& path) {
    if (const Result<Bytes> area = read_whole(kernel, path, kMaxAreaBytes)) out.add_area(*area);
  };
  for (const std::string_view context : kContexts) {
    add(kPlace + "/u:object_r:" + std::string(context) + ":s0");
  }
  if (out.all().empty()) add(kPlace);  // one file for all, up to API 23
  return out;
}

}  // namespace touchmark::attester::checks
