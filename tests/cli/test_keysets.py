"""The keys of tokens: their change without a refused request, public keys, long-lived tokens, and
every kind of token sent to an API."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import jwt
import pytest

from kit.command import Command
from kit.service import Service
from touchmark_attestation import Guard, Settings, TokenStatus
from touchmark_attestation.wsgi import WsgiMiddleware

NO, USAGE = 1, 2
PIN = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("keysets") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def admin(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Command:
    command = Command(tmp_path_factory.mktemp("home"))
    command.init(service)
    return command


def keys(admin: Command, name: str = "default") -> dict[str, str]:
    """The state of each key of a set."""
    sets = admin.json("keyset", "list")["keysets"]
    found = next(one for one in sets if one["name"] == name)
    return {key["kid"]: key["state"] for key in found["keys"]}


def jwks(service: Service) -> list[dict[str, str]]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    url = f"{service.url}/.well-known/jwks.json"
    with urllib.request.urlopen(url, context=context, timeout=20) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=600"
        assert answer.headers["Content-Type"] == "application/jwk-set+json"
        found: list[dict[str, str]] = json.load(answer)["keys"]
        return found


def verified(token: str, service: Service) -> dict[str, Any]:
    """By PyJWT and the public key that the token's kid names."""
    header = jwt.get_unverified_header(token)
    key = next(one for one in jwks(service) if one["kid"] == header["kid"])
    assert header["alg"] == key["alg"]
    found: dict[str, Any] = jwt.decode(token, jwt.PyJWK(key), algorithms=[key["alg"]])
    return found


def test_a_secret_changes_without_a_refused_request(admin: Command) -> None:
    """API servers that have what `secret get` prints take each token, before, between and after."""
    old = admin.ok("token", "example").strip()
    assert admin.ok("secret", "get").strip() == admin.json("secret", "get")["secret"]
    admin.ok("secret", "rotate")
    (kid,) = [kid for kid, state in keys(admin).items() if state == "next"]
    assert keys(admin) == {"": "signing", kid: "next"}
    setting = admin.ok("secret", "get").strip()
    first, second = setting.split(",")
    assert second.startswith(f"{kid}:")
    secrets = [base64.b64decode(first), base64.b64decode(second.removeprefix(f"{kid}:"))]

    def is_valid(token: str) -> bool:
        for secret in secrets:
            try:
                jwt.decode(token, secret, algorithms=["HS256"])
                return True
            except jwt.InvalidSignatureError:
                continue
        return False

    between = admin.ok("token", "example").strip()
    assert "kid" not in jwt.get_unverified_header(between)
    admin.ok("secret", "rotate", "--promote")
    assert keys(admin) == {"": "old", kid: "signing"}
    after = admin.ok("token", "example").strip()
    assert jwt.get_unverified_header(after)["kid"] == kid
    for token in old, between, after:
        assert is_valid(token)
        assert admin.json("token", "check", token)["status"] == "valid"
    # Decoys changed with it.
    decoy = admin.ok("token", "example", "--invalid").strip()
    assert jwt.get_unverified_header(decoy)["kid"] == kid
    assert not is_valid(decoy)
    assert admin.run("token", "check", decoy).stdout.startswith("invalid")

    admin.ok("keyset", "remove", "default", "--no-kid")
    assert keys(admin) == {kid: "signing"}
    assert admin.run("token", "check", old).stdout.startswith("forged")
    assert admin.json("token", "check", after)["status"] == "valid"


