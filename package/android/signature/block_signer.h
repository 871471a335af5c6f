// One signer of an APK Signature Scheme v2 or v3 block. The two schemes share the records and the
// order of the checks; v3 adds a range of API levels.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/byte_reader.h"
#include "package/android/signature/content_digest.h"
#include "package/android/signature/error.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {

// The scheme's own enumerators for the failures that both schemes have.
struct BlockErrors {
  SignatureError malformed_signers;
  SignatureError no_signers;
  SignatureError malformed_signer;
  SignatureError malformed_signature;
  SignatureError no_signatures;
  SignatureError no_supported_signatures;
  SignatureError malformed_public_key;
  SignatureError unusable_signature;
  SignatureError bad_signature;
  SignatureError malformed_signed_data;
  SignatureError malformed_certificate;
  SignatureError no_certificates;
  SignatureError public_key_mismatch;
  SignatureError malformed_digest;
  SignatureError algorithm_mismatch;
  SignatureError malformed_attribute;
  SignatureError digest_mismatch;
  SignatureError misaligned_block;
};

// What a message and a warning need to say where something is: "v3.1 signer 2".
struct SignerPlace {
  std::string_view scheme;
  std::size_t number;  // from 1
  std::string text() const { return std::string(scheme) + " signer " + std::to_string(number); }
};

struct BlockAttribute {
  std::uint32_t id;
  Bytes value;
};

// A signer whose signatures over its signed data hold.
struct BlockSigner {
  struct DigestRecord {
    std::uint32_t algorithm;
    Bytes value;
  };
  std::vector<std::uint32_t> signature_algorithms;
  std::vector<SignerCertificate> certificates;  // the signer's own first
  std::vector<DigestRecord> digests;
  std::vector<BlockAttribute> attributes;
  SdkRange sdk;  // v3: the API levels this signer is for
};

struct SignerRecord {  // the parts of a signer, in file order
  ByteView signed_data;
  SdkRange sdk;  // v3 only
  ByteView signatures;
  ByteView public_key;
};
struct SignedDataRecord {
  ByteView digests;
  ByteView certificates;
  SdkRange sdk;  // v3 only
  ByteView attributes;
};

// The length-prefixed signers of a block's value.
Result<std::vector<ByteView>> split_signers(ByteView block, const BlockErrors& errors);

// Checks the signatures that a platform of `sdk` would pick over the signed data. The content
// digests that those signatures vouch for are added to `vouched`, warnings to `warnings`.
Result<void> verify_signed_data(const SignerRecord& record, SdkRange sdk, const SignerPlace& place,
                                const BlockErrors& errors, BlockSigner& signer,
                                std::set<ContentDigest>& vouched,
                                std::vector<std::string>& warnings);

// Reads certificates, digests and attributes of verified signed data, and holds them against the
// unsigned copies in `record`.
Result<void> read_signed_data(const SignerRecord& record, const SignedDataRecord& data,
                              const SignerPlace& place, const BlockErrors& errors,
                              BlockSigner& signer);

// Compares the digests in the signers' signed data with the package's content.
Result<void> verify_content(const std::vector<BlockSigner>& signers,
                            const std::set<ContentDigest>& vouched, std::string_view scheme,
                            const BlockErrors& errors, ContentDigester& content);

}  // namespace touchmark::package::signature
