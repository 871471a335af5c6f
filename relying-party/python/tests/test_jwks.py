"""Public keys: when a set is read again, and what a source that fails does to requests."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tokens import NOW, SECRET, token
from touchmark_attestation import JwksSource, SettingsError, TokenReason, TokenVerifier, jwks
from touchmark_attestation.jwks import Document

KEYS = {name: ed25519.Ed25519PrivateKey.generate() for name in ("old", "new", "stranger")}


def member(name: str, **members: Any) -> dict[str, Any]:
    found: dict[str, Any] = OKPAlgorithm.to_jwk(KEYS[name].public_key(), as_dict=True)
    return {**found, "kid": name, "alg": "EdDSA", **members}


def document(*names: str) -> bytes:
    return json.dumps({"keys": [member(name) for name in names]}).encode()


def signed(name: str, kid: str | None = None) -> str:
    headers = {"kid": kid or name}
    return jwt.encode({"exp": NOW + 300}, KEYS[name], algorithm="EdDSA", headers=headers)


class Source:
    """What a JwksSource reads, under a clock of the test's."""

    def __init__(self, answer: bytes | Exception, kept: float = jwks.KEPT) -> None:
        self.answer, self.kept = answer, kept
        self.now, self.reads = 0.0, 0
        self.source = JwksSource("keys.json", clock=lambda: self.now, fetch=self.fetch)
        self.verifier = TokenVerifier(jwks=self.source, clock=lambda: NOW)

    def fetch(self, location: str) -> Document:
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Document(self.answer, self.kept)

    def reason(self, text: str) -> TokenReason:
        return self.verifier.check(text).reason


def test_a_set_is_kept_and_read_again_after_its_time() -> None:
    source = Source(document("old"))
    for second, reads in ((0, 1), (1, 1), (599, 1), (600, 2), (1199, 2), (1200, 3)):
        source.now = second
        assert source.reason(signed("old")) is TokenReason.OK
        assert source.reads == reads


def test_an_unknown_kid_makes_it_read_again_once_in_ten_seconds() -> None:
    source = Source(document("old"))
    assert source.reason(signed("old")) is TokenReason.OK
    source.answer = document("old", "new")
    source.now = 3  # the first reading does not count
    assert source.reason(signed("new")) is TokenReason.OK
    assert source.reads == 2
    for second in (3, 4, 12.9):
        source.now = second
        for number in range(50):
            assert source.reason(signed("old", f"x{number}")) is TokenReason.UNKNOWN_KEY
        assert source.reads == 2
    source.now = 13
    for number in range(50):
        assert source.reason(signed("old", f"y{number}")) is TokenReason.UNKNOWN_KEY
    assert source.reads == 3


