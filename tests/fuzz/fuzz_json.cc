// Whatever parse_json takes, nlohmann's parser must take as the same value, and its own dump must
// parse to the same value. A document read without a tree holds what the tree holds, or fails with
// the same error.
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "base/json_document.h"

namespace {

using touchmark::Json;

void check(bool holds) {
  if (!holds) std::abort();
}

void compare(std::string_view text, touchmark::JsonLimits limits) {
  const auto tree = touchmark::parse_json(text, limits);
  const auto document = touchmark::parse_json_document(std::string(text), limits);
  check(tree.has_value() == document.has_value());
  if (!tree) return check(tree.error().text() == document.error().text());
  check(document->root().to_json() == *tree);
  check(touchmark::JsonDocument(*tree).root().to_json() == *tree);
  for (const touchmark::JsonView member : document->root()) {
    if (document->root().is_object()) {
      check(document->root().find(member.name())->to_json() == (*tree)[std::string(member.name())]);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  compare(text, {});
  compare(text, {.max_bytes = 64, .max_depth = 3});
  auto value = touchmark::parse_json(text);
  if (!value) return 0;
  check(Json::parse(text, nullptr, false) == *value);
  auto again = touchmark::parse_json(touchmark::dump_json(*value), {.max_bytes = 16 << 20});
  check(again && *again == *value);
  return 0;
}
