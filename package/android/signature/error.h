// Why an APK's signatures are refused: one enumerator per reason, each with a stable id that
// error_id() gives and docs/package-rules.md explains.
#pragma once

#include <string_view>

#include "package/android/signature/signature.h"

namespace touchmark::package::signature {

enum class SignatureError : int {
  // Asked for something no platform is.
  kSdkRange,  // the lowest API level to check for is above the highest

  // The APK Signing Block as a whole.
  kBlockTooLarge,  // a signature entry no signer writes: over 4 MiB
  kBlockTooManyEntries,

  // JAR signing, v1.
  kV1NoManifest,
  kV1NoSignatures,
  kV1TooManySigners,
  kV1FileTooLarge,  // MANIFEST.MF, .SF or the signature block, over 16 MiB or 1 MiB
  kV1UnnamedSection,
  kV1DuplicateSection,
  kV1EntryMissing,  // in the manifest, not in the package
  kV1NoSigners,     // a signature block without signer
  kV1MalformedBlock,
  kV1MalformedCertificate,
  kV1UnsupportedAlgorithm,  // for some of the API levels asked for
  kV1CertificateMissing,
  kV1CertificateExtension,  // a critical one that nobody knows
  kV1CertificateUsage,
  kV1UnusableKey,
  kV1UnusableSignature,  // of a length or encoding that the key cannot have made
  kV1AttributesTooOld,   // signed attributes, and API levels that check them wrongly
  kV1MalformedAttributes,
  kV1AmbiguousAttribute,
  kV1MissingAttribute,
  kV1BadSignature,
  kV1EmptySignatureFile,
  kV1SchemeStripped,  // the .SF says that a newer scheme signed too, and it is not there
  kV1MainSectionDigestMismatch,
  kV1NoSectionDigest,
  kV1SectionDigestMismatch,
  kV1MalformedDigest,  // not base64
  kV1EntryNotInManifest,
  kV1EntryNotSigned,
  kV1EntrySignersDiffer,
  kV1EntryDigestMismatch,
  kV1NoSignedEntries,

  // APK Signature Scheme v2.
  kV2MalformedSigners,
  kV2NoSigners,
  kV2TooManySigners,
  kV2MalformedSigner,
  kV2MalformedSignature,
  kV2NoSignatures,
  kV2NoSupportedSignatures,
  kV2MalformedPublicKey,
  kV2UnusableSignature,  // of a length or encoding that the key cannot have made
  kV2BadSignature,
  kV2MalformedSignedData,
  kV2MalformedCertificate,
  kV2NoCertificates,
  kV2PublicKeyMismatch,  // the first certificate is for another key than the one that verified
  kV2MalformedDigest,
  kV2AlgorithmMismatch,  // the lists of signatures and of digests name different algorithms
  kV2MalformedAttribute,
  kV2DigestMismatch,   // the package's content is not what was signed
  kV2MisalignedBlock,  // a verity digest, yet the block is not on 4096-byte borders
  kV2SchemeStripped,   // the v2 signer says that a newer scheme signed too, and it is not there
  kV2SignerNotInV1,
  kV1SignerNotInV2,

  // APK Signature Scheme v3 and v3.1.
  kV3MalformedSigners,
  kV3NoSigners,
  kV3MalformedSigner,
  kV3InvalidSdkVersions,
  kV3MalformedSignature,
  kV3NoSignatures,
  kV3NoSupportedSignatures,
  kV3MalformedPublicKey,
  kV3UnusableSignature,
  kV3BadSignature,
  kV3MalformedSignedData,
  kV3MinSdkMismatch,  // signed and unsigned copies of the API level differ
  kV3MaxSdkMismatch,
  kV3MalformedCertificate,
  kV3NoCertificates,
  kV3PublicKeyMismatch,
  kV3MalformedDigest,
  kV3AlgorithmMismatch,
  kV3MalformedAttribute,
  kV3DigestMismatch,
  kV3MisalignedBlock,
  kV3InconsistentSdkVersions,  // the signers' API levels overlap or leave a gap
  kV3MissingSdkVersions,       // no signer for some of the API levels asked for
  kV3MalformedLineage,
  kV3LineageBadSignature,
  kV3LineageCertificateMismatch,  // the signer is not the last certificate of its lineage
  kV3InconsistentLineages,        // the signers' lineages are not one line of descent
  kV3PastSignerMismatch,          // the v1 or v2 signer is not the oldest of the lineage
  kV3MultiplePastSigners,
  kV3MultipleSigners,
  kV31BlockMissing,  // the v3 signer says that a v3.1 block exists, and it does not
  kV31RotationSdkMismatch,
  kV31WithoutV3,

  // APK Signature Scheme v4, in a file beside the package (.idsig).
  kV4Malformed,
  kV4UnsupportedVersion,
  kV4UnsupportedHash,  // not SHA-256 over pages of 4096 bytes without salt
  kV4UnknownAlgorithm,
  kV4MalformedPublicKey,
  kV4UnusableSignature,
  kV4BadSignature,
  kV4MalformedCertificate,
  kV4PublicKeyMismatch,
  kV4RootMismatch,  // the package is not the one that was hashed
  kV4TreeMismatch,
  kV4WithoutBase,   // no v2 or v3 signature for it to add to
  kV4WrongSigners,  // another number of signers than v2 or v3 has
  kV4SignerMismatch,
  kV4DigestMismatch,  // made for another v2 or v3 signature

  // Source stamp: who delivered the package. These are warnings, never a refusal.
  kStampBlockMissing,
  kStampMalformed,
  kStampMalformedCertificate,
  kStampCertificateMismatch,
  kStampNoSignature,
  kStampNoSupportedSignature,
  kStampUnusableSignature,
  kStampBadSignature,
  kStampMalformedAttribute,
  kStampInvalidTimestamp,
  kStampMalformedLineage,
  kStampLineageBadSignature,
  kStampLineageCertificateMismatch,

  // Across schemes.
  kSandboxNeedsScheme,  // targetSandboxVersion 2 or more needs a scheme newer than v1
  kTargetNeedsScheme,   // targetSdkVersion 30 or more needs v2 or newer
};

std::string_view error_id(SignatureError error);

}  // namespace touchmark::package::signature