def test_an_algorithm_that_no_key_is_for_makes_it_read_again() -> None:
    source = Source(document("old"))
    assert source.reason(signed("old")) is TokenReason.OK
    text = jwt.encode({"exp": NOW + 9}, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
    source.now = 10
    assert [source.reason(text) for _ in range(9)] == [TokenReason.WRONG_ALGORITHM] * 9
    assert source.reads == 2
    # What no key of a set can be for asks nobody.
    source.now = 30
    assert source.reason(token()) is TokenReason.WRONG_ALGORITHM
    assert source.reads == 2


@pytest.mark.parametrize(
    "answer",
    [
        OSError("no route"), TimeoutError("no answer"), ValueError("status 500"), b"", b"[]", b"{}",
        b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"AAAA"}]}',
        b'{"keys":[],"keys":[]}', json.dumps({"keys": [member("old")] * 65}).encode(),
    ],
    ids=range(11),
)  # fmt: skip
def test_the_old_set_counts_while_there_is_no_new_one(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(answer)
    assert source.reason(signed("old")) is TokenReason.NO_KEYS
    assert [source.reason(signed("old")) for _ in range(20)] == [TokenReason.NO_KEYS] * 20
    assert source.reads == 1 and len(caplog.records) == 1
    source.answer, source.now = document("old"), 10
    assert source.reason(signed("old")) is TokenReason.OK
    source.answer = answer
    for day in range(1, 40):
        source.now = day * 86400.0
        assert source.reason(signed("old")) is TokenReason.OK
        assert source.reason(signed("new")) is TokenReason.UNKNOWN_KEY
    assert "those that were read before go on counting" in caplog.text


def test_one_thread_reads_and_the_others_wait() -> None:
    source = Source(document("old"))
    began, go_on = threading.Event(), threading.Event()

    def slow(location: str) -> Document:
        began.set()
        assert go_on.wait(20)
        return Source.fetch(source, location)

    source.source._fetch = slow
    found: list[TokenReason] = []
    threads = [
        threading.Thread(target=lambda: found.append(source.reason(signed("old"))))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    assert began.wait(20)
    time.sleep(0.05)
    assert found == []
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert found == [TokenReason.OK] * 16 and source.reads == 1


def test_nobody_with_a_known_key_waits_for_a_source_that_fails() -> None:
    source = Source(document("old"))
    assert source.reason(signed("old")) is TokenReason.OK
    source.now, source.answer = 600.0, OSError("gone")
    assert source.reason(signed("old")) is TokenReason.OK and source.reads == 2
    began, go_on = threading.Event(), threading.Event()

    def slow(location: str) -> Document:
        began.set()
        assert go_on.wait(20)
        return Document(document("new"), jwks.KEPT)

    source.source._fetch = slow
    source.now = 609.9
    assert source.reason(signed("old")) is TokenReason.OK and not began.is_set()
    source.now = 610
    assert [source.reason(signed("old")) for _ in range(5)] == [TokenReason.OK] * 5
    assert began.wait(20)
    assert source.reason(signed("old")) is TokenReason.OK
    go_on.set()
    assert source.reason(signed("new")) is TokenReason.OK, "this one waits for the reading"
    assert source.reason(signed("old")) is TokenReason.UNKNOWN_KEY


@pytest.mark.skipif("lowest" in sys.prefix, reason="takes seconds, and is the same with others")
def test_rotation_under_load_refuses_nobody() -> None:
    """100,000 requests in four threads, while the key changes twenty times."""
    rounds, threads = 20, 4
    names = [f"key {number}" for number in range(rounds + 1)]
    KEYS.update({name: ed25519.Ed25519PrivateKey.generate() for name in names})
    source = Source(document(names[0]))
    refused: list[TokenReason] = []
    for number in range(rounds):
        now, then = names[number], names[number + 1]
        source.answer = document(now, then)  # the new key beside the old, as `rotate` has it
        source.now += 11
        texts = [signed(now), signed(then)]

        def load(texts: list[str] = texts) -> None:
            for position in range(100_000 // rounds // threads):
                reason = source.reason(texts[position % 2])
                if reason is not TokenReason.OK:
                    refused.append(reason)

        running = [threading.Thread(target=load) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(120)
    assert refused == []
    assert source.reads <= rounds + 2


# Over HTTP ---------------------------------------------------------------------------------------

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def whole(data: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("", 600), ("max-age=3600", 3600), ("public, max-age=90", 90), ("max-age=1", 60),
        ("max-age=0", 60), ("max-age=9999999", 86400), ("Max-Age=70", 70), ("s-max-age=70", 600),
        ("max-age=x", 600), ("max-age=-5", 600), ('max-age="120"', 120),
    ],
)  # fmt: skip
def test_the_answer_says_how_long_it_counts(header: str, kept: float) -> None:
    with answering(whole(document("old"), Cache_Control=header)) as url:
        assert jwks.read(url) == Document(document("old"), kept)


def test_keys_come_over_http_from_this_machine() -> None:
    with answering(whole(document("old"))) as url:
        verifier = TokenVerifier(jwks=JwksSource(url), clock=lambda: NOW)
        assert verifier.check(signed("old")).valid


def refused(answer: Answer, problem: str) -> None:
    with answering(answer) as url:
        verifier = TokenVerifier(jwks=JwksSource(url), clock=lambda: NOW)
        began = time.monotonic()
        assert verifier.check(signed("old")).reason is TokenReason.NO_KEYS
        assert time.monotonic() - began < 10, problem
        with pytest.raises((OSError, ValueError), match=problem):
            jwks.read(url)


def test_another_status_a_redirect_and_a_huge_answer_are_no_set() -> None:
    refused(whole(document("old"), 500), "status 500")
    refused(whole(document("old"), 302, Location="/other"), "status 302")
    refused(whole(b"x" * (jwks.MAX_BYTES + 1)), "longer than 262144 bytes")


@pytest.mark.parametrize("part", ["headers", "body", "nothing"])
def test_a_source_that_drips_is_left_after_its_time(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "READING_TIME", 0.4)
    hung_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
        try:
            handler.wfile.write({"headers": head, "body": head + b"\r\n", "nothing": b""}[part])
            for _ in range(200):
                time.sleep(0.05)
                handler.wfile.write(b"X: 1\r\n" if part == "headers" else b" ")
        except OSError:
            hung_up.set()

    with answering(drip) as url:
        began = time.monotonic()
        with pytest.raises((OSError, ValueError)):
            jwks.read(url)
        assert time.monotonic() - began < 5
        assert hung_up.wait(10), "the reader's thread holds the connection"


def test_nobody_there_is_an_error_of_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    with answering(whole(b"")) as url:
        pass
    verifier = TokenVerifier([SECRET], jwks=JwksSource(url), clock=lambda: NOW)
    assert verifier.check(signed("old")).reason is TokenReason.NO_KEYS
    assert verifier.check(token()).valid, "a secret needs no set"
    assert "Connection refused" in caplog.text


# What a source may be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "", " ", "http://example.com/jwks", "http://192.0.2.1/", "http://127.0.0.1.example.com/",
        "ftp://example.com/jwks", "file:///etc/passwd", "https://", "https://user@example.com/",
        "https://user:secret@example.com/", "https://example.com/#x", "https://example.com:x/",
        "https://exa mple.com/", "a\nb", "https://[::1/", None, 1, b"keys.json",
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_one_is_named(location: Any) -> None:
    with pytest.raises(SettingsError, match=r"^jwks ") as caught:
        JwksSource(location)
    assert "secret" not in str(caught.value)


def test_a_file_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    verifier = TokenVerifier(jwks=JwksSource(str(path)), clock=lambda: NOW)
    assert verifier.check(signed("old")).reason is TokenReason.NO_KEYS
    path.write_bytes(document("old"))
    assert TokenVerifier(jwks=JwksSource(str(path)), clock=lambda: NOW).check(signed("old")).valid


def test_a_private_key_in_a_set_is_read_as_its_public_half() -> None:
    kinds: list[tuple[Any, str, Any]] = [
        (KEYS["old"], "EdDSA", OKPAlgorithm),
        (ec.generate_private_key(ec.SECP256R1()), "ES256", ECAlgorithm),
        (rsa.generate_private_key(65537, 2048), "RS256", RSAAlgorithm),
    ]
    for key, algorithm, kind in kinds:
        found = kind.to_jwk(key, as_dict=True)
        assert "d" in found
        found.pop("key_ops", None)  # PyJWT's is "sign", which is for nobody to verify with
        source = Source(json.dumps({"keys": [found]}).encode())
        text = jwt.encode({"exp": NOW + 9}, key, algorithm=algorithm)
        assert source.reason(text) is TokenReason.OK
        assert source.reason(text[:-6] + "AAAAAA") is not TokenReason.OK


@pytest.mark.parametrize(
    "members",
    [
        {"x": None}, {"x": ""}, {"x": "AAAA"}, {"x": 1}, {"x": "!!"}, {"crv": "Ed448"}, {"crv": 1},
        {"kty": ["OKP"]}, {"kty": "EC"}, {"alg": "ES256"}, {"alg": None}, {"kid": 1},
        {"key_ops": "verify"}, {"key_ops": ["sign"]}, {"use": "enc"}, {"use": None},
    ],
)  # fmt: skip
def test_a_member_that_is_no_key_is_passed_over(members: dict[str, Any]) -> None:
    broken = {**member("old"), **members}
    source = Source(json.dumps({"keys": [broken, member("new")]}).encode())
    assert source.reason(signed("new")) is TokenReason.OK
    assert source.reason(signed("old")) is TokenReason.UNKNOWN_KEY


def test_a_point_that_is_not_on_the_curve_is_passed_over() -> None:
    found: dict[str, Any] = ECAlgorithm.to_jwk(
        ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
    )
    found["y"] = found["x"]
    source = Source(json.dumps({"keys": [found, member("new")]}).encode())
    assert source.reason(signed("new")) is TokenReason.OK


def test_the_seventeenth_key_is_not_tried() -> None:
    names = [f"turn {number}" for number in range(17)]
    KEYS.update({name: ed25519.Ed25519PrivateKey.generate() for name in names})
    keys = [member(name) for name in names]
    for key in keys:
        del key["kid"]
    source = Source(json.dumps({"keys": keys}).encode())
    assert source.reason(signed(names[15])) is TokenReason.OK
    assert source.reason(signed(names[16])) is TokenReason.BAD_SIGNATURE
