// What the scanner of tokens takes, the strict reader must take as the same header and the same
// claims. And a whole token from outside is decided about, never as a valid one.
#include <cstdlib>
#include <string>

#include "relying-party/cpp/guard.h"
#include "relying-party/cpp/token_json.h"

namespace {

using touchmark::Json;
namespace relying = touchmark::relying;

void check(bool holds) {
  if (!holds) std::abort();
}

bool same(const relying::TimeClaim& a, const relying::TimeClaim& b) {
  return a.is_there == b.is_there && a.seconds == b.seconds;
}

void compare(std::string_view text) {
  relying::FlatObject flat;
  if (!flat.scan(text)) return;
  const auto json = relying::read_object(text);
  check(json && json->size() == flat.size());
  const relying::Claims a = relying::claims_of(flat);
  const relying::Claims b = relying::claims_of(*json);
  check(same(a.exp, b.exp) && same(a.nbf, b.nbf) && a.iss == b.iss && a.aud == b.aud);
  check(a.lvl == b.lvl && a.pay == b.pay && a.jti == b.jti && a.did == b.did);
  check(a.audiences == b.audiences);
  const relying::JoseHeader c = relying::jose_header(flat);
  const relying::JoseHeader d = relying::jose_header(*json);
  check(c.alg == d.alg && c.kid == d.kid && c.typ == d.typ);
  check(c.kid_is_no_text == d.kid_is_no_text && c.has_extension == d.has_extension);
}

relying::Guard& guard() {
  static const auto made = [] {
    relying::Settings settings;
    const touchmark::Bytes secret(32, std::byte{7});
    settings.secrets.push_back({{}, secret, touchmark::Bytes(32, std::byte{8})});
    settings.token_prefix = "Bearer ";
    return relying::Guard::make(settings);
  }();
  return **made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  compare(text);
  const std::string value = "Bearer " + std::string(text);
  const relying::Header header{"Touchmark-Token", value};
  const auto decision = guard().check({.method = "GET", .headers = {&header, 1}});
  check(!decision.allowed && decision.device.empty());
  return 0;
}
