// Builds small signed iOS apps for tests, with keys of their own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/testing/zip_builder.h"
#include "package/testing/mach_o_builder.h"

namespace touchmark::package::testing {

// A root and a code-signing certificate under it, P-256, made for each test.
class IosPki {
 public:
  // `for_code`: whether the certificate may sign code.
  explicit IosPki(const std::string& team = "TESTTEAM01", bool for_code = true);
  ~IosPki();
  IosPki(const IosPki&) = delete;
  IosPki& operator=(const IosPki&) = delete;

  std::string root_der() const;
  std::string leaf_der() const;
  // CMS SignedData, DER, with the leaf and the root in it.
  std::string sign_detached(std::string_view content) const;
  std::string wrap(std::string_view content) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
};

enum class DirectoryHash : unsigned char { kSha1 = 1, kSha256 = 2, kSha384 = 4 };

// What a code signature says; the defaults are those of a correct one.
struct CodeSpec {
  std::string identifier = "org.example.iosapp";
  std::string team = "TESTTEAM01";
  std::vector<DirectoryHash> hashes = {DirectoryHash::kSha256};
  std::string info = {};       // Info.plist
  std::string resources = {};  // CodeResources
  std::string entitlements = "<plist version=\"1.0\"><dict></dict></plist>";
  const IosPki* signer = nullptr;  // nullptr: ad hoc
  MachOSpec image = {};
  std::string sdk_asset = "touchmark-sdk.json";  // of signed_ipa()
};
// Thin images with `pages` pages of 4096 bytes, three at least, before the signature.
std::string signed_image(const CodeSpec& spec, unsigned pages = 3);
// The library in signed_ipa(), Frameworks/Kit.framework/Kit.
std::string kit_image(bool encrypted = false);
// A universal file of images.
std::string universal(const std::vector<std::string>& images);
// The signature alone, for the bytes `code`.
std::string code_signature(const CodeSpec& spec, std::string_view code);

// A list of files as codesign writes it.
std::string code_resources(const std::map<std::string, std::string>& files);
std::string info_plist(std::string_view identifier = "org.example.iosapp");
std::string profile_plist(const IosPki& pki, std::string_view team = "TESTTEAM01",
                          std::string_view application = "TESTTEAM01.org.example.iosapp");

// An app with a framework, a profile and a few files, signed by `pki` unless `spec` has a signer.
ZipFile signed_ipa(const IosPki& pki, CodeSpec spec = {});

}  // namespace touchmark::package::testing
