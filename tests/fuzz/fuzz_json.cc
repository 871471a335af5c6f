// Whatever parse_json takes, nlohmann's parser must take as the same value, and its own dump must
// parse to the same value.
#include <cstdlib>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto value = touchmark::parse_json(text);
  if (!value) return 0;
  if (touchmark::Json::parse(text, nullptr, false) != *value) std::abort();
  auto again = touchmark::parse_json(touchmark::dump_json(*value), {.max_bytes = 16 << 20});
  if (!again || *again != *value) std::abort();
  return 0;
}
