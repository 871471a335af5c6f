#include "attester/testing/package.h"

#include "attester/testing/certificate.h"
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "formats/testing/bytes_writer.h"
#include "formats/testing/zip_builder.h"
#include "package/testing/resource_builder.h"

namespace touchmark::attester::testing {
namespace {

using package::testing::u32;
using package::testing::u64;

constexpr std::uint32_t kEcdsaSha256 = 0x0201;
constexpr std::uint32_t kSchemeV2 = 0x7109871a;
constexpr std::uint32_t kNote = 0x71777777;
constexpr std::size_t kEndRecordSize = 22;
constexpr std::size_t kChunk = 1 << 20;

std::string with_length(const std::string& bytes) { return u32(bytes.size()) + bytes; }

std::string sha256_text(const std::string& bytes) {
  const Sha256Digest digest = crypto::sha256(as_bytes(bytes));
  return std::string(as_text(digest));
}

// The scheme's two-level digest over the sections before the block, the directory and the end
// record.
std::string content_digest(const std::array<std::string, 3>& sections) {
  std::string chunks;
  std::uint32_t count = 0;
  for (const std::string& section : sections) {
    for (std::size_t at = 0; at < section.size(); at += kChunk) {
      const std::string chunk = section.substr(at, kChunk);
      chunks += sha256_text("\xa5" + u32(chunk.size()) + chunk);
      ++count;
    }
  }
  return sha256_text("\x5a" + u32(count) + chunks);
}

std::string signature(EVP_PKEY* key, const std::string& data) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  std::string out(256, '\0');
  std::size_t size = out.size();
  openssl::require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                       EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()),
                                      &size, uchars(as_bytes(data)), data.size()) == 1,
                   "signing");
  out.resize(size);
  return out;
}

std::string signing_block(const std::string& digest, const std::string& note) {
  static const openssl::Pkey key(EVP_EC_gen("P-256"));
  static const Certificate certificate = self_signed(key.get(), "Touchmark test");
  const std::string signed_data =
      with_length(with_length(u32(kEcdsaSha256) + with_length(digest))) +
      with_length(with_length(der_of(certificate.get()))) + with_length("");
  const std::string signer =
      with_length(signed_data) +
      with_length(with_length(u32(kEcdsaSha256) + with_length(signature(key.get(), signed_data)))) +
      with_length(spki_of(key.get()));
  const std::string value = with_length(with_length(signer));
  std::string pair = u64(4 + value.size()) + u32(kSchemeV2) + value;
  if (!note.empty()) pair += u64(4 + note.size()) + u32(kNote) + note;
  const std::string size = u64(pair.size() + 24);
  return size + pair + size + "APK Sig Block 42";
}

// As zipalign does it: an extra field in the local header fills up to the boundary.
void add_aligned(package::testing::ZipFile& zip, package::testing::ZipFileEntry entry,
                 std::uint64_t alignment) {
  constexpr std::uint64_t kHeader = 30;
  constexpr std::uint64_t kField = 6;  // id, size, and what the data is aligned to
  std::uint64_t at = kHeader + entry.local.name.size() + kField;
  for (const package::testing::ZipFileEntry& before : zip.entries) {
    at += before.gap.size() + kHeader + before.local.name.size() + before.local.extra.size() +
          before.data.size() + before.descriptor.size();
  }
  const std::uint64_t fill = (alignment - at % alignment) % alignment;
  entry.local.extra = package::testing::u16(0xd935) + package::testing::u16(2 + fill) +
                      package::testing::u16(alignment) + std::string(fill, '\0');
  zip.entries.push_back(std::move(entry));
}

}  // namespace

std::string signed_package(const std::map<std::string, std::string>& files,
                           const std::string& split,
                           const std::map<std::string, std::string>& stored,
                           std::uint64_t alignment, const std::string& note) {
  using namespace package::testing;
  XmlTestElement manifest = sample_manifest();
  manifest.children.at(0).attributes.at(0).data =
      24;  // minSdkVersion: v2 alone is enough from here on
  if (!split.empty()) manifest.attributes.push_back({.name = "split", .text = split});
  ZipFile zip;
  zip.entries.push_back(deflated("AndroidManifest.xml", xml_document(manifest).build()));
  for (const auto& [name, content] : files) zip.entries.push_back(deflated(name, content));
  for (const auto& [name, content] : stored) {
    add_aligned(zip, package::testing::stored(name, content), alignment);
  }
  const std::string plain = zip.build();
  const std::string end = plain.substr(plain.size() - kEndRecordSize);
  const auto offset_bytes = end.substr(16, 4);
  std::uint32_t directory = 0;
  for (int i = 3; i >= 0; --i) {
    directory =
        directory << 8 | static_cast<unsigned char>(offset_bytes[static_cast<std::size_t>(i)]);
  }
  const std::string block = signing_block(
      content_digest({plain.substr(0, directory),
                      plain.substr(directory, plain.size() - kEndRecordSize - directory), end}),
      note);
  zip.before_directory = block;
  return zip.build();
}

}  // namespace touchmark::attester::testing
