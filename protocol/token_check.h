// The one check of a token, for the service and for the command without it. What a relying party
// makes of the same token in another language is the same (README.md, "Checking a token").
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/jose.h"

namespace touchmark::protocol {

enum class TokenStatus { kValid, kInvalid, kExpired, kEarly, kForged, kMalformed };
std::string_view to_string(TokenStatus status);

struct TokenReport {
  TokenStatus status;
  Json claims;  // null when the token is no JWT; those of a forged token are anybody's
};

enum class TokenSigner { kService, kDecoy, kNobody };

// `signer_of`: whose signature a token has, whose header nothing is wrong with.
TokenReport check_token(std::string_view token, UnixTime now,
                        const std::function<TokenSigner(const crypto::Jws&)>& signer_of);
// By one secret. `decoy_secret`: what signs the tokens of failed attestations (protocol/decoy.h).
TokenReport check_token(std::string_view token, ByteView secret, ByteView decoy_secret,
                        UnixTime now);

// The claim `name` as a NumericDate (RFC 7519 section 2): seconds since 1970, with a fraction or
// without. Nullopt when it is absent or no time: no number, before 1970, or from 2^53 on, where a
// double does not hold every second.
std::optional<double> numeric_date(const Json& claims, const char* name);

}  // namespace touchmark::protocol