def test_what_is_stored_is_read_again(admin: Command, tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    try:
        other = Command(tmp_path / "home")
        other.init(service)
        for alg in "HS256", "RS256", "ES256", "EdDSA":
            other.ok("keyset", "add", f"x-{alg.lower()}", "--alg", alg)
        other.ok("keyset", "rotate")
        tokens = [
            other.ok("token", "example", "--keyset", one["name"]).strip()
            for one in other.json("keyset", "list")["keysets"]
        ]
        before = other.json("keyset", "list")
        service.stop()
        assert b"TOUCHMARK" not in b"".join(
            path.read_bytes() for path in (tmp_path / "data").glob("touchmark.db*")
        ).replace(b"TOUCHMARK_", b"")
        service.start()
        assert other.json("keyset", "list") == before
        for token in tokens:
            assert other.json("token", "check", token)["status"] == "valid"
    finally:
        service.stop()


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_public_keys_check_without_a_secret(admin: Command, service: Service, alg: str) -> None:
    name = f"public-{alg.lower()}"
    admin.ok("keyset", "add", name, "--alg", alg)
    token = admin.ok("token", "example", "--keyset", name).strip()
    assert set(verified(token, service)) == {"did", "exp", "ip"}
    decoy = admin.ok("token", "example", "--invalid", "--keyset", name).strip()
    assert len(decoy) == len(token)
    with pytest.raises(jwt.InvalidSignatureError):
        verified(decoy, service)
    assert admin.run("token", "check", decoy).stdout.startswith("invalid")

    # The next key is in the set before it signs.
    admin.ok("keyset", "rotate", name)
    (waiting,) = [kid for kid, state in keys(admin, name).items() if state == "next"]
    assert waiting in [key["kid"] for key in jwks(service)]
    admin.ok("keyset", "promote", name)
    again = admin.ok("token", "example", "--keyset", name).strip()
    assert jwt.get_unverified_header(again)["kid"] == waiting
    verified(token, service)
    verified(again, service)

    pem = admin.ok("keyset", "pem", name)
    assert pem.count("BEGIN PUBLIC KEY") == 2
    assert "PRIVATE" not in pem
    assert not {"d", "p", "q", "k"} & {member for key in jwks(service) for member in key}


def test_a_domain_has_a_keyset(admin: Command) -> None:
    admin.ok("keyset", "add", "partners")
    admin.ok("api", "add", "api.example.com", "--pin", PIN, "--keyset", "partners")
    assert admin.json("api", "list")["apis"][0]["keyset"] == "partners"
    # Kept by who changes the pins alone.
    admin.ok(
        "api", "add", "api.example.com", "--backup-pin", PIN.replace("4", "8", 1), "--pin", PIN
    )
    assert admin.json("api", "list")["apis"][0]["keyset"] == "partners"
    done = admin.run("keyset", "remove", "partners")
    assert done.returncode == NO
    assert "keyset.in-use" in done.stderr
    admin.ok("api", "add", "api.example.com", "--pin", PIN, "--keyset", "default", "--yes")
    assert "keyset" not in admin.json("api", "list")["apis"][0]
    admin.ok("keyset", "remove", "partners")
    done = admin.run("api", "add", "api.example.com", "--pin", PIN, "--keyset", "partners", "--yes")
    assert "keyset.not-found" in done.stderr


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["keyset", "add", "Bad"], "keyset.bad-name"),
        (["keyset", "add", "x" * 33], "keyset.bad-name"),
        (["keyset", "add", "default"], "keyset.exists"),
        (["keyset", "rotate", "nobody"], "keyset.not-found"),
        (["keyset", "promote", "nobody"], "keyset.not-found"),
        (["keyset", "remove", "default"], "keyset.in-use"),
        (["keyset", "remove", "default", "--kid", "k0"], "keyset.no-key"),
        (["secret", "get", "--keyset", "nobody"], "keyset.not-found"),
        (["token", "example", "--keyset", "nobody"], "keyset.not-found"),
        (["token", "long-lived", "revoke", "nobody"], "keyset.no-long-lived"),
        (["token", "long-lived", "add", "x", "--expire-after", "4000d"], "keyset.bad-lifetime"),
    ],
)
def test_what_cannot_be(admin: Command, line: list[str], error: str) -> None:
    done = admin.run(*line)
    assert done.returncode != 0
    assert error in done.stderr


def test_one_next_key_at_a_time(admin: Command) -> None:
    admin.ok("keyset", "add", "turn", "--alg", "HS256")
    assert "keyset.no-next" in admin.run("keyset", "promote", "turn").stderr
    admin.ok("keyset", "rotate", "turn")
    assert "keyset.has-next" in admin.run("keyset", "rotate", "turn").stderr
    (signing,) = [kid for kid, state in keys(admin, "turn").items() if state == "signing"]
    assert "keyset.signing" in admin.run("keyset", "remove", "turn", "--kid", signing).stderr
    (waiting,) = [kid for kid, state in keys(admin, "turn").items() if state == "next"]
    admin.ok("keyset", "remove", "turn", "--kid", waiting)
    admin.ok("keyset", "rotate", "turn", "--alg", "ES256")
    admin.ok("keyset", "promote", "turn")
    done = admin.run("keyset", "remove", "turn", "--kid", signing)
    assert done.returncode == 0
    assert "keyset.no-secret" in admin.run("secret", "get", "--keyset", "turn").stderr


