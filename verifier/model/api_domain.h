// An API whose calls carry tokens.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace touchmark::verifier::model {

// A pin that apps accept for a time, after others took its place.
struct RetiringPin {
  std::string pin;
  UnixTime until{};
};

struct ApiDomain {
  std::string domain;             // "api.example.com" or "localhost:5001"
  std::vector<std::string> pins;  // base64 SHA-256 of DER SPKI
  std::vector<RetiringPin> retiring{};
  std::string key_set{};  // that its tokens are signed with; "": the default
};

}  // namespace touchmark::verifier::model
