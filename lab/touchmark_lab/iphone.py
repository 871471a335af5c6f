"""The lab's iPhone: the SDK's own core over an iOS app's images, mapped as dyld maps them
(attester/testing/played_iphone.h). The Secure Enclave, App Attest and who signs iOS apps are the
program's, under roots that it makes at its start."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from kit.iphone import PlayedIphone
from touchmark_lab.model import Skipped
from touchmark_lab.process import LabError

BUNDLE = "org.example.iosapp"
TEAM = "TESTTEAM01"
OTHER_TEAM = "EVILTEAM01"
EXECUTABLE = "Example"


class Iphone:
    """One phone at a time; each installation is on a new one."""

    def __init__(self, program: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._program = program
        self._folder = folder
        self._installations = 0

    @property
    def is_built(self) -> bool:
        return self._program.is_file()

    @functools.cached_property
    def _played(self) -> PlayedIphone:
        if not self.is_built:
            raise Skipped("the played iPhone was not built: `make build`")
        return PlayedIphone(self._program)

    def ask(self, what: str, **arguments: object) -> Any:
        try:
            return self._played.ask(what, **arguments)
        except (RuntimeError, OSError) as error:
            raise LabError(f"the iPhone, asked to {what}: {error}") from None

    def roots(self) -> str:
        """PEM: of the Secure Enclaves, and of who may sign iOS apps."""
        return str(self.ask("roots")["pem"])

    def build(self, name: str, config: Path, **how: object) -> Path:
        """An IPA with the SDK's initial configuration. `how` is `signer`, `encrypted`, `seed`."""
        ipa = self._folder / f"{name}.ipa"
        self.ask("build", ipa=str(ipa), files={"touchmark-initial.config": str(config)}, **how)
        return ipa

    def install(self, ipa: Path, config: Path, app_id: str = f"{TEAM}.{BUNDLE}") -> None:
        """On a new phone. `app_id` is the app whose App Attest key the phone has."""
        self._installations += 1
        storage = self._folder / f"storage-{self._installations}"
        storage.mkdir()
        self.ask("install", ipa=str(ipa), config=str(config), storage=str(storage), app_id=app_id)

    def token(self, url: str) -> str:
        """A token for `url` from a new attestation of the phone."""
        answer = self.ask("fetch", url=url)
        if "token" not in answer:
            raise LabError(f"the iPhone got no token: {answer.get('error')}")
        return str(answer["token"])

    def text_address(self) -> int:
        """Where the middle of the main executable's instructions is."""
        (main,) = [one for one in self.ask("images") if one["name"] == EXECUTABLE]
        ((address, size),) = main["parts"]["__TEXT.__text"]
        return int(address) + int(size) // 2

    def stop(self) -> None:
        if "_played" in self.__dict__:
            self._played.close()
