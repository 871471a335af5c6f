// When what lasts for a time is over.
#pragma once

#include <optional>

#include "base/clock.h"

namespace touchmark::verifier::model {

// Whether what lasts until `expires` (nullopt: without an end) is over.
inline bool is_over(const std::optional<UnixTime>& expires, UnixTime now) {
  return expires && *expires <= now;
}

}  // namespace touchmark::verifier::model
