"""Headers in every form in which a server or a framework has them."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from typing import Any

import pytest
from werkzeug.datastructures import EnvironHeaders, Headers

from tokens import NOW, SECRET, token
from touchmark_attestation import RequestHeaders, TokenStatus, TokenVerifier, is_preflight
from touchmark_attestation.verifier import binding_claim

Pairs = list[tuple[str, str]]


class OnlyGet:
    """An object of a framework that answers for a name in any case, and cannot be listed."""

    def __init__(self, pairs: Pairs) -> None:
        self._values = {name.lower(): value for name, value in pairs}

    def get(self, name: str) -> str | None:
        return self._values.get(name.lower())


def environ(pairs: Pairs) -> dict[str, Any]:
    found: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
    return {**found, **{f"HTTP_{n.upper().replace('-', '_')}": value for n, value in pairs}}


def short_environ(pairs: Pairs) -> dict[str, Any]:
    """As a framework hands it over without what the server put into it."""
    return {name: value for name, value in environ(pairs).items() if "." not in name}


def message(pairs: Pairs) -> Message:
    found = Message()
    for name, value in pairs:
        found[name] = value
    return found


def scope(pairs: Pairs) -> dict[str, Any]:
    listed = [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]
    return {"type": "http", "method": "GET", "path": "/", "headers": listed}


FORMS: dict[str, Callable[[Pairs], Any]] = {
    "dict": dict,
    "lower case": lambda pairs: {name.lower(): value for name, value in pairs},
    "upper case": lambda pairs: {name.upper(): value for name, value in pairs},
    "odd case": lambda pairs: {name.swapcase(): value for name, value in pairs},
    "lists of values": lambda pairs: {name.lower(): [value] for name, value in pairs},
    "bytes": lambda pairs: {n.lower().encode(): value.encode("latin-1") for n, value in pairs},
    "environ": environ,
    "short environ": short_environ,
    "nothing but HTTP_": lambda pairs: {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pairs
    },
    "scope": scope,
    "pairs of bytes": lambda pairs: scope(pairs)["headers"],
    "iterator of pairs": lambda pairs: iter(scope(pairs)["headers"]),
    "lists of two": lambda pairs: [list(pair) for pair in pairs],
    "werkzeug": Headers,
    "werkzeug's environ": lambda pairs: EnvironHeaders(environ(pairs)),
    "http.client": message,
    "only get": OnlyGet,
    "read already": lambda pairs: RequestHeaders(dict(pairs)),
}


def verifier(**options: Any) -> TokenVerifier:
    return TokenVerifier([SECRET], clock=lambda: NOW, **options)


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_found_in_every_form(form: str) -> None:
    bound = token(pay=binding_claim("Bearer é1"))
    pairs = [("Touchmark-Token", f" {bound}\t"), ("Authorization", "Bearer é1"), ("X-A", "b")]
    check = verifier(binding_headers=["authorization"]).check_headers
    assert check(FORMS[form](pairs)).status is TokenStatus.VALID
    assert check(FORMS[form](pairs[:1])).status is TokenStatus.UNBOUND
    assert check(FORMS[form](pairs[1:])).status is TokenStatus.MISSING


@pytest.mark.parametrize("form", FORMS)
def test_a_preflight_is_seen_in_every_form(form: str) -> None:
    pairs = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT")]
    assert is_preflight("OPTIONS", FORMS[form](pairs))
    assert not is_preflight("OPTIONS", FORMS[form](pairs[1:]))


@pytest.mark.parametrize("name", ["touchmark-token", "TOUCHMARK-TOKEN", "Touchmark-token"])
def test_the_setting_may_have_any_case_too(name: str) -> None:
    for form in FORMS.values():
        assert verifier(header=name).check_headers(form([("Touchmark-Token", token())])).valid


def test_a_header_that_stands_twice_is_no_token() -> None:
    """The app behind the check might take the other one."""
    twice: list[Any] = [
        {"Touchmark-Token": token(), "touchmark-token": "x"},
        [(b"touchmark-token", b"x"), (b"touchmark-token", token().encode())],
        {"touchmark-token": [token(), token()]},
    ]
    for headers in twice:
        assert verifier().check_headers(headers).status is TokenStatus.MALFORMED


@pytest.mark.parametrize("form", ["dict", "lower case", "lists of values", "pairs of bytes"])
def test_a_client_cannot_make_its_headers_another_form(form: str) -> None:
    """Names of headers may hold underscores and dots, and would be another form's names."""
    bound = token(pay=binding_claim("Bearer victim"))
    check = verifier(binding_headers=["Authorization"]).check_headers
    pairs = [
        ("Host", "api.example.com"), ("Authorization", "Bearer thief"), ("wsgi.version", "(1, 0)"),
        ("HTTP_AUTHORIZATION", "Bearer victim"), ("HTTP_TOUCHMARK_TOKEN", bound),
        ("REQUEST_METHOD", "GET"), ("headers", "x"), ("type", "http"),
    ]  # fmt: skip
    assert check(FORMS[form](pairs)).status is TokenStatus.MISSING
    with_token = [*pairs, ("Touchmark-Token", bound)]
    assert check(FORMS[form](with_token)).status is TokenStatus.UNBOUND


def test_what_is_no_text_is_no_header() -> None:
    for value in (None, 1, [], [None], {}, object()):
        headers: dict[Any, Any] = {"Touchmark-Token": value, 1: "x"}
        assert RequestHeaders(headers).get("Touchmark-Token") == ""


@pytest.mark.parametrize(
    "headers", [None, 1, "Touchmark-Token: x", b"x", ["ab"], [(b"a", b"b", 1)]]
)
def test_what_is_no_form_of_headers_is_a_type_error(headers: Any) -> None:
    with pytest.raises(TypeError, match="headers"):
        verifier().check_headers(headers)
