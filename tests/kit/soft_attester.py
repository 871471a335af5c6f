"""The protocol of protocol/README.md spoken without the SDK, and without an app.

It is a second, independent implementation for the tests, and at the same time the strongest attack
on software-only evidence: whoever reads the protocol can write this. It needs the registered
package's own bytes, and hardware evidence is what stops it (docs/threat-model.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from OpenSSL import SSL

ALL_CHECKS = ["app", "hook", "debug", "root", "network"]


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class TlsConnection:
    """One kept-alive HTTPS connection that can export keying material, which
    Python's ssl cannot."""

    def __init__(self, url: str, timeout: float = 20.0):
        parts = urlsplit(url)
        self.host = parts.netloc
        raw = socket.create_connection((parts.hostname, parts.port or 443), timeout)
        raw.setblocking(True)
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self.tls = SSL.Connection(context, raw)
        self.tls.set_tlsext_host_name((parts.hostname or "").encode())
        self.tls.set_connect_state()
        self.tls.do_handshake()
        self._buffer = b""

    def exporter(self) -> bytes:
        return self.tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")

    def spki_sha256(self) -> bytes:
        certificate = self.tls.get_peer_certificate()
        assert certificate is not None
        key = certificate.to_cryptography().public_key()
        return hashlib.sha256(
            key.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).digest()

    def post(self, path: str, body: bytes) -> Answer:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return self.exchange(head.encode() + body)

    def exchange(self, request: bytes) -> Answer:
        """The answer to one whole request."""
        self.tls.sendall(request)
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self.tls.recv(65536)
        raw_head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = raw_head.decode().split("\r\n")
        headers = [(k, v) for k, _, v in (line.partition(": ") for line in lines[1:])]
        length = next(int(v) for k, v in headers if k.lower() == "content-length")
        while len(self._buffer) < length:
            self._buffer += self.tls.recv(65536)
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(lines[0].split(" ")[1]), headers, content)

    def close(self) -> None:
        self.tls.close()


@dataclass
class App:
    """What the attester claims to be: a measurement as `touchmark package measure --json` prints
    it, and the bytes of the package's parts."""

    measurement: dict[str, Any]
    parts: dict[str, bytes]

    @staticmethod
    def of(package: Path, measurement: dict[str, Any]) -> App:
        with zipfile.ZipFile(package) as archive:
            return App(measurement, {n: archive.read(n) for n in archive.namelist()})

    def digest(self) -> str:
        return b64url(base64.b64decode(self.measurement["digest"]))

    def _code(self) -> list[tuple[str, bytes]]:
        return sorted(
            (name, content)
            for name, content in self.parts.items()
            if name.endswith(".dex") or (name.startswith("lib/") and name.endswith(".so"))
        )

    def code_parts(self) -> dict[str, str]:
        return {name: b64url(hashlib.sha256(content).digest()) for name, content in self._code()}

    def code_sizes(self) -> list[tuple[str, int]]:
        return [(name, len(content)) for name, content in self._code() if content]


@dataclass
class SoftAttester:
    connection: TlsConnection
    account: str
    app: App
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    config_version: int = 1 << 40  # newer than any: no configuration in the answer

    def challenge(self) -> dict[str, Any]:
        body = {
            "account": self.account,
            "measurement": self.app.digest(),
            "code": self.app.code_sizes(),
        }
        answer = self.connection.post("/v1/challenge", json.dumps(body).encode())
        assert answer.status == 200, answer.body
        challenge: dict[str, Any] = answer.json()
        return challenge

    def claims(self, challenge: dict[str, Any]) -> dict[str, Any]:
        proof = hashlib.sha256(b64url_decode(challenge["nonce"]))
        for part, offset, length in challenge["ranges"]:
            proof.update(self.app.parts.get(part, b"")[offset : offset + length])
        app = self.app.measurement
        return {
            "eat_nonce": challenge["nonce"],
            "iat": int(time.time()),
            "account": self.account,
            "config_version": self.config_version,
            "platform": {"os": "android", "os_version": "14", "api_level": 34},
            "sdk": {"platform": "Android", "version": "0.1.0", "build": "android"},
            "app": {
                "package": app["package"],
                "version_name": app["version_name"],
                "version_code": app["version_code"],
                "measurement": self.app.digest(),
                "signers": [b64url(bytes.fromhex(signer)) for signer in app["signers"]],
                "parts": self.app.code_parts(),
                "code": self.app.code_sizes(),
            },
            "range_proof": b64url(proof.digest()),
            "checks": ALL_CHECKS,
            "findings": [],
            "tls": {
                "exporter": b64url(self.connection.exporter()),
                "spki": b64url(self.connection.spki_sha256()),
            },
        }

    def sign(self, claims: dict[str, Any]) -> str:
        numbers = self.key.public_key().public_numbers()
        header = {
            "alg": "ES256",
            "typ": "touchmark-evidence+jwt",
            "jwk": {
                "kty": "EC",
                "crv": "P-256",
                "x": b64url(numbers.x.to_bytes(32, "big")),
                "y": b64url(numbers.y.to_bytes(32, "big")),
            },
        }
        signing_input = (
            b64url(json.dumps(header).encode()) + "." + b64url(json.dumps(claims).encode())
        )
        r, s = decode_dss_signature(
            self.key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
        )
        return signing_input + "." + b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def send(self, evidence: str) -> Answer:
        return self.connection.post("/v1/attest", json.dumps({"evidence": evidence}).encode())

    def attest(self, challenge: dict[str, Any] | None = None, **changed: Any) -> Answer:
        """One attestation; `changed` replaces claims before they are signed."""
        claims = self.claims(challenge or self.challenge())
        return self.send(self.sign({**claims, **changed}))
