// The platform's key store behind the C interface.
#pragma once

#include "attester/include/touchmark.h"
#include "attester/keys/key_provider.h"

namespace touchmark::attester::keys {

// kBadArgument when a function is missing. What the provider's context points to must outlive it.
Result<std::unique_ptr<KeyProvider>> make_platform_keys(const touchmark_key_provider& provider,
                                                        const std::string& account);

// 64 bytes r || s of the DER that platforms sign with (RFC 3279 section 2.2.3).
Result<Bytes> es256_signature(ByteView der);

}  // namespace touchmark::attester::keys
