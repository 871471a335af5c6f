#include "protocol/messages/answer.h"

#include <algorithm>
#include <array>

#include "protocol/limits.h"
#include "protocol/messages/reader.h"

namespace touchmark::protocol {
namespace {

namespace in_answer {
constexpr const char* kEvidence = "evidence";
constexpr const char* kToken = "token";
constexpr const char* kExpiresIn = "expires_in";
constexpr const char* kChallenge = "challenge";
constexpr const char* kConfig = "config";
constexpr const char* kArc = "arc";
constexpr const char* kReasons = "reasons";
}  // namespace in_answer

std::optional<std::vector<std::string>> read_reasons(JsonView answer) {
  const auto list = find_array(answer, in_answer::kReasons);
  if (!list) return std::nullopt;
  std::vector<std::string> out;
  for (const JsonView reason : *list) {
    if (reason.is_string() && out.size() < kMaxFindings) out.emplace_back(reason.text());
  }
  return out;
}

// base64url and the dots of a compact JWS. A table, since evidence has thousands of them.
constexpr auto kPlain = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_.")) {
    out[static_cast<unsigned char>(c)] = true;
  }
  return out;
}();

// The evidence in a request of the form that encode_attest_request() gives, with a space or
// without, when it holds no character that JSON would escape; nullopt for any other. Evidence is
// long, and most requests are of this form.
std::optional<std::string_view> plain_evidence(std::string_view body) {
  constexpr std::string_view kBegin = R"({"evidence":)";
  constexpr std::string_view kEnd = R"("})";
  if (body.size() > kMaxAttestBody || !body.starts_with(kBegin)) return std::nullopt;
  body.remove_prefix(kBegin.size());
  if (body.starts_with(' ')) body.remove_prefix(1);
  if (!body.starts_with('"') || !body.ends_with(kEnd) || body.size() <= kEnd.size()) {
    return std::nullopt;
  }
  body.remove_prefix(1);
  body.remove_suffix(kEnd.size());
  const bool plain =
      std::ranges::all_of(body, [](char c) { return kPlain[static_cast<unsigned char>(c)]; });
  return plain ? std::optional(body) : std::nullopt;
}

}  // namespace

std::string_view error_id(AnswerError error) {
  using enum AnswerError;
  static constexpr auto kIds = error_table<AnswerError>({
      {kMalformed, "answer.malformed"},
  });
  return kIds[error];
}

std::string encode_attest_request(const std::string& evidence) {
  return dump_json({{in_answer::kEvidence, evidence}});
}

Result<std::string> decode_attest_request(std::string_view body) {
  if (const auto evidence = plain_evidence(body)) return std::string(*evidence);
  const auto json = parse_json(body, {kMaxAttestBody, kMaxRequestDepth});
  if (!json) return pass(json);
  return get_string(*json, in_answer::kEvidence, kMaxAttestBody);
}

std::string encode_attest_answer(const AttestAnswer& answer) {
  JsonWriter out(kAnswerQuantum);
  out.begin_object();
  if (answer.arc) out.key(in_answer::kArc).text(*answer.arc);
  if (answer.challenge) out.key(in_answer::kChallenge).literal(encode_challenge(*answer.challenge));
  if (!answer.config.empty()) out.key(in_answer::kConfig).text(answer.config);
  out.key(in_answer::kExpiresIn).number(std::int64_t{answer.expires_in.count()});
  if (answer.reasons) {
    out.key(in_answer::kReasons).begin_array();
    for (const std::string& reason : *answer.reasons) out.text(reason);
    out.end_array();
  }
  out.key(in_answer::kToken).text(answer.token).end_object();
  std::string body = out.take();
  body.resize((body.size() + kAnswerQuantum - 1) / kAnswerQuantum * kAnswerQuantum, ' ');
  return body;
}

Result<AttestAnswer> decode_attest_answer(std::string_view body) {
  const auto document = parse_json_document(std::string(body), {.max_bytes = kMaxAnswerBytes});
  if (!document) return pass(document);
  const JsonView json = document->root();
  Fault fault(AnswerError::kMalformed);
  Reader reader(json, fault);
  AttestAnswer out;
  out.token = reader.text(in_answer::kToken, kMaxToken);
  out.expires_in = Seconds(reader.integer(in_answer::kExpiresIn, 1, kMaxTokenSeconds));
  if (fault) return fault.pass();
  if (const auto object = find_object(json, in_answer::kChallenge)) {
    if (auto challenge = decode_challenge(*object)) out.challenge = std::move(*challenge);
  }
  out.config = find_string(json, in_answer::kConfig).value_or("");
  out.arc = find_string(json, in_answer::kArc);
  out.reasons = read_reasons(json);
  return out;
}

}  // namespace touchmark::protocol
