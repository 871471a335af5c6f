from __future__ import annotations

import base64
from typing import Any

import pytest

from tokens import OLD_SECRET, SECRET, token
from touchmark_attestation import Mode, Settings, SettingsError, TokenStatus, TokenVerifier

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


@pytest.mark.parametrize("leeway", ["60", "60.0", " 60 ", 60, 60.0])
def test_a_leeway_may_be_a_number_or_its_text(leeway: object) -> None:
    import time

    assert read(TOUCHMARK_LEEWAY=leeway).verifier.check(token(exp=int(time.time()) - 30)).valid


def test_a_mode_may_be_one() -> None:
    assert read(TOUCHMARK_MODE=Mode.REPORT).mode is Mode.REPORT


def test_none_is_not_set() -> None:
    names = ("DECOY_SECRET", "MODE", "TOKEN_HEADER", "TOKEN_PREFIX", "BINDING_HEADERS", "AUDIENCE")
    settings = read(**{f"TOUCHMARK_{name}": None for name in (*names, "ISSUER", "LEEWAY")})
    assert settings == Settings(settings.verifier, Mode.ENFORCE)
    assert settings.verifier.check(token(exp=2**40)).valid


def test_a_secret_may_end_with_the_line_of_its_file() -> None:
    assert read(TOUCHMARK_SECRET=f"{TEXT}\n").verifier.check(token(exp=2**40)).valid


@pytest.mark.parametrize("mode", ["enforce", "report", None, True])
def test_a_mode_that_is_none_is_not_taken_for_report(mode: Any) -> None:
    with pytest.raises(SettingsError, match=r"^mode "):
        Settings(TokenVerifier([SECRET]), mode)
    with pytest.raises(SettingsError, match=r"^verifier "):
        Settings(None, Mode.ENFORCE)  # type: ignore[arg-type]


def test_leeway_is_a_setting() -> None:
    import time

    late = token(exp=int(time.time()) - 30)
    assert read().verifier.check(late).status is TokenStatus.EXPIRED
    assert read(TOUCHMARK_LEEWAY="60").verifier.check(late).valid


SHORT = base64.b64encode(b"short").decode()
REFUSED: dict[str, list[Any]] = {
    "TOUCHMARK_SECRET": [
        None, "", " ", "\n", " , ", ",", f"{TEXT},", f",{TEXT}", f"{TEXT},,{OLD_TEXT}",
        "not base64!",
        "ü" * 44, TEXT[:-1], TEXT + "=", TEXT.replace("A", "-", 1), TEXT[:20] + "\n" + TEXT[20:],
        TEXT[:-2] + "9=", SHORT, f"{TEXT},{SHORT}", "A" * 40, TEXT.encode(), [TEXT], (TEXT,), 1,
        True, b"", {}, SECRET,
    ],
    "TOUCHMARK_DECOY_SECRET": [
        "", " ", "?", SHORT, TEXT, f"{OLD_TEXT},{OLD_TEXT}", OLD_TEXT[:-1], OLD_TEXT.encode(), 1,
        [],
    ],
    "TOUCHMARK_MODE": ["", " ", "Enforce", "Off", "report ", "enforcement", 0, True, False, b"x"],
    "TOUCHMARK_TOKEN_HEADER": [
        "", " ", "X Attest", " X-Attest", "X-Attest\n", "X-Attest:", "X,Y", "X-Ättest", "\0", b"X",
        1, ["X-Attest"], False,
    ],
    "TOUCHMARK_TOKEN_PREFIX": [
        "", " ", "Bearer\n", "\0", "Bärer ", "\x7f", b"Bearer ", 1, False, [],
    ],
    "TOUCHMARK_BINDING_HEADERS": [
        "", " ", ",", "Authorization,", "Authorization,,X-User", "Authorization;X-User", "X User",
        "X-User, x-user", "Touchmark-Token", "X\nY", "Authorization:", ["Authorization"], [],
        False, 1,
    ],
    "TOUCHMARK_AUDIENCE": ["", " ", "api\n", ["api"], 1, False, b"api"],
    "TOUCHMARK_ISSUER": ["", "\t", "svc\0", ["svc"], 1, False],
    "TOUCHMARK_LEEWAY": [
        "", "a", "-1", "nan", "inf", "301", "1e2", "1_0", "+1", "0x10", "٣", "5s", True, False, -1,
        301, float("nan"), [], b"5",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_a_bad_setting_is_named_and_no_secret_shown(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} ") and caught.value.setting == name
    # What to do stands behind a colon, or in what it must be.
    assert ": " in message or "must" in message
    assert message.isprintable() and len(message) < 200
    for secret in (TEXT, OLD_TEXT, SHORT):
        assert secret[:-2] not in message


def test_a_secret_that_is_too_short_says_by_how_much() -> None:
    with pytest.raises(SettingsError, match=r"of 5 bytes: 32 are needed"):
        read(TOUCHMARK_SECRET=SHORT)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOUCHMARK_MOD", "TOUCHMARK_MODE"),
        ("TOUCHMARK_MDOE", "TOUCHMARK_MODE"),
        ("TOUCHMARK_MODES", "TOUCHMARK_MODE"),
        ("TOUCHMARK_MODUS", "TOUCHMARK_MODE"),
        ("touchmark_mode", "TOUCHMARK_MODE"),
        ("TOUCHMARK-MODE", "TOUCHMARK_MODE"),
        ("TOUCHMARKMODE", "TOUCHMARK_MODE"),
        ("TOUCH_MARK_MODE", "TOUCHMARK_MODE"),
        ("TOCUHMARK_MODE", "TOUCHMARK_MODE"),
        ("TOUCHMARK_MODE ", "TOUCHMARK_MODE"),
        ("TOUCHMARK_SECRETS", "TOUCHMARK_SECRET"),
        ("TOUCHMARK_BINDING_HEADER", "TOUCHMARK_BINDING_HEADERS"),
        ("TOUCHMARK_TOKENHEADER", "TOUCHMARK_TOKEN_HEADER"),
        ("TOUCHMARK_AUDIANCE", "TOUCHMARK_AUDIENCE"),
        ("TOUCHMARK_LEAWAY", "TOUCHMARK_LEEWAY"),
        ("TOUCHMARK_DECOY_SERCET", "TOUCHMARK_DECOY_SECRET"),
        ("TOUCHMARK_ISUER", "TOUCHMARK_ISSUER"),
    ],
)
def test_a_name_with_a_typing_error_is_refused_with_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{name: "report"})
    assert str(caught.value) == f"{name} is not a setting: did you mean {meant}?"
    with pytest.raises(SettingsError):  # beside the right one, too
        read(**{name: "report", meant: "report"})


def test_any_other_unknown_name_of_ours_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    read(TOUCHMARK_HEADER="X-Attest", TOUCHMARK_ENFORCEMENT="on", TOUCHMARK_NEW=None)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "TOUCHMARK_HEADER is not a setting" in caplog.text
    assert "TOUCHMARK_ENFORCEMENT is not a setting" in caplog.text


def test_what_others_read_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    names = ("HOME", "URL", "TOKEN", "PIN", "PROFILE", "DATA", "LISTEN", "PUBLIC_URL")
    read(
        **{f"TOUCHMARK_{name}": "x" for name in names}, PATH="/bin", MODE="x", HOME="/", **{"": ""}
    )
    assert caplog.records == []