def test_a_server_gets_a_token_that_lasts_and_can_be_revoked(
    admin: Command, service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "batch.jwt"
    admin.ok("token", "long-lived", "add", "batch", "--expire-after", "30d", "--output", file)
    assert file.stat().st_mode & 0o777 == 0o600
    token = file.read_text().strip()
    claims = verified(token, service)
    assert claims["sub"] == "batch"
    assert abs(claims["exp"] - time.time() - 30 * 86400) < 60
    assert admin.json("token", "check", token)["status"] == "valid"
    assert "keyset.exists" in admin.run("token", "long-lived", "add", "batch").stderr
    (listed,) = admin.json("token", "long-lived", "list")["tokens"]
    assert listed["name"] == "batch"
    assert token not in json.dumps(listed)
    admin.ok("token", "long-lived", "revoke", "batch")
    assert listed["kid"] not in [key["kid"] for key in jwks(service)]
    assert admin.run("token", "check", token).stdout.startswith("forged")
    admin.ok("token", "long-lived", "add", "batch")


# --- token try -----------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


Application = Callable[..., Any]


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"EUR":1}']


def in_full(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Refuses everything, and says why."""
    start_response("401 Unauthorized", [("Content-Type", "text/plain")])
    return [b"the token is expired"]


def checked(setting: str, **settings: str) -> tuple[Application, Guard]:
    named = {f"TOUCHMARK_{name}": value for name, value in settings.items()}
    guard = Guard(Settings.read({"TOUCHMARK_SECRET": setting, **named}))
    return WsgiMiddleware(answer, guard), guard


@pytest.fixture
def serve() -> Iterator[Callable[[Application], str]]:
    servers = []

    def start(application: Application) -> str:
        server = make_server("127.0.0.1", 0, application, Threaded, Quiet)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/v2/rates"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_check_that_is_right(admin: Command, serve: Callable[[Application], str]) -> None:
    secret = admin.json("secret", "get")["secret"]
    application, guard = checked(
        secret, BINDING_HEADERS="Authorization", AUDIENCE="rates", ISSUER="us"
    )
    line = ("--bind", "Authorization: Bearer abc", "--audience", "rates", "--issuer", "us")
    url = serve(application)
    done = admin.json("token", "try", url, *line)
    assert done["wrong"] == 0
    assert len(done["tried"]) >= 20
    counts = guard.counts()
    assert counts[TokenStatus.VALID.value] == 1
    for status in TokenStatus:
        if status.value in ("missing", "malformed", "expired", "invalid", "forged", "unbound"):
            assert counts[status.value] >= 1, status
    text = admin.ok("token", "try", url, *line)
    assert f"all {len(done['tried'])} as they must be" in text


def test_a_check_that_is_wrong(admin: Command, serve: Callable[[Application], str]) -> None:
    done = admin.run("--json", "token", "try", serve(answer))
    assert done.returncode == NO
    tried = {one["kind"]: one["problem"] for one in json.loads(done.stdout)["tried"]}
    assert tried.pop("valid") is None
    assert set(tried.values()) == {"it was served"}
    done = admin.run("--json", "token", "try", serve(in_full))
    tried = {one["kind"]: one["problem"] for one in json.loads(done.stdout)["tried"]}
    assert tried["valid"] == "a valid token was refused"
    assert tried["expired"] == "the body is not {}: it may say too much"


def test_nobody_there(admin: Command) -> None:
    done = admin.run("token", "try", "http://127.0.0.1:1/")
    assert done.returncode not in (0, NO)
    assert "127.0.0.1:1" in done.stderr


def test_collections(admin: Command, tmp_path: Path) -> None:
    url = "https://api.example.com/v2/rates"
    for form in "http", "postman":
        file = tmp_path / form
        admin.ok("token", "try", url, "--format", form, "--output", file)
        assert file.stat().st_mode & 0o777 == 0o600
    requests = (tmp_path / "http").read_text()
    collection = json.loads((tmp_path / "postman").read_text())
    names = [item["name"] for item in collection["item"]]
    assert "valid" in names and "decoy" in names
    assert requests.count("### ") == len(names)
    assert requests.count(f"GET {url}") == len(names)
    assert admin.run("token", "try", url, "--format", "http").returncode == USAGE


@pytest.mark.parametrize("kind", ["expired", "early", "decoy", "forged", "no-exp", "valid"])
def test_examples_of_each_kind(admin: Command, kind: str) -> None:
    token = admin.ok("token", "example", "--kind", kind).strip()
    status = {"decoy": "invalid", "no-exp": "malformed"}.get(kind, kind)
    assert admin.run("token", "check", token).stdout.startswith(f"{status}: ")


def test_kinds_without_a_token(admin: Command) -> None:
    assert admin.run("token", "example", "--kind", "missing").returncode == USAGE
    done = admin.run("token", "example", "--kind", "nope")
    assert done.returncode == USAGE
    assert "expired" in done.stderr
