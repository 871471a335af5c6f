// Blocks of APK Signature Scheme v2, v3 and v4, lineages and source stamps of any content: a
// verdict, and nothing that is signed by nobody is accepted.
#include <cstdlib>
#include <set>

#include "package/android/signature/lineage.h"
#include "package/android/signature/scheme_v2.h"
#include "package/android/signature/scheme_v3.h"
#include "package/android/signature/scheme_v4.h"
#include "package/android/signature/source_stamp.h"
#include "package/package.h"

using namespace touchmark;
using namespace touchmark::package::signature;

namespace {

const Source& content() {
  static const auto source = from_memory(Bytes(100));
  return *source;
}

ContentDigester digester() { return {content(), {0, 0, 78, Bytes(22)}, 1}; }

// The records that are read only once their signature holds, which a fuzzer does not get past.
void read_records(ByteView input) {
  ByteReader fields(input);
  const ByteView digests = fields.prefixed().value_or(ByteView{});
  const ByteView certificates = fields.prefixed().value_or(ByteView{});
  const ByteView first = ByteReader(certificates).prefixed().value_or(ByteView{});
  const auto certificate = read_signer_certificate(first);
  const Bytes key = certificate ? certificate->public_key_der : Bytes();
  const SignerRecord record{{}, {}, {}, key};
  constexpr BlockErrors kErrors{};
  BlockSigner signer;
  (void)read_signed_data(record, {digests, certificates, {}, fields.rest()}, {"v2", 1}, kErrors,
                         signer);
}

void run(std::uint8_t kind, ByteView input) {
  std::vector<std::string> warnings;
  auto digests = digester();
  switch (kind % 7) {
    case 0:
      if (verify_v2(input, {24, kNewest}, {}, digests, warnings)) std::abort();
      break;
    case 1:
      if (verify_v3(input, {false, {28, kNewest}, std::nullopt}, digests, warnings)) std::abort();
      break;
    case 2:
      if (verify_v3(input, {true, {33, kNewest}, std::nullopt}, digests, warnings)) std::abort();
      break;
    case 3: {
      const auto lineage = read_lineage(input);
      if (lineage && !lineage->empty() && !merge_lineages({*lineage, *lineage})) std::abort();
      break;
    }
    case 4:
      (void)verify_source_stamp(input, Bytes(32), {{2, Bytes(40)}}, {30, kNewest});
      break;
    case 5:
      (void)verify_v4(content(), *from_memory(to_bytes(input)));
      break;
    default:
      read_records(input);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  run(data[0], std::as_bytes(std::span(data, size)).subspan(1));
  return 0;
}
