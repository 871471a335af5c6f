#include "verifier/evidence/app_attest_receipt.h"

#include <algorithm>

#include "base/encoding.h"
#include "formats/der_fields.h"

namespace touchmark::verifier::evidence {
namespace {

constexpr std::size_t kMaxReceiptBytes = 64 * 1024;
constexpr std::size_t kMaxFields = 64;

// RFC 3339 in UTC with a fraction that is dropped: "2020-12-19T12:11:04.739Z".
Result<UnixTime> parse_receipt_time(std::string_view text) {
  std::string whole(text.substr(0, text.find('.')));
  std::size_t fraction = text.find('.');
  if (fraction != text.npos) {
    std::string_view digits = text.substr(fraction + 1);
    std::size_t end = digits.find_first_not_of("0123456789");
    if (end == 0 || end == digits.npos || digits.substr(end) != "Z") {
      return fail(ReceiptError::kMalformed, "a time is not of RFC 3339's form");
    }
    whole += "Z";
  }
  auto time = parse_time(whole);
  if (!time || whole.size() != 20) {
    return fail(ReceiptError::kMalformed, "a time is not of RFC 3339's form");
  }
  return time;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  bool digits = !text.empty() && text.size() <= 18 &&
                std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return fail(ReceiptError::kMalformed, "the risk metric is not a number");
  for (char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

Result<void> set_time(std::optional<UnixTime>& field, ByteView value) {
  auto time = parse_receipt_time(as_text(value));
  if (!time) return pass(time);
  field = *time;
  return {};
}

Result<void> set_field(AppAttestReceipt& receipt, std::uint64_t type, ByteView value) {
  switch (type) {
    case 2:
      receipt.app_id = std::string(as_text(value));
      return {};
    case 3:
      receipt.certificate = to_bytes(value);
      return {};
    case 4:
      receipt.client_hash = to_bytes(value);
      return {};
    case 5:
      receipt.token = std::string(as_text(value));
      return {};
    case 6:
      receipt.type = std::string(as_text(value));
      return {};
    case 7:
      receipt.environment = std::string(as_text(value));
      return {};
    case 12:
      return set_time(receipt.creation_time, value);
    case 17: {
      auto count = parse_count(as_text(value));
      if (!count) return pass(count);
      receipt.risk_metric = *count;
      return {};
    }
    case 19:
      return set_time(receipt.not_before, value);
    case 21:
      return set_time(receipt.expiration_time, value);
    default:
      receipt.other.emplace_back(type, to_bytes(value));
      return {};
  }
}

// Payload ::= SET OF SEQUENCE { type INTEGER, version INTEGER, value OCTET STRING }
Result<void> read_payload(ByteView payload, AppAttestReceipt& receipt) {
  der::Failure failure;
  auto set = der::Fields::of(payload, der::kSet, failure);
  std::vector<std::uint64_t> seen;
  while (!set.at_end()) {
    auto fields = set.enter(der::kSequence);
    const std::uint64_t type = fields.number();
    fields.read(der::kInteger);
    const ByteView value = fields.octets();
    fields.finish();
    if (failure) break;
    if (std::ranges::find(seen, type) != seen.end() || seen.size() == kMaxFields) {
      return fail(ReceiptError::kMalformed,
                  "field " + std::to_string(type) + " stands twice, or there are too many");
    }
    seen.push_back(type);
    failure.take(set_field(receipt, type, value));
  }
  return failure.result();
}

Result<void> check_fields(const AppAttestReceipt& receipt) {
  bool complete = !receipt.app_id.empty() && !receipt.certificate.empty() &&
                  !receipt.type.empty() && receipt.creation_time && receipt.expiration_time &&
                  (receipt.type != "RECEIPT" || receipt.risk_metric);
  if (complete) return {};
  return fail(ReceiptError::kMissingField, "the receipt lacks a field that every receipt has");
}

Result<void> check_request(const AppAttestReceipt& receipt, const ReceiptRequest& request) {
  if (request.app_id && receipt.app_id != *request.app_id) {
    return fail(ReceiptError::kWrongAppId, "the receipt is for " + receipt.app_id);
  }
  if (request.public_key_spki) {
    auto certificate = pki::parse_certificate(receipt.certificate, "field 3");
    if (!certificate) return pass(certificate);
    if (as_text(certificate->spki) != as_text(*request.public_key_spki)) {
      return fail(ReceiptError::kWrongKey, "the receipt is for another attested key");
    }
  }
  // A refreshed receipt holds the hash as text that did not survive its encoding.
  if (request.client_hash && receipt.type == "ATTEST" &&
      as_text(receipt.client_hash) != as_text(*request.client_hash)) {
    return fail(ReceiptError::kWrongClientHash, "the receipt is for other client data");
  }
  if (request.as_of + kReceiptClockSkew < *receipt.creation_time) {
    return fail(ReceiptError::kNotYetValid, "made at " + format_time(*receipt.creation_time));
  }
  if (request.max_age && *receipt.creation_time + *request.max_age < request.as_of) {
    return fail(ReceiptError::kTooOld, "made at " + format_time(*receipt.creation_time));
  }
  if (request.as_of > *receipt.expiration_time) {
    return fail(ReceiptError::kExpired, "valid until " + format_time(*receipt.expiration_time));
  }
  return {};
}

// The signer must have been valid when it signed; receipts outlive its certificate by months.
Result<void> check_signer_times(const pki::IssuerChain& chain, UnixTime signed_at) {
  for (std::size_t i = 0; i < chain.certificates.size(); ++i) {
    auto ok = pki::check_valid_at(chain.certificates[i], signed_at,
                                  "certificate " + std::to_string(i) + " of the signer");
    if (!ok) return ok;
  }
  return {};
}

}  // namespace

std::string_view error_id(ReceiptError error) {
  using enum ReceiptError;
  static constexpr auto kIds = error_table<ReceiptError>({
      {kMalformed, "receipt.malformed"},
      {kMissingField, "receipt.missing-field"},
      {kWrongAppId, "receipt.wrong-app-id"},
      {kWrongKey, "receipt.wrong-key"},
      {kWrongClientHash, "receipt.wrong-client-hash"},
      {kNotYetValid, "receipt.not-yet-valid"},
      {kTooOld, "receipt.too-old"},
      {kExpired, "receipt.expired"},
  });
  return kIds[error];
}

AppAttestReceipt ReceiptVerifier::verify(ByteView encoded, const ReceiptRequest& request) const {
  AppAttestReceipt receipt;
  if (auto ok = check(encoded, receipt, request); !ok) receipt.refusal = std::move(ok.error());
  return receipt;
}

Result<void> ReceiptVerifier::check(ByteView encoded, AppAttestReceipt& receipt,
                                    const ReceiptRequest& request) const {
  if (encoded.size() > kMaxReceiptBytes) {
    return fail(ReceiptError::kMalformed, "over " + std::to_string(kMaxReceiptBytes) + " bytes");
  }
  auto data = pki::parse_signed_data(encoded, pki::CmsUse::kReceipt);
  if (!data) return pass(data);
  // Decoded before its signature is checked, so that a refused receipt can be explained.
  auto payload = read_payload(*data->content, receipt);
  auto chain = pki::verify_receipt(*data, issuers_);
  if (!chain) return pass(chain);
  if (!payload) {
    if (payload.error().is(ReceiptError::kMalformed)) return payload;
    return fail(ReceiptError::kMalformed, payload.error().text());
  }
  if (auto ok = (*chain)->check_ca(); !ok) return ok;
  if (auto ok = check_fields(receipt); !ok) return ok;
  if (auto ok = check_signer_times(**chain, *receipt.creation_time); !ok) return ok;
  return check_request(receipt, request);
}

Json to_json(const AppAttestReceipt& receipt) {
  Json json = {{"verified", receipt.verified()},
               {"reason", nullptr},
               {"detail", nullptr},
               {"warnings", Json::array()},
               {"appId", receipt.app_id},
               {"clientHash", base64_encode(receipt.client_hash)},
               {"token", receipt.token},
               {"receiptType", receipt.type},
               {"environment", receipt.environment}};
  if (receipt.refusal) {
    json["reason"] = receipt.refusal->id();
    json["detail"] = receipt.refusal->message();
  }
  if (auto certificate = pki::parse_certificate(receipt.certificate)) {
    json["attestedPublicKey"] = base64_encode(certificate->spki);
  }
  if (receipt.creation_time) json["creationTime"] = format_time(*receipt.creation_time);
  if (receipt.risk_metric) json["riskMetric"] = *receipt.risk_metric;
  if (receipt.not_before) json["notBefore"] = format_time(*receipt.not_before);
  if (receipt.expiration_time) json["expirationTime"] = format_time(*receipt.expiration_time);
  for (const auto& [number, value] : receipt.other) {
    json["other"][std::to_string(number)] = base64_encode(value);
  }
  return json;
}

}  // namespace touchmark::verifier::evidence
