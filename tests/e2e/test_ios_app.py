"""An iOS app from its IPA to the token: the SDK's core on a played iPhone, against a real
service under the phone's roots."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from kit.iphone import PlayedIphone
from kit.registered_app import touchmark, touchmark_json
from kit.service import Service

TEAM = "TESTTEAM01"
BUNDLE = "org.example.iosapp"
API = "api.example.com"
OTHERS_APP = ["app.not-registered", "hardware.assurance", "hardware.other-app"]


def upload(service: Service, ipa: Path, query: str = "") -> Any:
    """What the command sends; it knows Apple's root alone, and would refuse the IPA first."""
    request = urllib.request.Request(
        f"{service.url}/admin/v1/registrations{query}",
        data=ipa.read_bytes(),
        headers={
            "Authorization": f"Bearer {service.credentials()['admin_token']}",
            "Content-Type": "application/octet-stream",
        },
    )
    context = ssl._create_unverified_context()
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return json.loads(answer.read())


@dataclass
class Place:
    service: Service
    phone: PlayedIphone
    folder: Path
    secrets: dict[str, str]
    registration: dict[str, Any]
    installed: int = 0

    def build(self, name: str, files: dict[str, str] | None = None, **how: object) -> Path:
        ipa = self.folder / f"{name}.ipa"
        config = {"touchmark-initial.config": str(self.folder / "initial.config")}
        self.phone.ask("build", ipa=str(ipa), files={**config, **(files or {})}, **how)
        return ipa

    def install(self, ipa: Path, **how: object) -> None:
        """On a phone of its own."""
        self.installed += 1
        storage = self.folder / f"storage-{self.installed}"
        storage.mkdir()
        config = str(self.folder / "initial.config")
        self.phone.ask("install", ipa=str(ipa), config=config, storage=str(storage), **how)

    def fetch(self) -> tuple[bool, list[str]]:
        """Whether the token is valid, and the findings in the service's log, sorted."""
        seen = self.service.log.stat().st_size
        answer = self.phone.ask("fetch", url=f"https://{API}/")
        assert "token" in answer, answer
        (event,) = [e for e in self.service.events(seen) if e.get("event") == "attest"]
        try:
            jwt.decode(answer["token"], self.secret("secret"), algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            jwt.decode(answer["token"], self.secret("decoy_secret"), algorithms=["HS256"])
            return False, sorted(event["findings"])
        return True, sorted(event["findings"])

    def secret(self, name: str) -> bytes:
        return base64.b64decode(self.secrets[name])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ios-app")
    with PlayedIphone() as phone:
        roots = phone.write_roots(folder / "roots.pem")
        service = Service(folder / "data", ["--hardware-roots", str(roots)]).start()
        try:
            touchmark(service, "api", "add", API, "--pin", base64.b64encode(bytes(32)).decode())
            touchmark(service, "sdk", "config", str(folder / "initial.config"), "--allow-local")
            secrets = touchmark_json(service, "secret", "get")
            made = Place(service, phone, folder, secrets, {})
            made.registration = upload(service, made.build("released"))
            yield made
        finally:
            service.stop()


def test_the_registration_says_what_is_in_the_app(place: Place) -> None:
    answer = place.registration
    assert (answer["platform"], answer["package"], answer["team"]) == ("iOS", BUNDLE, TEAM)
    assert answer["configuration"] == "own"
    assert answer["sdk_version"]
    assert [w["id"] for w in answer["warnings"] if w["id"] != "policy"] == []
    shown = touchmark(place.service, "registration", "show", answer["id"])
    assert TEAM in shown


def test_an_app_of_another_service_is_refused_with_that_service_s_address(place: Place) -> None:
    address = "https://other.example.com:8443"
    other = Service(place.folder / "other", ["--public-url", address]).start()
    try:
        touchmark(other, "sdk", "config", str(place.folder / "other.config"))
    finally:
        other.stop()
    config = {"touchmark-initial.config": str(place.folder / "other.config")}
    with pytest.raises(urllib.error.HTTPError) as refused:
        upload(place.service, place.build("of-another", config))
    assert refused.value.code == 422
    said = refused.value.read().decode()
    assert "service.other-service" in said and f"of another service ({address})" in said


def test_what_an_ios_app_lacks_is_named_as_xcode_has_it(place: Place) -> None:
    (place.folder / "nothing").write_text("")
    names = ("Touchmark_Touchmark.bundle/touchmark-sdk.json", "touchmark-initial.config")
    for name, warning, says in zip(
        names,
        ("no-sdk", "bad-configuration"),
        ("`touchmark sdk swift`", "the app's resources"),
        strict=True,
    ):
        ipa = place.build("lacking", {name: str(place.folder / "nothing")})
        found = {
            w["id"]: w["message"] for w in upload(place.service, ipa, "?dry_run=true")["warnings"]
        }
        assert says in found[warning], found


def test_the_genuine_app_gets_valid_tokens(place: Place) -> None:
    """As the App Store gives it out: encrypted, and signed again. The default policy."""
    place.install(place.build("store", encrypted=True))
    for _ in range(3):  # attested once, then asserted
        assert place.fetch() == (True, [])


def test_the_device_says_what_is_known_of_the_iphone(place: Place) -> None:
    place.install(place.folder / "released.ipa")
    assert place.fetch() == (True, [])
    device = place.phone.ask("fetch", url=f"https://{API}/")["device"]
    facts = touchmark_json(place.service, "device", "show", device)["appraisal"]["facts"]
    wanted = {
        "platform": "ios",
        "os_version": "18.1",
        "model": "iPhone17,1",
        "package": BUNDLE,
        "assurance": "secure-chip",
        "app_attest": {"production": True},
    }
    assert {name: facts.get(name) for name in wanted} == wanted
    assert '"app_attest":{"production":true}' in touchmark(place.service, "device", "show", device)


def test_a_thinned_app_is_the_registered_one(place: Place) -> None:
    """Registered for two processors; the store gives each phone its own."""
    release = place.build("universal", universal=True, seed=3)
    upload(place.service, release)
    for name, universal in [("whole", True), ("thinned", False)]:
        place.install(place.build(name, encrypted=True, seed=3, universal=universal))
        assert place.fetch() == (True, [])


def test_another_apps_key(place: Place) -> None:
    for app_id in [f"EVILTEAM01.{BUNDLE}", f"{TEAM}.org.example.evil"]:
        place.install(place.folder / "released.ipa", app_id=app_id)
        assert place.fetch() == (False, ["hardware.assurance", "hardware.other-app"])


def test_a_replayed_assertion(place: Place) -> None:
    place.install(place.folder / "released.ipa")
    assert place.fetch()[0]
    assert place.fetch()[0]
    place.phone.ask("change", replays=True)
    assert place.fetch() == (False, ["hardware.assurance", "hardware.refused"])
    place.phone.ask("change", replays=False)
    assert place.fetch() == (True, [])


@pytest.mark.parametrize(
    ("path", "finding"),
    [
        ("/var/jb/usr/lib/libellekit.dylib", "hook.framework"),
        ("/usr/lib/TweakInject.dylib", "hook.framework"),
        ("/private/var/mobile/x.dylib", "hook.unknown-code"),
    ],
)
def test_an_injected_image(place: Place, path: str, finding: str) -> None:
    place.install(place.folder / "released.ipa")
    assert place.fetch() == (True, [])
    place.phone.ask("load", path=path)
    assert place.fetch() == (False, [finding])


def test_changed_text(place: Place) -> None:
    place.install(place.folder / "released.ipa")
    (main,) = [one for one in place.phone.ask("images") if one["name"] == "Example"]
    ((address, size),) = main["parts"]["__TEXT.__text"]
    place.phone.ask("flip", address=address + size // 2)
    assert place.fetch() == (False, ["app.not-registered", "hook.text-modified"])
    place.phone.ask("flip", address=address + size // 2)
    assert place.fetch() == (True, [])


def test_an_app_that_was_changed_and_signed_again(place: Place) -> None:
    """By another team: whole as it is, and for its own team's key genuine."""
    ipa = place.build("evil", signer="other", seed=9)
    place.install(ipa, app_id=f"EVILTEAM01.{BUNDLE}")
    assert place.fetch() == (
        False,
        ["app.not-registered", "hardware.assurance", "hardware.other-app"],
    )


def test_a_gadget_in_the_apps_own_folder(place: Place) -> None:
    """With the load command that brings it, signed again by another team."""
    gadget = place.folder / "gadget"
    place.phone.ask("build", ipa=str(place.folder / "scrap.ipa"), signer="other")
    with zipfile.ZipFile(place.folder / "scrap.ipa") as scrap:
        gadget.write_bytes(scrap.read("Payload/Example.app/Frameworks/Kit.framework/Kit"))
    ipa = place.build(
        "gadget",
        signer="other",
        files={"Frameworks/Gadget.dylib": str(gadget)},
        libraries=["/usr/lib/libSystem.B.dylib", "@rpath/Gadget.dylib"],
    )
    place.install(ipa, app_id=f"EVILTEAM01.{BUNDLE}")
    assert place.fetch() == (
        False,
        ["app.not-registered", "hardware.assurance", "hardware.other-app"],
    )


def test_a_jailbroken_phone_and_a_debugger(place: Place) -> None:
    place.install(place.folder / "released.ipa")
    place.phone.ask("change", file="/var/jb")
    assert place.fetch() == (False, ["root.jailbreak"])
    place.phone.ask("change", traced=True)
    assert place.fetch() == (False, ["debug.attached", "root.jailbreak"])
