#include "pki/issuer_chain.h"

#include <algorithm>
#include <functional>

namespace touchmark::pki {
namespace {

// Certificates are counted from the leaf, which is 0; issuers[i] is certificate i + 1.
std::string certificate_number(std::size_t issuer) {
  return "certificate " + std::to_string(issuer + 1);
}

Result<void> check_signature(const Certificate& certificate, const PublicKey& issuer_key,
                             std::size_t issuer) {
  auto algorithm = parse_signature_algorithm(certificate.signature_algorithm);
  if (!algorithm) {
    return fail(ChainError::kUnsupportedAlgorithm,
                certificate_number(issuer) + ": " + algorithm.error().message());
  }
  auto verified = issuer_key.verify(*algorithm, certificate.signed_bytes, certificate.signature);
  if (!verified) {
    return fail(ChainError::kBadSignature,
                certificate_number(issuer) + ": " + verified.error().message());
  }
  return {};
}

struct ParsedIssuers {
  std::vector<Bytes> encoded;
  std::vector<Certificate> certificates;
  std::vector<std::string> serials;
  std::vector<std::vector<NameAttribute>> subjects;
};

Result<ParsedIssuers> parse_issuers(std::span<const Bytes> issuers) {
  ParsedIssuers parsed;
  parsed.encoded.assign(issuers.begin(), issuers.end());
  for (std::size_t i = 0; i < issuers.size(); ++i) {
    auto certificate = parse_certificate(parsed.encoded[i], certificate_number(i));
    if (!certificate) return pass(certificate);
    parsed.serials.push_back(serial_hex(certificate->serial));
    // A name that is not understood has no attributes; what must be equal is compared as bytes.
    parsed.subjects.push_back(
        parse_name(certificate->subject).value_or(std::vector<NameAttribute>()));
    parsed.certificates.push_back(std::move(*certificate));
  }
  return parsed;
}

Result<PublicKey> issuer_key(const ParsedIssuers& parsed, std::size_t issuer) {
  auto key = PublicKey::from_spki(parsed.certificates[issuer].spki);
  if (key) return key;
  return fail(ChainError::kUnsupportedAlgorithm,
              certificate_number(issuer) + ": " + key.error().message());
}

struct Anchor {
  const TrustRoot* root = nullptr;
  bool root_included = false;
};

// The end of the chain: a certificate of a root's own key, or one that a root has signed. Either
// way its signature is checked, so that no byte of what was sent goes unverified.
Result<Anchor> find_anchor(const TrustRoots& roots, const ParsedIssuers& parsed) {
  std::size_t last = parsed.certificates.size() - 1;
  const Certificate& top = parsed.certificates[last];
  const TrustRoot* own = roots.find(top.spki);
  if (own != nullptr && names_equal(top.issuer, top.subject)) {
    if (auto ok = check_signature(top, own->key, last); !ok) return pass(ok);
    return Anchor{own, true};
  }
  for (const TrustRoot& root : roots.all()) {
    if (!check_signature(top, root.key, last)) continue;
    // With `own`, a root that another root has signed.
    return own != nullptr ? Anchor{own, true} : Anchor{&root, false};
  }
  if (own != nullptr) {
    return fail(ChainError::kBadSignature,
                certificate_number(last) + " is of a root's key, but not signed by a root");
  }
  // A root of somebody else's is intact; one that was changed on its way is not.
  if (names_equal(top.issuer, top.subject)) {
    auto key = issuer_key(parsed, last);
    if (!key) return pass(key);
    if (auto ok = check_signature(top, *key, last); !ok) return pass(ok);
  }
  return fail(ChainError::kUntrustedRoot, "the chain ends with " + certificate_number(last) + " (" +
                                              to_string(parsed.subjects[last]) +
                                              "), which no trusted root has signed");
}

Result<void> check_links(const ParsedIssuers& parsed, const Anchor& anchor) {
  std::size_t last = parsed.certificates.size() - 1;
  for (std::size_t i = last; i-- > 0;) {
    const Certificate& certificate = parsed.certificates[i];
    if (!names_equal(certificate.issuer, parsed.certificates[i + 1].subject)) {
      return fail(
          ChainError::kIssuerMismatch,
          certificate_number(i) + " names another issuer than " + certificate_number(i + 1));
    }
    // The root's key is there already; making one of P-384 costs a good part of a signature check.
    bool is_root = anchor.root_included && i + 1 == last;
    auto key = is_root ? Result<PublicKey>(anchor.root->key) : issuer_key(parsed, i + 1);
    if (!key) return pass(key);
    if (auto ok = check_signature(certificate, *key, i); !ok) return ok;
  }
  return {};
}

std::size_t hash_of(std::span<const Bytes> issuers) {
  std::uint64_t hash = issuers.size();
  for (const Bytes& issuer : issuers) {
    hash = hash * 1099511628211U + std::hash<std::string_view>()(as_text(issuer));
  }
  return static_cast<std::size_t>(hash);
}

}  // namespace

std::string_view error_id(ChainError error) {
  using enum ChainError;
  static constexpr auto kIds = error_table<ChainError>({
      {kTooShort, "chain.too-short"},
      {kTooLong, "chain.too-long"},
      {kUntrustedRoot, "chain.untrusted-root"},
      {kIssuerMismatch, "chain.issuer-mismatch"},
      {kBadSignature, "chain.bad-signature"},
      {kUnsupportedAlgorithm, "chain.unsupported-algorithm"},
      {kNotCa, "chain.not-a-ca"},
      {kPathTooLong, "chain.path-too-long"},
      {kNotYetValid, "chain.not-yet-valid"},
      {kExpired, "chain.expired"},
      {kRevoked, "chain.revoked"},
      {kSuspended, "chain.suspended"},
  });
  return kIds[error];
}

const std::vector<NameAttribute>* IssuerChain::intermediate_subject() const {
  return below_root() == 0 ? nullptr : &subjects[below_root() - 1];
}

Result<void> IssuerChain::check_ca() const {
  std::uint64_t below = 0;  // that count for the path length
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    const Certificate& issued = certificates[i - 1];
    if (!names_equal(issued.issuer, issued.subject)) ++below;
    const auto issuing = read_issuing(certificates[i]);
    if (!issuing || !issuing->is_ca) {
      return fail(ChainError::kNotCa, certificate_number(i) + " is not a CA's");
    }
    if (!issuing->may_sign_certs) {
      return fail(ChainError::kNotCa, certificate_number(i) + "'s key may not sign certificates");
    }
    if (issuing->path_length && below > *issuing->path_length) {
      return fail(ChainError::kPathTooLong,
                  certificate_number(i) + " allows " + std::to_string(*issuing->path_length) +
                      " certificates between it and the last, not " + std::to_string(below));
    }
  }
  return {};
}

