// PEM (RFC 7468), only as far as certificates need it.
#include <algorithm>

#include "base/encoding.h"
#include "pki/certificate.h"

namespace touchmark::pki {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

}  // namespace

std::string_view error_id(PemError error) {
  using enum PemError;
  static constexpr auto kIds = error_table<PemError>({
      {kNoCertificate, "pem.no-certificate"},
      {kMalformed, "pem.malformed"},
      {kTooMany, "pem.too-many"},
  });
  return kIds[error];
}

Result<std::vector<Bytes>> parse_pem_certificates(std::string_view text, std::size_t max_count) {
  std::vector<Bytes> certificates;
  for (std::size_t at = text.find(kBegin); at != text.npos; at = text.find(kBegin)) {
    text.remove_prefix(at + kBegin.size());
    std::size_t end = text.find(kEnd);
    if (end == text.npos) return fail(PemError::kMalformed, "a certificate has no END line");
    if (certificates.size() == max_count) {
      return fail(PemError::kTooMany, "more than " + std::to_string(max_count) + " certificates");
    }
    std::string base64;
    std::ranges::copy_if(text.substr(0, end), std::back_inserter(base64),
                         [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
    auto bytes = base64_decode(base64);
    if (!bytes) {
      return fail(PemError::kMalformed, "certificate " + std::to_string(certificates.size()) +
                                            ": " + bytes.error().message());
    }
    certificates.push_back(std::move(*bytes));
    text.remove_prefix(end + kEnd.size());
  }
  if (certificates.empty()) return fail(PemError::kNoCertificate, "no PEM certificate");
  return certificates;
}

}  // namespace touchmark::pki
