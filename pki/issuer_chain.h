// Verifies the upper part of an attestation chain, link by link on the signed bytes: the
// certificates above the leaf, up to a trusted root. What was verified is remembered, because all
// devices of one batch share it, and an RSA or P-384 root costs more than everything else together.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/mutex.h"
#include "pki/certificate.h"
#include "pki/distinguished_name.h"
#include "pki/public_key.h"
#include "pki/revocation_list.h"
#include "pki/trust_roots.h"

namespace touchmark::pki {

enum class ChainError {
  kTooShort,              // no certificate above the leaf
  kTooLong,               // more than kMaxChainLength certificates
  kUntrustedRoot,         // the chain ends under a key that is not a trusted root's
  kIssuerMismatch,        // a certificate names another issuer than the one that follows it
  kBadSignature,          // a certificate is not signed by the key of the one that follows it
  kUnsupportedAlgorithm,  // it is signed by an algorithm or key that no genuine chain uses
  kNotCa,        // a certificate has issued another one and is no CA's, or may not sign any
  kPathTooLong,  // more certificates below a CA's than it allows
  kNotYetValid,
  kExpired,
  kRevoked,
  kSuspended,
};
std::string_view error_id(ChainError error);

inline constexpr std::size_t kMaxChainLength = 10;

// The certificates above the leaf, its own issuer first. Their signatures are good up to a trusted
// root; what each kind of evidence asks beyond that is checked by its own verifier. Immutable.
struct IssuerChain {
  std::vector<Bytes> encoded;
  std::vector<Certificate> certificates;  // views into `encoded`
  std::vector<std::string> serials;       // serial_hex of each
  std::vector<std::vector<NameAttribute>> subjects;
  PublicKey leaf_issuer_key;
  Bytes root_spki;             // of the root under which the chain ends
  bool root_included = false;  // the last certificate is that root's

  // How many certificates stand between the leaf and the root.
  std::size_t below_root() const { return certificates.size() - (root_included ? 1 : 0); }
  // The certificate directly below the root, which says how the chain was provisioned; nullptr when
  // there is only the root.
  const std::vector<NameAttribute>* intermediate_subject() const;
  // Whether each may issue the one below it (RFC 5280 section 6.1.4 k to n): kNotCa, kPathTooLong.
  // Nothing is asked of the leaf's own issuer: many phones' batch certificates say that they are no
  // CA's.
  Result<void> check_ca() const;
};

// not_before <= time <= not_after; `which` names the certificate in the error.
Result<void> check_valid_at(const Certificate& certificate, UnixTime time, std::string_view which);

// Names are equal: byte for byte, or attribute by attribute in whatever string types.
bool names_equal(ByteView a, ByteView b);

// Thread-safe.
class IssuerVerifier {
 public:
  // `cache_size`: how many issuer chains are remembered; 0 for none.
  explicit IssuerVerifier(TrustRoots roots, std::size_t cache_size = 1024);

  // `issuers`: DER, leaf's issuer first, with or without the root. Errors: chain.*, certificate.*.
  Result<std::shared_ptr<const IssuerChain>> verify(std::span<const Bytes> issuers) const;

 private:
  struct CacheEntry {
    std::shared_ptr<const IssuerChain> chain;
    std::atomic<std::uint64_t> last_used{0};
  };
  std::shared_ptr<const IssuerChain> find(std::span<const Bytes> issuers, std::size_t hash) const;
  void remember(std::shared_ptr<const IssuerChain> chain, std::size_t hash) const;

  TrustRoots roots_;
  std::size_t cache_size_;
  mutable SharedMutex mutex_;
  mutable std::unordered_map<std::size_t, CacheEntry> cache_ GUARDED_BY(mutex_);
  mutable std::atomic<std::uint64_t> uses_{0};
};

// Whether `serial` is listed. `which` names the certificate in the error.
Result<void> check_not_revoked(const RevocationList& list, const std::string& serial_hex,
                               std::string_view which);

}  // namespace touchmark::pki
