"""The promises of the README, each as one test over the service with its defaults.

A test's docstring begins with the promise in the README's words. The lab shows the same with a real
app and the attackers' own tools.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from kit import apk, hardware
from kit.hardware import AndroidPhone, vouched
from kit.registered_app import RegisteredApp, touchmark_json
from kit.soft_attester import App, SoftAttester

README = Path(__file__).resolve().parents[2] / "README.md"

Install = Callable[..., SoftAttester]


@pytest.fixture(scope="module")
def phone() -> AndroidPhone:
    return AndroidPhone()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, phone: AndroidPhone) -> Iterator[RegisteredApp]:
    """A service that trusts the root of the phone here, and has its defaults otherwise."""
    folder = tmp_path_factory.mktemp("promises")
    root = phone.write_root(folder / "root.pem")
    started = RegisteredApp.start(folder, ["--hardware-roots", str(root)])
    yield started
    started.service.stop()


@pytest.fixture
def install(app: RegisteredApp) -> Iterator[Install]:
    """New installations, of the registered app unless told otherwise."""
    made: list[SoftAttester] = []

    def run(of: App | None = None) -> SoftAttester:
        made.append(app.attester(of))
        return made[-1]

    yield run
    for attester in made:
        attester.connection.close()


def test_the_registered_app(app: RegisteredApp, install: Install, phone: AndroidPhone) -> None:
    """The registered app passes."""
    installation = install()
    assert app.judge(installation, submods=vouched(phone, installation)) == (True, [])


def test_a_script(app: RegisteredApp, install: Install) -> None:
    """A script is refused."""
    # The attester of these tests is that script: it has the package and speaks the protocol.
    assert app.judge(install()) == (False, ["hardware.assurance"])
    host = {"sdk": {"platform": "Linux", "version": "0.1.0", "build": "host"}}
    assert app.judge(install(), **host)[0] is False


def test_a_changed_app(
    app: RegisteredApp, install: Install, phone: AndroidPhone, tmp_path: Path
) -> None:
    """A changed app is refused."""
    # By the app's own team, even: the same certificate, and one bit of one file.
    dex = bytearray(app.app.parts["classes.dex"])
    dex[-1] ^= 1
    package = tmp_path / "changed.apk"
    manifest = apk.compile_manifest("com.example.app")
    package.write_bytes(apk.build(manifest, app.key, {"classes.dex": bytes(dex)}))
    measured = touchmark_json(app.service, "package", "measure", str(package))
    installation = install(App.of(package, measured))
    passed, findings = app.judge(installation, submods=vouched(phone, installation))
    assert (passed, findings) == (False, ["app.not-registered"])
    # And one that says it is the registered one.
    lying = install(App(app.app.measurement, {**app.app.parts, "classes.dex": bytes(dex)}))
    passed, findings = app.judge(lying, submods=vouched(phone, lying))
    assert not passed and "app.claims-mismatch" in findings


@pytest.mark.parametrize(
    "finding",
    ["hook.text-modified", "hook.import-redirected", "hook.unknown-code", "hook.framework",
     "hook.preload", "debug.attached", "debug.breakpoint"],
)  # fmt: skip
def test_a_hooked_app(
    app: RegisteredApp, install: Install, phone: AndroidPhone, finding: str
) -> None:
    """A hooked app is refused."""
    installation = install()
    submods = vouched(phone, installation)
    found = [{"id": finding, "detail": "libc.so"}]
    assert app.judge(installation, submods=submods, findings=found) == (False, [finding])


def test_a_man_in_the_middle(app: RegisteredApp, install: Install, phone: AndroidPhone) -> None:
    """A man in the middle is refused."""
    victim, relay = install(), install()
    submods = vouched(phone, victim)
    evidence = victim.sign({**victim.claims(victim.challenge()), "submods": submods})
    seen = app.service.log.stat().st_size
    token = relay.send(evidence).json()["token"]
    jwt.decode(token, app.decoy_secret, algorithms=["HS256"])
    (event,) = [e for e in app.service.events(seen) if e.get("event") == "attest"]
    assert event["findings"] == ["network.mitm"]


UNLOCKED = {"locked": False, "boot_state": hardware.UNVERIFIED}
OTHER_SYSTEM = {"boot_state": hardware.SELF_SIGNED, "boot_key": bytes(range(32))}


@pytest.mark.parametrize(
    "boot, expected",
    [(UNLOCKED, ["boot.unlocked", "boot.unverified"]), (OTHER_SYSTEM, ["boot.unverified"])],
)
def test_an_unsound_phone(
    app: RegisteredApp,
    install: Install,
    phone: AndroidPhone,
    boot: dict[str, Any],
    expected: list[str],
) -> None:
    """An unsound phone is refused."""
    installation = install()
    submods = vouched(phone.with_boot(**boot), installation)
    assert app.judge(installation, submods=submods) == (False, expected)


def test_the_answer(app: RegisteredApp, install: Install, phone: AndroidPhone) -> None:
    """The answer tells nothing."""
    # test_decoy.py compares a thousand of each, and how the ranges are drawn.
    good, bad = install(), install()
    submods = vouched(phone, good)  # not the other's key
    shapes = set()
    for attester, secret in ((good, app.secret), (bad, app.decoy_secret)):
        answer = attester.attest(submods=submods)
        body = answer.json()
        claims = jwt.decode(body["token"], secret, algorithms=["HS256"])
        header = str(jwt.get_unverified_header(body["token"]))
        names = tuple((name.lower(), len(value)) for name, value in answer.headers)
        shapes.add((answer.status, names, len(answer.body), tuple(body), header, tuple(claims)))
    assert len(shapes) == 1, shapes


def test_every_promise_of_the_readme_has_its_test() -> None:
    tests = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    held = {test.__doc__ for name, test in tests if name.startswith("test_") and test.__doc__}
    promised = re.findall(r"^\d\. \*\*(.+?)\*\*", README.read_text(), re.MULTILINE)
    assert len(promised) == 7
    assert set(promised) == held