Result<void> check_valid_at(const Certificate& certificate, UnixTime time, std::string_view which) {
  if (time < certificate.not_before) {
    return fail(ChainError::kNotYetValid,
                std::string(which) + " is valid from " + format_time(certificate.not_before));
  }
  if (time > certificate.not_after) {
    return fail(ChainError::kExpired,
                std::string(which) + " was valid until " + format_time(certificate.not_after));
  }
  return {};
}

bool names_equal(ByteView a, ByteView b) {
  if (as_text(a) == as_text(b)) return true;
  auto left = parse_name(a);
  auto right = parse_name(b);
  return left && right &&
         std::ranges::equal(*left, *right, [](const NameAttribute& x, const NameAttribute& y) {
           return x.type == y.type && x.value == y.value;
         });
}

IssuerVerifier::IssuerVerifier(TrustRoots roots, std::size_t cache_size)
    : roots_(std::move(roots)), cache_size_(cache_size) {}

Result<std::shared_ptr<const IssuerChain>> IssuerVerifier::verify(
    std::span<const Bytes> issuers) const {
  if (issuers.empty()) return fail(ChainError::kTooShort, "no certificate above the leaf");
  if (issuers.size() >= kMaxChainLength) {
    return fail(ChainError::kTooLong, std::to_string(issuers.size() + 1) + " certificates");
  }
  std::size_t hash = hash_of(issuers);
  if (auto known = find(issuers, hash)) return known;
  auto parsed = parse_issuers(issuers);
  if (!parsed) return pass(parsed);
  auto anchor = find_anchor(roots_, *parsed);
  if (!anchor) return pass(anchor);
  if (auto links = check_links(*parsed, *anchor); !links) return pass(links);
  auto key = issuer_key(*parsed, 0);
  if (!key) return pass(key);
  auto chain = std::make_shared<const IssuerChain>(IssuerChain{
      std::move(parsed->encoded), std::move(parsed->certificates), std::move(parsed->serials),
      std::move(parsed->subjects), std::move(*key), anchor->root->spki, anchor->root_included});
  remember(chain, hash);
  return chain;
}

// A hash only leads to an entry; what counts is that every byte is equal.
std::shared_ptr<const IssuerChain> IssuerVerifier::find(std::span<const Bytes> issuers,
                                                        std::size_t hash) const {
  const ReaderLock lock(mutex_);
  auto at = cache_.find(hash);
  if (at == cache_.end() || !std::ranges::equal(at->second.chain->encoded, issuers)) return nullptr;
  at->second.last_used = ++uses_;
  return at->second.chain;
}

void IssuerVerifier::remember(std::shared_ptr<const IssuerChain> chain, std::size_t hash) const {
  if (cache_size_ == 0) return;
  const WriterLock lock(mutex_);
  if (cache_.size() >= cache_size_ && !cache_.contains(hash)) {
    cache_.erase(std::ranges::min_element(
        cache_, {}, [](const auto& entry) { return entry.second.last_used.load(); }));
  }
  CacheEntry& entry = cache_[hash];
  entry.chain = std::move(chain);
  entry.last_used = ++uses_;
}

Result<void> check_not_revoked(const RevocationList& list, const std::string& serial_hex,
                               std::string_view which) {
  const RevocationEntry* entry = list.find(serial_hex);
  if (entry == nullptr) return {};
  ChainError error =
      entry->status == RevocationStatus::kSuspended ? ChainError::kSuspended : ChainError::kRevoked;
  std::string reason = entry->reason.empty() ? "" : " (" + entry->reason + ")";
  return fail(error, std::string(which) + ", serial " + serial_hex + ", is listed as " +
                         std::string(to_string(entry->status)) + reason);
}

}  // namespace touchmark::pki
