from __future__ import annotations

import base64
from typing import Any

import pytest

from tokens import OLD_SECRET, SECRET, token
from touchmark import Mode, Settings, SettingsError, TokenStatus

TEXT = base64.b64encode(SECRET).decode()
OLD_TEXT = base64.b64encode(OLD_SECRET).decode()


def read(**settings: Any) -> Settings:
    return Settings.read({"TOUCHMARK_SECRET": TEXT, **settings})


def test_a_secret_is_all_that_is_needed() -> None:
    settings = read()
    assert settings.mode is Mode.ENFORCE
    assert settings.verifier.header == "Touchmark-Token"
    assert settings.verifier.prefix == ""
    assert settings.verifier.check(token(exp=2**40)).valid


def test_several_secrets_are_for_rotation() -> None:
    verifier = read(TOUCHMARK_SECRET=f"{TEXT}, {OLD_TEXT}").verifier
    assert verifier.check(token(exp=2**40)).valid
    assert verifier.check(token(OLD_SECRET, exp=2**40)).valid


def test_every_setting_reaches_the_verifier() -> None:
    settings = read(
        TOUCHMARK_DECOY_SECRET=OLD_TEXT,
        TOUCHMARK_MODE="report",
        TOUCHMARK_TOKEN_HEADER="X-Attest",
        TOUCHMARK_TOKEN_PREFIX="Bearer ",
        TOUCHMARK_BINDING_HEADERS="Authorization, X-Session",
        TOUCHMARK_AUDIENCE="api",
        TOUCHMARK_ISSUER="svc",
    )
    verifier = settings.verifier
    assert settings.mode is Mode.REPORT
    assert (verifier.header, verifier.prefix) == ("X-Attest", "Bearer ")
    assert verifier.binding_headers == ("Authorization", "X-Session")
    assert verifier.check(token(OLD_SECRET)).status is TokenStatus.INVALID
    assert verifier.check(token(exp=2**40, aud="api", iss="svc")).valid
    assert verifier.check(token(exp=2**40, aud="api")).status is TokenStatus.MISDIRECTED
    assert verifier.check(token(exp=2**40, iss="svc")).status is TokenStatus.MISDIRECTED


def test_leeway_is_a_setting() -> None:
    import time

    late = token(exp=int(time.time()) - 30)
    assert read().verifier.check(late).status is TokenStatus.EXPIRED
    assert read(TOUCHMARK_LEEWAY="60").verifier.check(late).valid


@pytest.mark.parametrize(
    "settings, named",
    [
        ({"TOUCHMARK_SECRET": None}, "TOUCHMARK_SECRET"),
        ({"TOUCHMARK_SECRET": ""}, "TOUCHMARK_SECRET"),
        ({"TOUCHMARK_SECRET": " , "}, "TOUCHMARK_SECRET"),
        ({"TOUCHMARK_SECRET": "not base64!"}, "TOUCHMARK_SECRET"),
        ({"TOUCHMARK_SECRET": "c2hvcnQ="}, "5 bytes"),
        ({"TOUCHMARK_DECOY_SECRET": "?"}, "TOUCHMARK_DECOY_SECRET"),
        ({"TOUCHMARK_DECOY_SECRET": TEXT}, "decoy"),
        ({"TOUCHMARK_MODE": "Enforce"}, "TOUCHMARK_MODE"),
        ({"TOUCHMARK_MODE": "off"}, "TOUCHMARK_MODE"),
        ({"TOUCHMARK_LEEWAY": "a"}, "TOUCHMARK_LEEWAY"),
        ({"TOUCHMARK_LEEWAY": "-1"}, "leeway"),
        ({"TOUCHMARK_LEEWAY": "nan"}, "leeway"),
    ],
)
def test_a_bad_setting_is_named_and_no_secret_shown(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**settings)
    assert named in str(caught.value)
    assert TEXT not in str(caught.value)
