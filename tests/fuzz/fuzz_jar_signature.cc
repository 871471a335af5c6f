// JAR signatures of any content: manifest, signature file and PKCS #7 block, apart by two zero
// bytes.
#include <cstdlib>

#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/jar_signer.h"
#include "package/android/signature/pkcs7.h"

using namespace touchmark;
using namespace touchmark::package::signature;

namespace {

ByteView take_part(ByteView& rest) {
  const std::string_view text = as_text(rest);
  const std::size_t end = std::min(text.find(std::string_view("\0\0", 2)), text.size());
  const ByteView part = rest.first(end);
  rest = rest.subspan(std::min(rest.size(), end + 2));
  return part;
}

// Sections lie in the text, in order, and apart.
void check_sections(ByteView text, const std::vector<JarSection>& sections, Budget& budget) {
  std::size_t end = 0;
  for (const JarSection& section : sections) {
    if (section.offset < end || section.size == 0 || section.attributes.empty()) std::abort();
    end = section.offset + section.size;
    if (end > text.size()) std::abort();
    (void)jar_digests_to_verify(section, "-Digest", {1, kNewest}, budget);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  const ByteView manifest_text = take_part(rest);
  const ByteView file_text = take_part(rest);
  Budget budget(size);
  auto sections = parse_jar_manifest(manifest_text, budget);
  if (!sections) return 0;
  JarManifest manifest{to_bytes(manifest_text), *std::move(sections), {}};
  check_sections(manifest_text, manifest.sections, budget);
  for (std::size_t i = 1; i < manifest.sections.size(); ++i) {
    if (const std::string* name = manifest.sections[i].name()) manifest.by_entry.emplace(*name, i);
  }
  std::vector<std::string> warnings;
  (void)verify_signature_file(file_text, "META-INF/A.SF", manifest, {1, kNewest}, {}, warnings,
                              budget);
  (void)verify_signature_file(file_text, "META-INF/A.SF", manifest, {24, kNewest}, {SchemeId::kV2},
                              warnings, budget);
  (void)verify_signature_block(rest, file_text, "META-INF/A.RSA", {24, kNewest}, budget);
  if (const auto block = parse_pkcs7(rest)) {
    for (const Pkcs7Signer& signer : block->signers) {
      if (signer.signed_attributes) (void)parse_attributes(*signer.signed_attributes);
    }
  }
  return 0;
}
