// Certificates of those who sign apps, with what the platforms' own readers allow and ask: signing
// tools of fifteen years have written them.
#pragma once

#include "pki/certificate.h"

namespace touchmark::pki {

// Whether the bytes begin with a certificate that the platform's own decoder takes.
bool platform_takes(ByteView encoded);

// Critical extensions that a verifier of packages may meet are known; any other makes the
// certificate unusable.
bool has_unknown_critical_extension(const Certificate& certificate);
// No keyUsage, or one with digitalSignature or nonRepudiation.
bool usage_allows_signing(const Certificate& certificate);

// Serial numbers as contents of INTEGERs, however long each is written.
bool same_serial(ByteView a, ByteView b);
// DER Names, compared as RFC 5280 section 7.1 says: neither case nor runs of spaces count.
bool names_match(ByteView a, ByteView b);

}  // namespace touchmark::pki
