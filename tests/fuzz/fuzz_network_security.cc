// A network security configuration, as binary XML and as an app bundle has it: what is accepted
// names few domains, each of them in one short line, and none where everywhere is allowed.
#include <algorithm>
#include <cstdlib>

#include "package/android/axml.h"
#include "package/android/network_security.h"
#include "package/bundle/resources_proto.h"

using namespace touchmark;

namespace {

void check(const package::AllowedHosts& hosts) {
  if (hosts.everywhere && !hosts.domains.empty()) std::abort();
  if (hosts.domains.size() > package::AllowedHosts::kMaxDomains) std::abort();
  for (const std::string& domain : hosts.domains) {
    if (domain.empty() || domain.size() > package::AllowedHosts::kMaxDomainBytes + 3) std::abort();
    if (std::ranges::any_of(domain, [](char c) { return c >= 0 && c < ' '; })) std::abort();
  }
}

template <class Xml>
void read(Result<Xml> document) {
  if (!document) return;
  const auto security = package::android::parse_network_security(*document, 34);
  if (!security) return;
  check(security->cleartext);
  check(security->user_certificates);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView document(reinterpret_cast<const std::byte*>(data), size);
  Budget budget(size);
  read(package::android::XmlReader::open(document, budget));
  read(package::bundle::ProtoXml::parse(document, budget));
  const package::bundle::ProtoTable table(document, budget);
  for (std::uint32_t entry = 0; entry < 4; ++entry) (void)table.every_string(0x7f010000 | entry);
  return 0;
}
