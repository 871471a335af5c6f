#include "package/testing/ios_builder.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/encoding.h"
#include "formats/testing/bytes_writer.h"
#include "formats/testing/plist_writer.h"

namespace touchmark::package::testing {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSignatureSize = 16384;  // a fixed room, as codesign leaves it

std::string be32(std::uint64_t value) {
  return u8(value >> 24) + u8(value >> 16) + u8(value >> 8) + u8(value);
}

std::string hash(DirectoryHash type, std::string_view data) {
  const EVP_MD* md = type == DirectoryHash::kSha1     ? EVP_sha1()
                     : type == DirectoryHash::kSha384 ? EVP_sha384()
                                                      : EVP_sha256();
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, md,
             nullptr);
  digest.resize(size);
  return digest;
}

std::string blob(std::uint32_t magic, std::string_view content) {
  return be32(magic) + be32(8 + content.size()) + std::string(content);
}

std::string requirements() { return blob(0xfade0c01, be32(0)); }

std::string directory(const CodeSpec& spec, DirectoryHash type, std::string_view code) {
  const std::size_t hash_size = hash(type, "").size();
  const std::string none(hash_size, '\0');
  const auto slot = [&](std::string_view content) {
    return content.empty() ? none : hash(type, content);
  };
  const std::string entitlements =
      spec.entitlements.empty() ? "" : blob(0xfade7171, spec.entitlements);
  // From slot 5 down to slot 1.
  const std::string special =
      slot(entitlements) + none + slot(spec.resources) + slot(requirements()) + slot(spec.info);
  std::string pages;
  for (std::size_t at = 0; at < code.size(); at += kPage) {
    pages += hash(type, code.substr(at, kPage));
  }
  constexpr std::size_t kHeader = 88;
  const std::string texts = spec.identifier + '\0' + spec.team + '\0';
  const std::size_t team_at = spec.team.empty() ? 0 : kHeader + spec.identifier.size() + 1;
  const std::size_t hashes_at = kHeader + texts.size() + special.size();
  const std::string header = be32(0x20400) + be32(0) + be32(hashes_at) + be32(kHeader) + be32(5) +
                             be32((code.size() + kPage - 1) / kPage) + be32(code.size()) +
                             u8(hash_size) + u8(static_cast<unsigned char>(type)) + u8(0) + u8(12) +
                             be32(0) + be32(0) + be32(team_at) + be32(0) + std::string(8, '\0') +
                             std::string(24, '\0');
  return blob(0xfade0c02, header + texts + special + pages);
}

}  // namespace

std::string code_signature(const CodeSpec& spec, std::string_view code) {
  std::vector<std::pair<std::uint32_t, std::string>> blobs;
  for (std::size_t i = 0; i < spec.hashes.size(); ++i) {
    blobs.emplace_back(i == 0 ? 0 : 0x1000 + i - 1, directory(spec, spec.hashes[i], code));
  }
  blobs.emplace_back(2, requirements());
  if (!spec.entitlements.empty()) blobs.emplace_back(5, blob(0xfade7171, spec.entitlements));
  if (spec.signer != nullptr) {
    blobs.emplace_back(0x10000, blob(0xfade0b01, spec.signer->sign_detached(blobs[0].second)));
  }
  std::string index;
  std::string content;
  const std::size_t start = 12 + 8 * blobs.size();
  for (const auto& [slot, bytes] : blobs) {
    index += be32(slot) + be32(start + content.size());
    content += bytes;
  }
  return be32(0xfade0cc0) + be32(start + content.size()) + be32(blobs.size()) + index + content;
}

std::string signed_image(const CodeSpec& spec, unsigned pages) {
  // The last page is not whole.
  const std::string code = mach_o_image(spec.image, pages * kPage - 100, kSignatureSize);
  std::string signature = code_signature(spec, code);
  signature.resize(kSignatureSize, '\0');
  return code + signature;
}

std::string kit_image(bool encrypted) {
  CodeSpec spec;
  spec.identifier = "org.example.kit";
  spec.entitlements.clear();
  spec.image.file_type = 6;
  spec.image.seed = 7;
  spec.image.libraries = {"/usr/lib/libSystem.B.dylib"};
  spec.image.got = {{"_free", 1}};
  spec.image.lazy = {{"_close", 1}};
  spec.image.encrypted = encrypted;
  return signed_image(spec);
}

std::string universal(const std::vector<std::string>& images) {
  constexpr std::size_t kAlign = 16384;
  std::string header = be32(0xcafebabe) + be32(images.size());
  std::string body;
  for (const std::string& image : images) {
    body.resize((body.size() + kAlign - 1) / kAlign * kAlign, '\0');
    const auto word = [&image](std::size_t at) {
      return std::string{image[at + 3], image[at + 2], image[at + 1], image[at]};
    };
    header += word(4) + word(8) + be32(kAlign + body.size()) + be32(image.size()) + be32(14);
    body += image;
  }
  header.resize(kAlign, '\0');
  return header + body;
}

std::string code_resources(const std::map<std::string, std::string>& files) {
  std::string entries;
  for (const auto& [name, content] : files) {
    entries += "<key>" + name + "</key><dict><key>hash2</key><data>" +
               base64_encode(as_bytes(hash(DirectoryHash::kSha256, content))) + "</data></dict>";
  }
  return touchmark::testing::xml_plist("<dict><key>files2</key><dict>" + entries +
                                       "</dict></dict>");
}

std::string info_plist(std::string_view identifier) {
  return touchmark::testing::xml_plist(
      "<dict><key>CFBundleIdentifier</key><string>" + std::string(identifier) +
      "</string><key>CFBundleExecutable</key><string>Example</string>"
      "<key>CFBundleDisplayName</key><string>Example &amp; Co</string>"
      "<key>CFBundleShortVersionString</key><string>1.2</string>"
      "<key>CFBundleVersion</key><string>34</string>"
      "<key>MinimumOSVersion</key><string>14.0</string></dict>");
}

std::string profile_plist(const IosPki& pki, std::string_view team, std::string_view application) {
  return touchmark::testing::xml_plist(
      "<dict><key>TeamIdentifier</key><array><string>" + std::string(team) +
      "</string></array><key>ExpirationDate</key><date>2036-01-01T00:00:00Z</date>"
      "<key>Entitlements</key><dict><key>application-identifier</key><string>" +
      std::string(application) + "</string></dict><key>DeveloperCertificates</key><array><data>" +
      base64_encode(as_bytes(pki.leaf_der())) + "</data></array></dict>");
}

ZipFile signed_ipa(const IosPki& pki, CodeSpec spec) {
  std::map<std::string, std::string> files = {
      {"Frameworks/Kit.framework/Kit", kit_image()},
      {"data.bin", "data"},
      {"embedded.mobileprovision", pki.wrap(profile_plist(pki))},
      {"en.lproj/Localizable.strings", "\"a\"=\"b\";"},
  };
  if (!spec.sdk_asset.empty()) files[spec.sdk_asset] = "{\"version\":\"0.1.0\"}";
  spec.info = info_plist();
  spec.resources = code_resources(files);
  if (spec.signer == nullptr) spec.signer = &pki;
  const std::string folder = "Payload/Example.app/";
  ZipFile zip;
  zip.entries = {stored("Payload/", ""), stored(folder, ""),
                 deflated(folder + "Info.plist", spec.info),
                 deflated(folder + "Example", signed_image(spec)),
                 deflated(folder + "_CodeSignature/CodeResources", spec.resources)};
  for (const auto& [name, content] : files) zip.entries.push_back(deflated(folder + name, content));
  return zip;
}

}  // namespace touchmark::package::testing
