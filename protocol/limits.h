// How much the messages of protocol/README.md may hold. Whoever makes a message keeps to these, and
// whoever reads one refuses more.
#pragma once

#include <cstddef>
#include <cstdint>

namespace touchmark::protocol {

// --- Bodies, in bytes ----------------------------------------------------------------------------

inline constexpr std::size_t kMaxChallengeBody = 64 * 1024;  // the request
inline constexpr std::size_t kMaxAttestBody = 256 * 1024;    // the request, and so the evidence
inline constexpr std::size_t kMaxAnswerBytes = 512 * 1024;   // either answer
inline constexpr std::size_t kAnswerQuantum = 4096;  // an attest answer is a multiple of this
inline constexpr std::size_t kMaxRequestDepth = 4;   // of nested JSON

// --- In all messages -----------------------------------------------------------------------------

inline constexpr std::size_t kMaxName = 256;  // bytes of a text that names something
inline constexpr std::size_t kMaxWord = 64;   // bytes of a text out of a short list
// The largest integer: what every JSON reader holds exactly (RFC 8259 section 6) is just below.
inline constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53;

// --- Challenge -----------------------------------------------------------------------------------

inline constexpr std::size_t kNonceBytes = 40;  // as the service makes them
inline constexpr std::size_t kMaxClaimedParts = 512;
inline constexpr std::uint64_t kMaxClaimedBytes = std::uint64_t{1} << 40;  // of one part
// As the service asks. Whoever lacks a share of the code is found by the number of places, hardly
// by their length, and it is the length that costs.
inline constexpr std::size_t kChallengeRanges = 8;
inline constexpr std::uint64_t kRangeBytes = 512;
inline constexpr std::size_t kMaxRanges = 64;
inline constexpr std::uint64_t kMaxRangeLength = 1 << 20;
inline constexpr std::size_t kMaxNonceText = 256;  // bytes of base64url that a client takes
inline constexpr std::int64_t kMaxChallengeSeconds = 86400;

// --- Evidence ------------------------------------------------------------------------------------

inline constexpr std::size_t kMaxParts = 4096;  // and as many splits
inline constexpr std::size_t kMaxSigners = 32;
inline constexpr std::size_t kMaxChecks = 32;
inline constexpr std::size_t kMaxFindings = 256;
inline constexpr std::size_t kMaxOmittedKinds = 64;  // of findings that were left out
inline constexpr std::size_t kMaxDetail = 512;       // bytes; the rest is cut off
inline constexpr std::size_t kMaxNonce = 64;  // bytes; a wrong length is forged, not malformed
inline constexpr std::size_t kMaxTlsBytes = 64;
// What a client sends stays below, so that a hostile device cannot make its evidence too large to
// send, which would look like a failure of the network.
inline constexpr std::size_t kMaxSentFindings = 100;
inline constexpr std::size_t kMaxSentDetail = 300;
inline constexpr std::size_t kMaxSentSubmods = 128 * 1024;  // bytes of JSON

// --- Attest answer -------------------------------------------------------------------------------

inline constexpr std::size_t kMaxToken = 16 * 1024;
inline constexpr std::int64_t kMaxTokenSeconds = std::int64_t{366} * 86400;

// --- Configuration -------------------------------------------------------------------------------

inline constexpr std::size_t kMaxConfigBytes = 192 * 1024;  // of the compact JWS
inline constexpr std::size_t kMaxAccount = 128;
inline constexpr std::size_t kMaxUrls = 16;
inline constexpr std::size_t kMaxApis = 256;
inline constexpr std::size_t kMaxPins = 16;  // of the service, and of each API
inline constexpr std::size_t kMaxKeySetName = 32;
inline constexpr std::size_t kMaxDomain = 300;  // bytes of a text that is then read as host[:port]
inline constexpr std::size_t kMaxHeaderText = 128;
inline constexpr std::int64_t kMaxAttempts = 10;
inline constexpr std::int64_t kMinTimeoutMs = 100;
inline constexpr std::int64_t kMaxRetryMs = 120'000;

}  // namespace touchmark::protocol
