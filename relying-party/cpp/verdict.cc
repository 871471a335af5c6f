#include "relying-party/cpp/verdict.h"

#include <array>

namespace touchmark::relying {
namespace {

struct ReasonRow {
  Reason reason;
  Status status;
  std::string_view text;
};
constexpr auto kReasonRows = std::to_array<ReasonRow>({
    {Reason::kOff, Status::kUnchecked, "off"},
    {Reason::kPreflight, Status::kPreflight, "preflight"},
    {Reason::kNoToken, Status::kMissing, "no-token"},
    {Reason::kTwoTokens, Status::kMalformed, "two-tokens"},
    {Reason::kWrongPrefix, Status::kMalformed, "wrong-prefix"},
    {Reason::kTooLong, Status::kMalformed, "too-long"},
    {Reason::kNotCompact, Status::kMalformed, "not-compact"},
    {Reason::kBadHeader, Status::kMalformed, "bad-header"},
    {Reason::kUnknownExtension, Status::kMalformed, "unknown-extension"},
    {Reason::kBadKid, Status::kMalformed, "bad-kid"},
    {Reason::kBadPayload, Status::kMalformed, "bad-payload"},
    {Reason::kWrongAlgorithm, Status::kForged, "wrong-algorithm"},
    {Reason::kNoKeys, Status::kUnavailable, "no-keys"},
    {Reason::kUnknownKey, Status::kForged, "unknown-key"},
    {Reason::kDecoy, Status::kInvalid, "decoy"},
    {Reason::kBadSignature, Status::kForged, "bad-signature"},
    {Reason::kNoExp, Status::kMalformed, "no-exp"},
    {Reason::kExpired, Status::kExpired, "expired"},
    {Reason::kBadNbf, Status::kMalformed, "bad-nbf"},
    {Reason::kNotYetValid, Status::kEarly, "not-yet-valid"},
    {Reason::kWrongIssuer, Status::kMisdirected, "wrong-issuer"},
    {Reason::kWrongAudience, Status::kMisdirected, "wrong-audience"},
    {Reason::kLowLevel, Status::kWeak, "low-level"},
    {Reason::kNoBoundHeader, Status::kUnbound, "no-bound-header"},
    {Reason::kWrongPay, Status::kUnbound, "wrong-pay"},
    {Reason::kNoJti, Status::kReplayed, "no-jti"},
    {Reason::kNoReplayStore, Status::kUnavailable, "no-replay-store"},
    {Reason::kReplayed, Status::kReplayed, "replayed"},
    {Reason::kOk, Status::kValid, "ok"},
});
static_assert(kReasonRows.size() == kReasons);
consteval bool is_in_order() {
  for (std::size_t i = 0; i < kReasonRows.size(); ++i) {
    if (static_cast<std::size_t>(kReasonRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

constexpr auto kStatusTexts = std::to_array<std::string_view>(
    {"unchecked", "preflight", "missing", "malformed", "forged", "unavailable", "invalid",
     "expired", "early", "misdirected", "weak", "unbound", "replayed", "valid"});
constexpr auto kMakerTexts = std::to_array<std::string_view>({"touchmark", "approov", "firebase"});
constexpr auto kLevelTexts =
    std::to_array<std::string_view>({"software", "platform", "tee", "secure-chip"});

}  // namespace

Status status_of(Reason reason) { return kReasonRows.at(static_cast<std::size_t>(reason)).status; }
std::string_view to_string(Reason reason) {
  return kReasonRows.at(static_cast<std::size_t>(reason)).text;
}
std::string_view to_string(Status status) {
  return kStatusTexts.at(static_cast<std::size_t>(status));
}
std::string_view to_string(Maker maker) { return kMakerTexts.at(static_cast<std::size_t>(maker)); }
std::string_view to_string(Level level) { return kLevelTexts.at(static_cast<std::size_t>(level)); }

std::optional<Level> level_named(std::string_view text) {
  for (std::size_t i = 0; i < kLevelTexts.size(); ++i) {
    if (kLevelTexts[i] == text) return static_cast<Level>(i);
  }
  return std::nullopt;
}

}  // namespace touchmark::relying
