#include "attester/testing/property_area.h"

#include <stdexcept>

#include "attester/testing/little_endian.h"

namespace touchmark::attester::testing {
namespace {

class Writer {
 public:
  Writer() : bytes_(kAreaBytes) {
    overwrite(bytes_, 8, 0x504f5250, 4);   // "PROP"
    overwrite(bytes_, 12, 0xfc6ed0ab, 4);  // version
    take(kNodeBytes);                      // the root has no name
  }

  void add(const RecordedProperty& property) {
    std::uint64_t node = 0;
    for (std::size_t begin = 0; begin < property.name.size();) {
      const std::size_t dot = std::min(property.name.find('.', begin), property.name.size());
      node = child(node, property.name.substr(begin, dot - begin));
      begin = dot + 1;
    }
    put(node + 4, put_value(property));
  }

  Bytes finish() {
    overwrite(bytes_, 0, used_, 4);
    return std::move(bytes_);
  }

 private:
  static constexpr std::uint64_t kAreaBytes = 128 * 1024, kHeader = 128, kNodeBytes = 20;

  std::uint64_t take(std::uint64_t size) {
    const std::uint64_t at = used_;
    used_ += (size + 3) / 4 * 4;
    if (kHeader + used_ > bytes_.size()) throw std::logic_error("so many properties");
    return at;
  }
  void put(std::uint64_t at, std::uint64_t value) {
    overwrite(bytes_, static_cast<std::size_t>(kHeader + at), value, 4);
  }
  std::uint64_t get(std::uint64_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = 4; i-- > 0;) {
      value = value << 8 | std::to_integer<std::uint64_t>(bytes_[kHeader + at + i]);
    }
    return value;
  }
  void put_text(std::uint64_t at, const std::string& text) {
    for (const char c : text) bytes_[static_cast<std::size_t>(kHeader + at++)] = std::byte(c);
  }
  std::string name_of(std::uint64_t node) const {
    std::string out;
    for (std::uint64_t i = 0; i < get(node); ++i) {
      out += static_cast<char>(bytes_[kHeader + node + kNodeBytes + i]);
    }
    return out;
  }

  // Siblings are a binary tree, ordered by length and then by letters.
  std::uint64_t child(std::uint64_t parent, const std::string& name) {
    std::uint64_t link = parent + 16;
    while (get(link) != 0) {
      const std::uint64_t node = get(link);
      const std::string other = name_of(node);
      if (other == name) return node;
      const bool left = name.size() != other.size() ? name.size() < other.size() : name < other;
      link = node + (left ? 8 : 12);
    }
    const std::uint64_t node = take(kNodeBytes + name.size() + 1);
    put(node, name.size());
    put_text(node + kNodeBytes, name);
    put(link, node);
    return node;
  }

  std::uint64_t put_value(const RecordedProperty& property) {
    constexpr std::uint64_t kValueBytes = 92, kLong = 1U << 16U;
    const std::uint64_t at = take(4 + kValueBytes + property.name.size() + 1);
    put_text(at + 4 + kValueBytes, property.name);
    if (property.value.size() < kValueBytes) {
      put(at, property.value.size() << 24U | 2 * property.changes);
      put_text(at + 4, property.value);
    } else {
      const std::string error = "Must use __system_property_read_callback() to read";
      put(at, error.size() << 24U | kLong | 2 * property.changes);
      put_text(at + 4, error);
      const std::uint64_t value = take(property.value.size() + 1);
      put_text(value, property.value);
      put(at + 4 + 56, value - at);
    }
    return at;
  }

  Bytes bytes_;
  std::uint64_t used_ = 0;
};

}  // namespace

Bytes make_property_area(const std::vector<RecordedProperty>& properties) {
  Writer writer;
  for (const RecordedProperty& property : properties) writer.add(property);
  return writer.finish();
}

}  // namespace touchmark::attester::testing
