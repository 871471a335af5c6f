from __future__ import annotations

import base64
import logging
import time
from typing import Any

import pytest
from flask import Flask, g
from werkzeug.test import TestResponse

import touchmark_attestation.flask
from tokens import SECRET, token
from touchmark_attestation import Mode, Settings, SettingsError, TokenStatus, TokenVerifier
from touchmark_attestation.flask import check_touchmark_token
from touchmark_attestation.verifier import derive_decoy_secret

SECRET_TEXT = base64.b64encode(SECRET).decode()


def make_app(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update({"TESTING": True, "TOUCHMARK_SECRET": SECRET_TEXT, **config})
    calls = app.extensions["calls"] = []

    @app.get("/v2/rates/<name>")
    @check_touchmark_token
    def rates(name: str) -> dict[str, Any]:
        """The rates."""
        calls.append(g.touchmark.status)
        return {"name": name, "did": g.touchmark.claims.get("did")}

    return app


def get(
    app: Flask, text: str | None = None, path: str = "/v2/rates/EUR", **headers: str
) -> TestResponse:
    if text is not None:
        headers["Touchmark-Token"] = text
    return app.test_client().get(path, headers=headers)


def fresh(secret: bytes = SECRET, **claims: Any) -> str:
    return token(secret, **{"exp": int(time.time()) + 60, **claims})


REFUSED = {
    "missing": None,
    "malformed": "x.y.z",
    "expired": fresh(exp=int(time.time()) - 1),
    "invalid": fresh(derive_decoy_secret(SECRET)),
    "forged": fresh(b"x" * 32),
}


def test_a_valid_token_reaches_the_view_with_its_claims() -> None:
    app = make_app()
    response = get(app, fresh())
    assert (response.status_code, response.get_json()["did"]) == (200, "VpbvaHuFztxhsx472W4Vgg==")


@pytest.mark.parametrize("kind", REFUSED)
def test_every_other_request_gets_the_same_401(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()
    response = get(app, REFUSED[kind])
    assert response.status_code == 401
    assert response.data == b"{}"
    assert response.mimetype == "application/json"
    assert sorted(response.headers.keys()) == sorted(get(app).headers.keys())
    assert response.headers["WWW-Authenticate"] == "Touchmark"
    assert app.extensions["calls"] == []


@pytest.mark.parametrize("kind", REFUSED)
def test_the_log_says_which_and_never_the_token(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = REFUSED[kind]
    get(make_app(), text)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("touchmark", logging.WARNING)
    assert record.getMessage().startswith("refused GET '/v2/rates/EUR' from 127.0.0.1: " + kind)
    if text:
        assert text not in caplog.text
        assert text.split(".")[2] not in caplog.text


@pytest.mark.parametrize("kind", REFUSED)
def test_report_mode_serves_and_says_what_it_would_do(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(TOUCHMARK_MODE="report")
    assert get(app, REFUSED[kind]).status_code == 200
    assert app.extensions["calls"] == [TokenStatus(kind)]
    assert f"would refuse GET '/v2/rates/EUR' from 127.0.0.1: {kind}" in caplog.text


def test_report_mode_gives_no_claims_of_a_forged_token() -> None:
    app = make_app(TOUCHMARK_MODE="report")
    assert get(app, REFUSED["forged"]).get_json()["did"] is None


def test_a_client_cannot_write_lines_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    get(make_app(), "x\u2028y", path="/v2/rates/a%0aaccepted%20b%0d%1b[2J")
    (record,) = caplog.records
    assert record.getMessage().isascii() and record.getMessage().isprintable()


def test_header_and_binding_are_settings() -> None:
    from touchmark_attestation.verifier import binding_claim

    app = make_app(TOUCHMARK_TOKEN_HEADER="X-Attest", TOUCHMARK_BINDING_HEADERS="Authorization")
    bound = fresh(pay=binding_claim("Bearer u"))
    assert get(app, **{"x-attest": bound, "authorization": "Bearer u"}).status_code == 200
    assert get(app, **{"x-attest": bound, "authorization": "Bearer v"}).status_code == 401
    assert get(app, **{"x-attest": bound}).status_code == 401
    assert get(app, bound, Authorization="Bearer u").status_code == 401


def test_settings_come_from_the_environment_and_the_app_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOUCHMARK_SECRET", base64.b64encode(b"e" * 32).decode())
    monkeypatch.setenv("TOUCHMARK_MODE", "report")
    app = make_app(TOUCHMARK_MODE="enforce")
    assert get(app, fresh()).status_code == 200
    assert get(app, fresh(b"e" * 32)).status_code == 401
    del app.config["TOUCHMARK_SECRET"]
    touchmark_attestation.flask.init_app(app)
    assert get(app, fresh(b"e" * 32)).status_code == 200


def test_without_a_secret_the_app_does_not_start_and_never_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOUCHMARK_SECRET", raising=False)
    app = make_app()
    del app.config["TOUCHMARK_SECRET"]
    with pytest.raises(SettingsError):
        touchmark_attestation.flask.init_app(app)
    app.config["TESTING"] = False
    assert get(app, fresh()).status_code == 500
    assert app.extensions["calls"] == []


def test_settings_can_be_passed() -> None:
    app = make_app()
    verifier = TokenVerifier([b"p" * 32])
    touchmark_attestation.flask.init_app(app, Settings(verifier, Mode.ENFORCE))
    assert get(app, fresh(b"p" * 32)).status_code == 200
    assert get(app, fresh()).status_code == 401


PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}


def make_cors_app(**config: Any) -> Flask:
    """An app whose view answers OPTIONS by itself, as CORS extensions have it."""
    app = make_app(**config)

    @app.route("/cors", methods=["GET", "PUT", "OPTIONS"])
    @check_touchmark_token
    def cors() -> tuple[dict[str, Any], int, dict[str, str]]:
        app.extensions["calls"].append(g.touchmark.status)
        return {"secret": "value"}, 200, {"Access-Control-Allow-Origin": "https://a.example"}

    return app


def test_a_preflight_passes_without_a_token(caplog: pytest.LogCaptureFixture) -> None:
    app = make_cors_app()
    response = app.test_client().options("/cors", headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert app.extensions["calls"] == [TokenStatus.PREFLIGHT]
    assert caplog.records == []


def test_a_preflight_gets_no_body_whatever_the_view_returns() -> None:
    response = make_cors_app().test_client().options("/cors", headers=PREFLIGHT)
    assert (response.data, response.headers["Content-Length"]) == (b"", "0")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("OPTIONS", {}),
        ("OPTIONS", {"Origin": "https://a.example"}),
        ("OPTIONS", {"Access-Control-Request-Method": "PUT"}),
        ("OPTIONS", {**PREFLIGHT, "Origin": ""}),
        ("OPTIONS", {**PREFLIGHT, "Access-Control-Request-Method": "P T"}),
        ("GET", PREFLIGHT),
        ("PUT", PREFLIGHT),
        ("HEAD", PREFLIGHT),
        ("PUT", {**PREFLIGHT, "X-HTTP-Method-Override": "OPTIONS"}),
    ],
)
def test_what_is_no_preflight_needs_a_token(method: str, headers: dict[str, str]) -> None:
    app = make_cors_app()
    refused = app.test_client().open("/cors", method=method, headers=headers)
    assert (refused.status_code, app.extensions["calls"]) == (401, [])
    served = app.test_client().open(
        "/cors", method=method, headers={**headers, "Touchmark-Token": fresh()}
    )
    assert (served.status_code, app.extensions["calls"]) == (200, [TokenStatus.VALID])


def test_options_that_flask_answers_reaches_no_view() -> None:
    app = make_app()
    for headers in ({}, PREFLIGHT):
        response = app.test_client().options("/v2/rates/EUR", headers=headers)
        assert (response.status_code, response.data) == (200, b"")
        assert "GET" in response.headers["Allow"]
    assert app.extensions["calls"] == []


def test_a_preflight_of_an_async_view_passes() -> None:
    app = make_app()

    @app.route("/async", methods=["OPTIONS"])
    @check_touchmark_token
    async def later() -> tuple[str, int]:
        return "", 204

    assert app.test_client().options("/async", headers=PREFLIGHT).status_code == 204
    assert app.test_client().options("/async").status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOUCHMARK_SECRET", "short"),
        ("TOUCHMARK_SECRET", SECRET),
        ("TOUCHMARK_TOKEN_HEADER", ""),
        ("TOUCHMARK_TOKEN_HEADER", "X Attest"),
        ("TOUCHMARK_TOKEN_PREFIX", "Bearer\n"),
        ("TOUCHMARK_BINDING_HEADERS", ["Authorization"]),
        ("TOUCHMARK_AUDIENCE", ""),
        ("TOUCHMARK_LEEWAY", True),
        ("TOUCHMARK_MODE", False),
    ],
)
def test_a_bad_setting_stops_the_start(
    name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(**{name: value})
    with pytest.raises(SettingsError, match=rf"^{name} "):
        touchmark_attestation.flask.init_app(app)
    if isinstance(value, str):
        monkeypatch.setenv("TOUCHMARK_SECRET", SECRET_TEXT)
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=rf"^{name} "):
            touchmark_attestation.flask.init_app(Flask(__name__))


def test_settings_of_another_type_stop_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^settings must be .*, not dict$"):
        touchmark_attestation.flask.init_app(make_app(), {"TOUCHMARK_SECRET": SECRET_TEXT})  # type: ignore[arg-type]


def test_the_view_keeps_its_name_and_documentation() -> None:
    view = make_app().view_functions["rates"]
    assert (view.__name__, view.__doc__) == ("rates", "The rates.")


def test_an_async_view_is_awaited() -> None:
    app = make_app()

    @app.get("/async")
    @check_touchmark_token
    async def later() -> dict[str, bool]:
        return {"later": True}

    assert get(app, path="/async").status_code == 401
    assert get(app, fresh(), path="/async").json == {"later": True}
