// Test vectors in tests/vectors/. One that is missing or broken fails the test; nothing is skipped.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"

namespace touchmark::testing {

// `name` is relative to tests/vectors. Tests run in the repository's root.
inline Bytes read_vector(const std::string& name) {
  auto bytes = read_file("tests/vectors/" + name, 64 << 20);
  if (!bytes) {
    ADD_FAILURE() << bytes.error().text();
    return {};
  }
  EXPECT_FALSE(bytes->empty()) << name;
  return std::move(*bytes);
}

inline Json read_json_vector(const std::string& name) {
  auto json = parse_json(as_text(read_vector(name)), {.max_bytes = 64 << 20, .max_depth = 32});
  if (!json) {
    ADD_FAILURE() << name << ": " << json.error().text();
    return Json::object();
  }
  return std::move(*json);
}

// Hex that the test itself holds; anything else fails the test.
inline Bytes from_hex(std::string_view text) {
  auto bytes = hex_decode(text);
  if (!bytes) {
    ADD_FAILURE() << bytes.error().text();
    return {};
  }
  return std::move(*bytes);
}

}  // namespace touchmark::testing
