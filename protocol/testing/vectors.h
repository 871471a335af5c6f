// Reads the golden vectors of protocol/vectors/ in the protocol's own tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/json.h"

namespace touchmark::protocol::testing {

inline Json read_vector(const std::string& name) {
  std::ifstream file("protocol/vectors/" + name);
  EXPECT_TRUE(file) << name << ": run from the top of the source tree";
  return Json::parse(file, nullptr, false);
}

}  // namespace touchmark::protocol::testing
