#include "package/android/signature/jar_algorithm.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/text.h"
#include "package/android/signature/error.h"

namespace touchmark::package::signature {
namespace {

using crypto::DigestAlgorithm;
using pki::KeyType;
using pki::RsaPadding;
using pki::SignatureAlgorithm;
using enum DigestAlgorithm;

struct DigestOid {
  std::string_view oid;
  DigestAlgorithm digest;
};
constexpr std::array<DigestOid, 6> kDigests{{{"1.2.840.113549.2.5", kMd5},
                                             {"1.3.14.3.2.26", kSha1},
                                             {"2.16.840.1.101.3.4.2.4", kSha224},
                                             {"2.16.840.1.101.3.4.2.1", kSha256},
                                             {"2.16.840.1.101.3.4.2.2", kSha384},
                                             {"2.16.840.1.101.3.4.2.3", kSha512}}};

struct SignatureOid {
  std::string_view oid;
  KeyType key;
  std::optional<DigestAlgorithm> digest;  // nothing: the signer's digest algorithm
};
constexpr std::array<SignatureOid, 17> kSignatures{{
    {"1.2.840.113549.1.1.1", KeyType::kRsa, std::nullopt},
    {"1.2.840.113549.1.1.4", KeyType::kRsa, kMd5},
    {"1.2.840.113549.1.1.5", KeyType::kRsa, kSha1},
    {"1.2.840.113549.1.1.14", KeyType::kRsa, kSha224},
    {"1.2.840.113549.1.1.11", KeyType::kRsa, kSha256},
    {"1.2.840.113549.1.1.12", KeyType::kRsa, kSha384},
    {"1.2.840.113549.1.1.13", KeyType::kRsa, kSha512},
    {"1.2.840.10040.4.1", KeyType::kDsa, std::nullopt},
    {"1.2.840.10040.4.3", KeyType::kDsa, kSha1},
    {"2.16.840.1.101.3.4.3.1", KeyType::kDsa, kSha224},
    {"2.16.840.1.101.3.4.3.2", KeyType::kDsa, kSha256},
    // SHA-384 and SHA-512 with DSA have OIDs too; no API level accepts them.
    {"1.2.840.10045.2.1", KeyType::kEc, std::nullopt},
    {"1.2.840.10045.4.1", KeyType::kEc, kSha1},
    {"1.2.840.10045.4.3.1", KeyType::kEc, kSha224},
    {"1.2.840.10045.4.3.2", KeyType::kEc, kSha256},
    {"1.2.840.10045.4.3.3", KeyType::kEc, kSha384},
    {"1.2.840.10045.4.3.4", KeyType::kEc, kSha512},
}};

const SignatureOid* find_signature(std::string_view oid) {
  const auto* found = std::find_if(kSignatures.begin(), kSignatures.end(),
                                   [oid](const SignatureOid& s) { return s.oid == oid; });
  return found == kSignatures.end() ? nullptr : found;
}

// The API levels that accept an algorithm: [from, newest], and in some cases [0, 8] before that.
// Android 2.3 to 4.2 (levels 9 to 17) had an OpenSSL without those names.
struct Levels {
  std::int64_t from;
  bool early = false;
  bool cover(SdkRange range) const {
    return range.min >= from || (early && range.max < kGingerbread);
  }
};
constexpr std::int64_t kNever = kNewest + 1;

// For a signature OID that names only the kind of key. In order of DigestAlgorithm.
constexpr std::array<Levels, 6> kPlainRsa{{{0}, {0}, {21, true}, {18, true}, {18}, {18}}};
constexpr std::array<Levels, 6> kPlainDsa{{{kNever}, {0}, {22}, {22}, {kNever}, {kNever}}};
constexpr std::array<Levels, 6> kPlainEc{{{kNever}, {18}, {21}, {18}, {18}, {18}}};
// For a signature OID that names the signer's digest algorithm.
constexpr std::array<Levels, 6> kFullRsa{{{21, true}, {0}, {21, true}, {18, true}, {21}, {21}}};
constexpr std::array<Levels, 6> kFullDsa{{{kNever}, {9}, {21}, {21}, {kNever}, {kNever}}};
constexpr std::array<Levels, 6> kFullEc{{{kNever}, {18}, {21}, {21}, {21}, {21}}};

Levels levels_of(KeyType key, DigestAlgorithm digest, bool plain) {
  const auto index = static_cast<std::size_t>(digest);
  switch (key) {
    case KeyType::kRsa:
      return (plain ? kPlainRsa : kFullRsa).at(index);
    case KeyType::kDsa:
      return (plain ? kPlainDsa : kFullDsa).at(index);
    case KeyType::kEc:
      return (plain ? kPlainEc : kFullEc).at(index);
  }
  return {kNever};
}

// A signature OID that names another digest than the signer's was accepted by Android 5 and 6
// alone, and three of the pairs by 5.0 alone.
bool mixed_supported(KeyType key, DigestAlgorithm signer, DigestAlgorithm signature,
                     SdkRange range) {
  const bool only_first = key == KeyType::kRsa && ((signer == kSha224 && signature == kSha256) ||
                                                   (signer == kSha256 && signature == kSha1) ||
                                                   (signer == kSha512 && signature == kSha384));
  return range.min >= kLollipop && range.max <= (only_first ? kLollipop : kMarshmallow);
}

// Names in manifests, the spellings that Digest-Algorithms may use included.
struct DigestName {
  std::string_view name;
  DigestAlgorithm digest;
  std::int64_t from;
};
constexpr std::array<DigestName, 7> kNames{{{"MD5", kMd5, 0},
                                            {"SHA", kSha1, 0},
                                            {"SHA1", kSha1, 0},
                                            {"SHA-1", kSha1, 0},
                                            {"SHA-256", kSha256, 0},
                                            {"SHA-384", kSha384, kGingerbread},
                                            {"SHA-512", kSha512, kGingerbread}}};
constexpr std::array<std::pair<std::string_view, DigestAlgorithm>, 4> kStrongestFirst{
    {{"SHA-512", kSha512}, {"SHA-384", kSha384}, {"SHA-256", kSha256}, {"SHA1", kSha1}}};

Result<NamedDigest> decode(DigestAlgorithm algorithm, const std::string& text) {
  auto value = base64_decode(text);
  if (!value) {
    return fail(SignatureError::kV1MalformedDigest,
                "\"" + shortened(text) + "\" is not a digest in base64");
  }
  return NamedDigest{algorithm, std::move(*value)};
}

// The first algorithm of Digest-Algorithms that the oldest level knows and the section has.
Result<std::optional<NamedDigest>> listed_digest(const JarSection& section, std::string_view suffix,
                                                 std::int64_t min_sdk, Budget& budget) {
  constexpr std::string_view kSpaces = " \t\n\r\f";
  const std::string* list = section.find("Digest-Algorithms");
  std::string_view rest = list != nullptr ? std::string_view(*list) : "SHA SHA1";
  for (;;) {
    const std::size_t start = rest.find_first_not_of(kSpaces);
    if (start == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(start);
    const std::string_view name = rest.substr(0, rest.find_first_of(kSpaces));
    rest.remove_prefix(name.size());
    // Each name of the list is looked for among all attributes.
    if (auto ok = budget.take_steps(section.attributes.size() + name.size()); !ok) return pass(ok);
    const std::string* value = section.find(std::string(name) + std::string(suffix));
    const auto* known = std::find_if(kNames.begin(), kNames.end(), [&](const DigestName& n) {
      return equal_ignoring_case(n.name, name) && n.from <= min_sdk;
    });
    if (value == nullptr || known == kNames.end()) continue;
    auto digest = decode(known->digest, *value);
    if (!digest) return pass(digest);
    return *digest;
  }
}

}  // namespace

std::optional<DigestAlgorithm> jar_digest(std::string_view oid) {
  for (const DigestOid& known : kDigests) {
    if (known.oid == oid) return known.digest;
  }
  return std::nullopt;
}

std::optional<SignatureAlgorithm> jar_signature_scheme(std::string_view digest_oid,
                                                       std::string_view signature_oid) {
  const SignatureOid* signature = find_signature(signature_oid);
  const auto digest = jar_digest(digest_oid);
  if (signature == nullptr || !digest) return std::nullopt;
  return SignatureAlgorithm{signature->key, signature->digest.value_or(*digest),
                            RsaPadding::kPkcs1};
}

bool jar_algorithms_supported(std::string_view digest_oid, std::string_view signature_oid,
                              SdkRange range) {
  const SignatureOid* signature = find_signature(signature_oid);
  const auto digest = jar_digest(digest_oid);
  if (signature == nullptr || !digest) return false;
  if (signature->digest && *signature->digest != *digest) {
    return mixed_supported(signature->key, *digest, *signature->digest, range);
  }
  return levels_of(signature->key, *digest, !signature->digest).cover(range);
}

Result<std::vector<NamedDigest>> jar_digests_to_verify(const JarSection& section,
                                                       std::string_view suffix, SdkRange range,
                                                       Budget& budget) {
  std::vector<NamedDigest> digests;
  if (range.min < kJellyBeanMr2) {
    auto listed = listed_digest(section, suffix, range.min, budget);
    if (!listed) return pass(listed);
    if (!*listed) return digests;
    digests.push_back(std::move(**listed));
  }
  if (range.max < kJellyBeanMr2) return digests;
  for (const auto& [name, algorithm] : kStrongestFirst) {
    const std::string* text = section.find(std::string(name) + std::string(suffix));
    if (text == nullptr) continue;
    auto digest = decode(algorithm, *text);
    if (!digest) return pass(digest);
    const bool known = !digests.empty() && digests.front().algorithm == algorithm &&
                       digests.front().value == digest->value;
    if (!known) digests.push_back(std::move(*digest));
    break;
  }
  return digests;
}

}  // namespace touchmark::package::signature
