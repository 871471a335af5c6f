#include "attester/net/chain.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "attester/net/tls.h"
#include "crypto/openssl.h"
#include "crypto/openssl_time.h"

namespace touchmark::attester::net {
namespace {

constexpr std::size_t kMaxCertificates = 32;
constexpr std::size_t kMaxPath = 10;  // certificates, the peer's own among them
// Of a search: genuine chains take a few, and whoever sends certificates that all issue each other
// gets none.
constexpr int kMaxSteps = 4096;
// No MD5 and SHA-1, no RSA below 1,024 bits: the platforms' own bounds, and OpenSSL's level 1.
constexpr int kMinSecurityBits = 80;
constexpr long kVersion3 = 2;

using Constraints = openssl::Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;

struct Sent {
  openssl::X509Owned certificate;
  Sha256Digest pin{};
  bool may_issue = false;
  bool self_issued = false;
  long path_length = -1;  // -1: no bound
  Constraints constraints;
};

// Only times in the forms of RFC 5280 (4.1.2.5), to the second and of UTC.
std::optional<UnixTime> strict_time(const ASN1_TIME* time) {
  const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                              static_cast<std::size_t>(ASN1_STRING_length(time)));
  const std::size_t length = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;
  if (text.size() != length || text.back() != 'Z') return std::nullopt;
  return openssl::time_of(time);
}

bool is_valid_at(const X509* certificate, UnixTime now) {
  const auto begin = strict_time(X509_get0_notBefore(certificate));
  const auto end = strict_time(X509_get0_notAfter(certificate));
  return begin && end && *begin <= now && now < *end;
}

// What RFC 5280 section 6.1 asks of each certificate of a path by itself.
bool is_sound(X509* certificate, bool as_issuer, UnixTime now) {
  if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, as_issuer ? 1 : 0) < 1) return false;
  const std::uint32_t flags = X509_get_extension_flags(certificate);
  return (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) == 0 && is_valid_at(certificate, now);
}

// OpenSSL's purpose alone would let roots of version 1 pass, and what only keyUsage or Netscape's
// extension calls a CA.
bool may_issue(X509* certificate, UnixTime now) {
  constexpr int kByBasicConstraints = 1;  // X509_check_ca(3)
  return X509_get_version(certificate) == kVersion3 &&
         X509_check_ca(certificate) == kByBasicConstraints && is_sound(certificate, true, now);
}

std::optional<Sent> read(ByteView der, UnixTime now) {
  ByteView rest;
  Sent out;
  out.certificate.reset(openssl::decode<d2i_X509>(der, &rest));
  X509* certificate = out.certificate.get();
  const auto pin =
      certificate != nullptr && rest.empty() ? certificate_pin(certificate) : std::nullopt;
  if (!pin) return std::nullopt;
  out.pin = *pin;
  out.may_issue = may_issue(certificate, now);
  out.self_issued = (X509_get_extension_flags(certificate) & EXFLAG_SI) != 0;
  out.path_length = X509_get_pathlen(certificate);
  int critical = 0;
  out.constraints.reset(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(certificate, NID_name_constraints, &critical, nullptr)));
  constexpr int kAbsent = -1;
  if (!out.constraints && critical != kAbsent) out.may_issue = false;  // unreadable, or twice
  return out;
}

// Whether `constraints` let an issuer's chain hold `certificate`.
bool names_allowed(NAME_CONSTRAINTS* constraints, X509* certificate, bool is_leaf) {
  if (NAME_CONSTRAINTS_check(certificate, constraints) != X509_V_OK) return false;
  const bool has_names = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0;
  return !is_leaf || has_names || NAME_CONSTRAINTS_check_CN(certificate, constraints) == X509_V_OK;
}

bool is_strong(const X509* certificate, const EVP_PKEY* issuer_key) {
  int bits = 0;
  return X509_get_signature_info(const_cast<X509*>(certificate), nullptr, nullptr, &bits,
                                 nullptr) == 1 &&
         bits >= kMinSecurityBits && EVP_PKEY_get_security_bits(issuer_key) >= kMinSecurityBits;
}

// Follows every path upwards from the peer's own certificate.
class Search {
 public:
  explicit Search(const std::vector<Sent>& sent) : sent_(sent), reached_(sent.size(), false) {}

  std::vector<bool> run() {
    path_ = {0};
    extend(0);
    reached_[0] = true;
    return std::move(reached_);
  }

 private:
  // `below`: how many certificates of the path count for the path length (RFC 5280 section
  // 4.2.1.9), which neither the first nor a self-issued one does.
  void extend(long below) {
    if (path_.size() == kMaxPath) return;
    for (std::size_t issuer = 1; issuer < sent_.size(); ++issuer) {
      if (std::ranges::find(path_, issuer) != path_.end() || !has_issued(issuer, path_.back()) ||
          !within_limits(issuer, below)) {
        continue;
      }
      if (++steps_ > kMaxSteps) return;
      reached_[issuer] = true;
      path_.push_back(issuer);
      extend(sent_[issuer].self_issued ? below : below + 1);
      path_.pop_back();
    }
  }

  bool has_issued(std::size_t issuer, std::size_t subject) {
    const auto [known, is_new] = issued_.try_emplace({issuer, subject}, false);
    if (is_new) known->second = check_issued(sent_[issuer], sent_[subject].certificate.get());
    return known->second;
  }

  static bool check_issued(const Sent& issuer, X509* subject) {
    if (!issuer.may_issue || X509_NAME_cmp(X509_get_subject_name(issuer.certificate.get()),
                                           X509_get_issuer_name(subject)) != 0) {
      return false;
    }
    EVP_PKEY* key = X509_get0_pubkey(issuer.certificate.get());
    return key != nullptr && is_strong(subject, key) && X509_verify(subject, key) == 1;
  }

  bool within_limits(std::size_t issuer, long below) const {
    const Sent& limits = sent_[issuer];
    if (limits.path_length >= 0 && below > limits.path_length) return false;
    return !limits.constraints || std::ranges::all_of(path_, [&](std::size_t i) {
      const bool exempt = i > 0 && sent_[i].self_issued;
      return exempt || names_allowed(limits.constraints.get(), sent_[i].certificate.get(), i == 0);
    });
  }

  const std::vector<Sent>& sent_;
  std::vector<bool> reached_;
  std::vector<std::size_t> path_;
  std::map<std::pair<std::size_t, std::size_t>, bool> issued_;
  int steps_ = 0;
};

}  // namespace

std::vector<Sha256Digest> vouching_keys(std::span<const ByteView> chain, UnixTime now) {
  std::vector<Sent> sent;
  for (const ByteView der : chain.first(std::min(chain.size(), kMaxCertificates))) {
    auto one = read(der, now);
    if (!one && sent.empty()) break;
    const auto same = [&one](const Sent& other) {
      return X509_cmp(one->certificate.get(), other.certificate.get()) == 0;
    };
    if (one && std::ranges::none_of(sent, same)) sent.push_back(std::move(*one));
  }
  std::vector<Sha256Digest> out;
  if (!sent.empty() && is_sound(sent.front().certificate.get(), false, now)) {
    const std::vector<bool> reached = Search(sent).run();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (reached[i]) out.push_back(sent[i].pin);
    }
  } else if (!sent.empty()) {
    out.push_back(sent.front().pin);
  }
  ERR_clear_error();
  return out;
}

}  // namespace touchmark::attester::net
