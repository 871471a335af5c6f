// The golden vectors of protocol/vectors/, made from fixed keys. Tests of every language read the
// committed files; the verifier's own test also makes them again and compares.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace touchmark::verifier::testing {

// File name -> content. ECDSA signatures differ from run to run, so the two signed documents
// ("evidence.json" and "config.json", member "jws") are compared by verifying them.
std::map<std::string, Json> make_vectors();

}  // namespace touchmark::verifier::testing
