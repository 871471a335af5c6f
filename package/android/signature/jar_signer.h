// One signer of a JAR-signed package: a signature block (META-INF/X.RSA, .DSA or .EC) that signs a
// signature file (META-INF/X.SF), which digests the sections of META-INF/MANIFEST.MF.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/jar_manifest.h"
#include "package/android/signature/scheme_v2.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {

// The certificate whose key signed `signature_file`. `name` is for messages. A block may have many
// signers, and each of them may make the whole file be digested again: BudgetError.
Result<SignerCertificate> verify_signature_block(ByteView block, ByteView signature_file,
                                                 const std::string& name, SdkRange range,
                                                 Budget& budget);

// META-INF/MANIFEST.MF with its sections by entry name.
struct JarManifest {
  Bytes bytes;
  std::vector<JarSection> sections;                       // the main section first
  std::unordered_map<std::string, std::size_t> by_entry;  // index into sections
  const JarSection* find(const std::string& entry) const {
    const auto found = by_entry.find(entry);
    return found == by_entry.end() ? nullptr : &sections[found->second];
  }
};

struct SignatureFile {
  // A platform passes over a signature file with these faults as though it were not there.
  bool ignored = false;
  std::unordered_set<std::string> entries;  // that it signs
};

// Holds a signature file against the manifest. `found`: the newer schemes that verified.
Result<SignatureFile> verify_signature_file(ByteView bytes, const std::string& name,
                                            const JarManifest& manifest, SdkRange range,
                                            const std::set<SchemeId>& found,
                                            std::vector<std::string>& warnings, Budget& budget);

}  // namespace touchmark::package::signature
