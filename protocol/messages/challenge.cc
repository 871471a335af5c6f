#include "protocol/messages/challenge.h"

#include "base/encoding.h"
#include "protocol/limits.h"
#include "protocol/messages/reader.h"

namespace touchmark::protocol {
namespace {

namespace in_challenge {
constexpr const char* kAccount = "account";
constexpr const char* kMeasurement = "measurement";
constexpr const char* kCode = "code";
constexpr const char* kNonce = "nonce";
constexpr const char* kExpiresIn = "expires_in";
constexpr const char* kRanges = "ranges";
constexpr const char* kTime = "time";
}  // namespace in_challenge

std::vector<CodePart> read_code(Reader& reader) {
  if (!reader.has(in_challenge::kCode)) return {};
  auto code = decode_code(reader.array(in_challenge::kCode, kMaxClaimedParts));
  if (!code) reader.fault().malformed("code is not a list of parts and their sizes");
  return code.value_or(std::vector<CodePart>());
}

}  // namespace

std::string_view error_id(ChallengeError error) {
  using enum ChallengeError;
  static constexpr auto kIds = error_table<ChallengeError>({
      {kMalformed, "challenge.malformed"},
  });
  return kIds[error];
}

Json encode_code(const std::vector<CodePart>& code) {
  Json out = Json::array();
  for (const CodePart& part : code) {
    if (out.size() == kMaxClaimedParts) break;
    out.push_back({part.name, part.size});
  }
  return out;
}

std::optional<std::vector<CodePart>> decode_code(JsonView json) {
  if (!json.is_array() || json.size() > kMaxClaimedParts) return std::nullopt;
  std::vector<CodePart> out;
  out.reserve(json.size());
  for (const JsonView part : json) {
    const bool shaped = part.is_array() && part.size() == 2 && part[0].is_string() &&
                        part[1].is_unsigned() && part[1].natural() > 0 &&
                        part[1].natural() <= kMaxClaimedBytes;
    if (!shaped) return std::nullopt;
    out.push_back({std::string(part[0].text()), part[1].natural()});
  }
  return out;
}

std::string encode_challenge_request(const ChallengeRequest& request) {
  return dump_json({{in_challenge::kAccount, request.account},
                    {in_challenge::kMeasurement, base64url_encode(request.measurement)},
                    {in_challenge::kCode, encode_code(request.code)}});
}

Result<ChallengeRequest> decode_challenge_request(std::string_view body) {
  const auto json = parse_json_document(std::string(body), {kMaxChallengeBody, kMaxRequestDepth});
  if (!json) return pass(json);
  Fault fault(ChallengeError::kMalformed);
  Reader reader(json->root(), fault);
  ChallengeRequest out;
  out.account = reader.text(in_challenge::kAccount, kMaxName);
  out.measurement = reader.digest(in_challenge::kMeasurement);
  out.code = read_code(reader);
  if (fault) return fault.pass();
  return out;
}

std::string encode_challenge(const Challenge& challenge) {
  constexpr std::size_t kUsual = 768;
  JsonWriter out(kUsual);
  out.begin_object();
  out.key(in_challenge::kExpiresIn).number(std::int64_t{challenge.expires_in.count()});
  out.key(in_challenge::kNonce).text(base64url_encode(challenge.nonce));
  out.key(in_challenge::kRanges);
  write_json(out, challenge.ranges);
  out.key(in_challenge::kTime).number(std::int64_t{to_unix(challenge.time)});
  out.end_object();
  return out.take();
}

Result<Challenge> decode_challenge(JsonView object) {
  Fault fault(ChallengeError::kMalformed);
  Reader reader(object, fault);
  Challenge out;
  out.nonce = reader.binary(in_challenge::kNonce, kMaxNonceText);
  out.expires_in = Seconds(reader.integer(in_challenge::kExpiresIn, 1, kMaxChallengeSeconds));
  // Nothing depends on the service's clock, so a client does without it.
  if (reader.has(in_challenge::kTime)) {
    out.time = from_unix(get_int(object, in_challenge::kTime, 0, kMaxInteger).value_or(0));
  }
  // RangeError says how many are too many.
  auto ranges = ranges_from_json(reader.array(in_challenge::kRanges, SIZE_MAX));
  if (fault) return fault.pass();
  if (!ranges) return pass(ranges);
  out.ranges = std::move(*ranges);
  return out;
}

Result<Challenge> decode_challenge_answer(std::string_view body) {
  const auto json = parse_json_document(std::string(body), {.max_bytes = kMaxAnswerBytes});
  if (!json) return pass(json);
  return decode_challenge(json->root());
}

}  // namespace touchmark::protocol
