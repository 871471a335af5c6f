"""A running service with one registered package, and what an attester and an API
server need of it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from kit import apk
from kit.service import BINARY, Service
from kit.soft_attester import App, SoftAttester, TlsConnection, b64url_decode


@dataclass
class RegisteredApp:
    service: Service
    url: str
    account: str
    app: App
    secret: bytes
    decoy_secret: bytes
    key: apk.SigningKey  # of the package

    @staticmethod
    def start(
        folder: Path,
        options: list[str] | None = None,
        policy: str = "default",
        files: dict[str, bytes] | None = None,
    ) -> RegisteredApp:
        """`policy`: what a new service starts with, the name of a preset, or a document.
        `files`: of the package, beside its manifest."""
        service = Service(folder / "data", options or []).start()
        if policy != "default":
            set_policy(service, policy, folder)
        package = folder / "app.apk"
        key = apk.SigningKey.generate()
        # Dex content of some size, so that the ranges of the proof differ from
        # challenge to challenge.
        content = files or {"classes.dex": b"dex\n035\0" + os.urandom(200_000)}
        package.write_bytes(apk.build(apk.compile_manifest("com.example.app"), key, content))
        touchmark(service, "registration", "add", str(package))
        secrets = touchmark_json(service, "secret", "get")
        # The app is on this machine, as the service is.
        touchmark(service, "sdk", "config", str(folder / "initial.config"), "--allow-local")
        payload = (folder / "initial.config").read_text().split(".")[1]
        account = json.loads(b64url_decode(payload))["account"]
        return RegisteredApp(
            service,
            service.url,
            account,
            App.of(package, touchmark_json(service, "package", "measure", str(package))),
            base64.b64decode(secrets["secret"]),
            base64.b64decode(secrets["decoy_secret"]),
            key,
        )

    def attester(self, app: App | None = None) -> SoftAttester:
        """A new installation of `app`, with a key and a connection of its own."""
        return SoftAttester(TlsConnection(self.url), self.account, app or self.app)

    def judge(self, attester: SoftAttester, **changed: Any) -> tuple[bool, list[str]]:
        """One attestation: whether the token is valid, and the findings in the service's log."""
        judged = self.judged(attester, **changed)
        return judged.valid, judged.event["findings"]

    def judged(
        self, attester: SoftAttester, challenge: dict[str, Any] | None = None, **changed: Any
    ) -> Judged:
        """One attestation, and all that is known of it."""
        seen = self.service.log.stat().st_size
        answer = attester.attest(challenge, **changed)
        assert answer.status == 200, answer.body
        token = answer.json()["token"]
        (event,) = [e for e in self.service.events(seen) if e.get("event") == "attest"]
        try:
            return Judged(True, jwt.decode(token, self.secret, algorithms=["HS256"]), event)
        except jwt.InvalidSignatureError:
            return Judged(False, jwt.decode(token, self.decoy_secret, algorithms=["HS256"]), event)


@dataclass
class Judged:
    valid: bool
    claims: dict[str, Any]  # of the token
    event: dict[str, Any]  # in the service's log


def set_policy(service: Service, policy: str, folder: Path) -> None:
    """Puts a preset, or a document, into force."""
    is_document = "\n" in policy
    text = policy if is_document else touchmark(service, "policy", "presets", policy)
    file = folder / "policy.toml"
    file.write_text(text)
    touchmark(service, "policy", "set", str(file))


def touchmark(service: Service, *arguments: str) -> str:
    """Runs the command as the service's administrator."""
    credentials = service.credentials()
    environment = {
        **os.environ,
        "TOUCHMARK_URL": service.url,
        "TOUCHMARK_TOKEN": credentials["admin_token"],
        "TOUCHMARK_PIN": credentials["pin"],
    }
    done = subprocess.run(
        [str(BINARY), *arguments], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def touchmark_json(service: Service, *arguments: str) -> Any:
    return json.loads(touchmark(service, *arguments, "--json"))
