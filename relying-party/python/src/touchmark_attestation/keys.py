"""The keys that tokens are signed with: secrets for HS256, and public keys of a JWKS (RFC 7517)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

import jwt
from jwt.algorithms import HMACAlgorithm, get_default_algorithms

from touchmark_attestation import jose

SECRET_ALGORITHM = "HS256"
# The algorithm of each kind of public key. A key is for this one, and a token's `alg` chooses among
# the keys that there are (RFC 8725, section 3.1).
_TYPES = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
PUBLIC_ALGORITHMS = frozenset(_TYPES.values())
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
# A private key in a published set stays unread: with these members alone it is its public half.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
_MIN_RSA_BITS = 2048
MAX_TRIED = 16
MAX_MEMBERS = 64
_DECOY_INFO = b"touchmark decoy secret v1"
_hs256 = HMACAlgorithm(HMACAlgorithm.SHA256)
Verify = Callable[[bytes, bytes], bool]


class Secret(NamedTuple):
    """A token secret with the `kid` that tokens name it by."""

    key: bytes
    kid: str | None = None


class Key(NamedTuple):
    algorithm: str
    kid: str | None
    verify: Verify
    """Whether this key made the signature (second) over the bytes (first)."""
    is_decoy: Verify | None = None
    """The same, for the decoy secret that goes with a secret."""


class Keys:
    """Keys by algorithm and `kid`."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_algorithm: dict[str, list[Key]] = {}
        self._named: dict[tuple[str, str], list[Key]] = {}
        self._bare: dict[str, list[Key]] = {}
        for key in keys:
            self._by_algorithm.setdefault(key.algorithm, []).append(key)
            if key.kid is None:
                self._bare.setdefault(key.algorithm, []).append(key)
            else:
                self._named.setdefault((key.algorithm, key.kid), []).append(key)

    def __bool__(self) -> bool:
        return bool(self._by_algorithm)

    def is_for(self, algorithm: str) -> bool:
        return algorithm in self._by_algorithm

    def knows(self, algorithm: str, kid: str | None) -> bool:
        """Whether a key of the algorithm has this `kid`, or there is none to look for."""
        found = self._by_algorithm if kid is None else self._named
        return (algorithm if kid is None else (algorithm, kid)) in found

    def find(self, algorithm: str, kid: str | None) -> Sequence[Key]:
        """The keys to try in turn: those of this `kid`, or else those without one."""
        if kid is None:
            found = self._by_algorithm.get(algorithm, [])
        else:
            found = self._named.get((algorithm, kid)) or self._bare.get(algorithm, [])
        return found[:MAX_TRIED]


def of_secrets(secrets: Iterable[Secret], decoys: Iterable[bytes | None]) -> Keys:
    return Keys(
        Key(SECRET_ALGORITHM, one.kid, _hmac(one.key), None if decoy is None else _hmac(decoy))
        for one, decoy in zip(secrets, decoys)
    )


def derive_decoy_secret(secret: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a token secret, with no salt and 32 bytes of output: one block."""
    key = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(key, _DECOY_INFO + b"\x01", "sha256")


def can_read_public_keys() -> bool:
    """Whether PyJWT finds the package cryptography, which public keys need."""
    return get_default_algorithms().keys() >= PUBLIC_ALGORITHMS


def read_jwks(data: bytes) -> Keys:
    """The usable keys of a JWK set; a member that is none is passed over. A ValueError says what is
    wrong with the set."""
    found = jose.read_object(data)
    members = found.get("keys")
    if not isinstance(members, list):
        raise ValueError("no JWK set: it has no list of keys")
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"a set of {len(members)} keys: {MAX_MEMBERS} are read at most")
    keys = [key for key in map(_public_key, members) if key is not None]
    if not keys:
        raise ValueError("a set without a key of RS256, ES256 or EdDSA")
    return Keys(keys)


def _public_key(member: Any) -> Key | None:
    if not isinstance(member, Mapping):
        return None
    kind = member.get("kty")
    if not isinstance(kind, str) or kind not in _TYPES:
        return None
    algorithm = _TYPES[kind]
    kid, operations = member.get("kid"), member.get("key_ops", ["verify"])
    if (
        member.get("alg", algorithm) != algorithm
        or member.get("use", "sig") != "sig"
        or not (kid is None or isinstance(kid, str))
        or not isinstance(operations, list)
        or "verify" not in operations
        or member.get("crv") != _CURVES.get(kind)
    ):
        return None
    only = {name: member.get(name) for name in ("kty", "crv", *_MEMBERS[kind]) if name in member}
    implementation = get_default_algorithms()[algorithm]
    try:
        key = implementation.from_jwk(only)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if kind == "RSA" and key.key_size < _MIN_RSA_BITS:
        return None

    def verify(signed: bytes, signature: bytes) -> bool:
        return implementation.verify(signed, key, signature)

    return Key(algorithm, kid, verify)


def _hmac(secret: bytes) -> Verify:
    def verify(signed: bytes, signature: bytes) -> bool:
        return _hs256.verify(signed, secret, signature)

    return verify
