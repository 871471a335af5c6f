// The service's next TLS key, as the store remembers it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "verifier/store/store.h"

namespace touchmark::verifier::state {

struct NextKey {
  std::string pin;  // padded base64 of the SHA-256 of its SPKI
  UnixTime announced{};
  std::string actor;                // who announced it
  std::int64_t config_version = 0;  // of the first configuration that tells apps
  bool is_kept_here = false;        // the service made it, and has it in its data folder
};

// What cannot be read counts as none.
Result<std::optional<NextKey>> read_next_key(store::Reader& reader);
// nullopt: there is none any longer.
Result<void> put_next_key(store::Transaction& transaction, const std::optional<NextKey>& next);

}  // namespace touchmark::verifier::state
