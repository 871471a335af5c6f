"""Every request of the contract through the C interface, as another language calls it."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "build/release/relying-party/cpp/libtouchmark_check.so"
CONTRACT = json.loads((ROOT / "protocol/vectors/token-check/requests.json").read_text())
SECRET = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q="


class Text(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("size", ctypes.c_size_t))


class Pair(ctypes.Structure):
    _fields_ = (("name", Text), ("value", Text))


class Request(ctypes.Structure):
    _fields_ = (
        ("method", Text),
        ("client", Text),
        ("headers", ctypes.POINTER(Pair)),
        ("header_count", ctypes.c_size_t),
    )


class Route(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_char_p)
        for name in ("pattern", "mode", "percent", "level", "binding_headers", "single_use")
    )


class Decision(ctypes.Structure):
    _fields_ = (
        ("allowed", ctypes.c_int),
        ("enforced", ctypes.c_int),
        ("preflight", ctypes.c_int),
        ("status", ctypes.c_char_p),
        ("reason", ctypes.c_char_p),
        ("maker", ctypes.c_char_p),
        ("level", ctypes.c_char_p),
        ("device", ctypes.c_char * 129),
        ("token_digest", ctypes.c_char * 13),
    )


def text(words: str) -> Text:
    data = words.encode()
    return Text(data, len(data))


def pairs(all_of_them: list[tuple[str, str]]) -> Any:
    return (Pair * len(all_of_them))(
        *(Pair(text(name), text(value)) for name, value in all_of_them)
    )


def load() -> ctypes.CDLL:
    library = ctypes.CDLL(str(LIBRARY))
    library.touchmark_guard_new.restype = ctypes.c_void_p
    library.touchmark_guard_metrics.restype = ctypes.c_size_t
    return library


class Guard:
    def __init__(self, settings: dict[str, str]) -> None:
        self.library = load()
        error = ctypes.create_string_buffer(256)
        given = pairs(list(settings.items()))
        found = self.library.touchmark_guard_new(given, len(given), error, 256)
        self.error = error.value.decode()
        self.guard = ctypes.c_void_p(found)

    def route(self, **demands: bytes) -> int:
        error = ctypes.create_string_buffer(256)
        route = Route(**demands)
        number: int = self.library.touchmark_guard_add_route(
            self.guard, ctypes.byref(route), error, 256
        )
        self.error = error.value.decode()
        return number

    def check(
        self, method: str, headers: list[tuple[str, str]], client: str = "", route: int = 0
    ) -> Decision:
        decision = Decision()
        all_of_them = pairs(headers)
        request = Request(text(method), text(client), all_of_them, len(headers))
        self.library.touchmark_guard_check(
            self.guard, ctypes.byref(request), route, ctypes.byref(decision)
        )
        return decision

    def close(self) -> None:
        self.library.touchmark_guard_free(self.guard)


def token(**claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    payload = {"exp": int(time.time()) + 300} | claims
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}"
    mac = hmac.digest(base64.b64decode(SECRET), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def play(jwks: str) -> int:
    """In a process whose clock stands."""
    played = 0
    for group in CONTRACT["groups"]:
        Path(jwks).write_text(json.dumps(group.get("jwks", {})))
        guard = Guard({n: v.replace("${jwks}", jwks) for n, v in group["settings"].items()})
        assert not guard.error, guard.error
        for case in group["cases"]:
            found = guard.check(
                case["method"], [tuple(pair) for pair in case["headers"]], case.get("client", "")
            )
            got = (found.status.decode(), found.reason.decode(), found.allowed == 1)
            wanted = (case["status"], case["reason"], case["http"] == 200)
            assert got == wanted, (group["name"], case["name"])
            played += 1
        guard.close()
    return played


def test_the_contract(tmp_path: Path) -> None:
    clock = tmp_path / "clock.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", clock, ROOT / "tests/kit/clock_shift.c", "-ldl"],
        check=True,
    )
    standing = {"LD_PRELOAD": str(clock), "CLOCK_AT": str(CONTRACT["now"])}
    done = subprocess.run(
        [sys.executable, __file__, tmp_path / "jwks.json"],
        env=standing | {"PATH": os.environ["PATH"]},
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 582


def test_what_it_says_of_a_token() -> None:
    guard = Guard({"TOUCHMARK_SECRET": SECRET})
    good = token(did="2Y1wkk7nBWrXkFfqxba0tA==", lvl="tee")
    found = guard.check("GET", [("touchmark-token", good)])
    assert (found.allowed, found.enforced, found.level) == (1, 1, b"tee")
    assert found.device == b"2Y1wkk7nBWrXkFfqxba0tA=="
    assert found.token_digest.decode() == hashlib.sha256(good.encode()).hexdigest()[:12]
    many = [(f"X-{i}", "y") for i in range(200)]
    assert guard.check("GET", [*many, ("Touchmark-Token", good)]).allowed == 1
    assert guard.check("GET", []).reason == b"no-token"
    assert guard.check("GET", [("Touchmark-Token", good)], route=1).allowed == 0
    assert guard.route(pattern=b"/pay", level=b"secure-chip") == 1
    assert guard.check("GET", [("Touchmark-Token", good)], route=1).reason == b"low-level"
    assert guard.route(mode=b"of") == -1
    assert guard.error == 'the route\'s mode cannot be "of"'
    out = ctypes.create_string_buffer(4096)
    size = guard.library.touchmark_guard_metrics(guard.guard, out, 4096)
    assert size == len(out.value)
    assert b'reason="low-level",enforced="true",route="/pay"} 1\n' in out.value
    guard.close()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({}, "TOUCHMARK_SECRET is not set"),
        ({"TOUCHMARK_SECRET": "x"}, "TOUCHMARK_SECRET is not base64"),
        ({"TOUCHMARK_JWKS": "http://keys.example"}, "TOUCHMARK_JWKS is"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, str], error: str) -> None:
    guard = Guard(settings)
    assert guard.error.startswith(error)
    assert not guard.guard.value


def test_the_example(tmp_path: Path) -> None:
    folder = ROOT / "relying-party/cpp"
    program = tmp_path / "check"
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-I", folder / "include", folder / "example/check.c", "-L",
         LIBRARY.parent, "-ltouchmark_check", f"-Wl,-rpath,{LIBRARY.parent}", "-o", program],
        check=True,
    )  # fmt: skip
    environment = {"TOUCHMARK_SECRET": SECRET}
    for given, code, said in (
        (token(did="x"), 0, "served: valid (ok) for x\n"),
        ("x", 1, "refused: malformed (not-compact)\n"),
    ):
        done = subprocess.run(
            [program, given], env=environment, check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (code, said)
    done = subprocess.run([program], env={}, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("check: TOUCHMARK_SECRET is not set")


def test_nothing_else_is_visible() -> None:
    done = subprocess.run(
        ["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True
    )
    names = {line.split()[-1] for line in done.stdout.splitlines()}
    assert {name for name in names if "touchmark" in name} == {
        f"touchmark_guard_{what}" for what in ("new", "free", "add_route", "check", "metrics")
    }


if __name__ == "__main__":
    print(play(sys.argv[1]))
