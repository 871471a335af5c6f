// An API whose calls carry tokens.
#pragma once

#include <string>
#include <vector>

namespace touchmark::verifier::model {

struct ApiDomain {
  std::string domain;             // "api.example.com" or "localhost:5001"
  std::vector<std::string> pins;  // base64 SHA-256 of DER SPKI
};

}  // namespace touchmark::verifier::model
