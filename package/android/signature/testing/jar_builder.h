// Signs packages for tests with JAR signatures, correctly or with a lie in any file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "package/android/signature/testing/signing_builder.h"

namespace touchmark::package::testing {

// A PKCS #7 block by `by` over `signed_file`.
struct JarBlockSpec {
  const Identity* by = &ec_identity();
  std::string digest_oid = "2.16.840.1.101.3.4.2.1";
  std::string signature_oid = "1.2.840.10045.2.1";  // ECDSA; the digest is digest_oid's
  std::optional<std::vector<Bytes>> certificates{};
  std::optional<int> serial{};
  // Each encoded as an Attribute; signed instead of the file when given.
  std::optional<std::vector<Bytes>> signed_attributes{};
  std::function<void(Bytes&)> edit_signature{};
  int signers = 1;  // that many times the same one
};
Bytes encode_jar_block(const JarBlockSpec& spec, const Bytes& signed_file);
// SEQUENCE of the OID and a SET of the values.
Bytes jar_attribute(const std::string& oid, const std::vector<Bytes>& values);
Bytes oid_value(const std::string& oid);
Bytes octet_value(const Bytes& content);

struct JarSpec {
  std::vector<std::pair<std::string, std::string>> entries{{"AndroidManifest.xml", "manifest"},
                                                           {"classes.dex", "code"}};
  std::vector<JarBlockSpec> signers{{}};
  // Called with the files' correct content.
  std::function<void(std::string&)> edit_manifest{};
  std::function<void(std::string&)> edit_signature_file{};
  std::string signature_file_extra{};  // lines of its main section
  std::vector<std::pair<std::string, std::string>> extra_files{};
};
// The entries of the package with META-INF/MANIFEST.MF and META-INF/S<n>.SF and .EC.
ZipFile jar_signed(const JarSpec& spec);

std::string digest_text(const std::string& content);  // base64 of SHA-256

}  // namespace touchmark::package::testing
