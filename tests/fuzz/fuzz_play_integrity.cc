// A Play Integrity token under keys that made none, and the verdict's JSON.
#include <cstdlib>

#include "verifier/evidence/play_integrity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchmark;
  static const verifier::evidence::PlayIntegrityKeys keys{Bytes(32), crypto::EcKey::generate()};
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (verifier::evidence::verify_play_integrity(text, keys, {}).verified()) std::abort();
  if (auto payload = parse_json(text)) {
    auto result = verifier::evidence::check_play_integrity_payload(std::move(*payload), {});
    (void)dump_json(to_json(result));
  }
  return 0;
}
