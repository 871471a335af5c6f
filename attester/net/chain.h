// Which keys vouch for a peer, of the certificates that it sent.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace touchmark::attester::net {

// SHA-256 of the SubjectPublicKeyInfo of the first certificate, and of each certificate under which
// the first has a sound chain for a TLS server (RFC 5280 section 6) at `now`. Empty when the first
// is not a certificate.
//
// `chain`: DER, the peer's own first, then what it likes, in any order: a man in the middle can
// send genuine certificates beside their own, and has some that genuine CAs have issued to them. So
// a certificate counts as an issuer only where it may issue: basicConstraints of a CA, within its
// path length and name constraints, keyUsage with keyCertSign and extendedKeyUsage with serverAuth
// where it has them, no critical extension that is not understood, valid at `now`, its name the
// issuer's name, a signature by SHA-2. One of X.509 version 1 or 2 never issues, nor does an
// expired one, whatever its key is: who pins a root's key has to have a certificate of it served
// that does.
//
// Not a replacement for the platform's own validation, which has trust roots; it comes after it.
// Certificates after the 32nd are not looked at. Thread-safe.
std::vector<Sha256Digest> vouching_keys(std::span<const ByteView> chain, UnixTime now);

}  // namespace touchmark::attester::net
