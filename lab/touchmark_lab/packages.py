"""The packages of the story: the developer's release, and what the attacker makes of it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from touchmark_lab.process import Finished, run

RELEASE = Path("app/build/outputs/apk/release/app-release.apk")
INITIAL_CONFIG = "app/src/main/assets/touchmark-initial.config"
_REPACKAGED = Path(".local/apktool/decoded-apk/repackaged-and-signed.apk")

UNCHANGED = "unchanged"
WITHOUT_PINNING = "without-pinning"
WITHOUT_SDK = "without-sdk"
VARIANTS = (UNCHANGED, WITHOUT_PINNING, WITHOUT_SDK)


class Attacker:
    """Unpacks the release once and repackages it three times, each step on top of the one before.

    Runs on a thread of its own, ahead of the story; the story shows each step's commands and their
    output when it comes to them.
    """

    def __init__(self, root: Path, out: Path, env: Mapping[str, str]) -> None:
        self._root = root
        self._demo = root / "demo"
        self._out = out
        self._env = env
        self._steps: dict[str, Future[list[Finished]]] = {name: Future() for name in VARIANTS}
        self._started = False

    def start(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._work, name="attacker", daemon=True).start()

    def commands(self, variant: str) -> list[Finished]:
        """What was run to make the variant; waits for it."""
        self.start()
        return self._steps[variant].result(timeout=300)

    def apk(self, variant: str) -> Path:
        self.commands(variant)
        return self._path(variant)

    def _path(self, variant: str) -> Path:
        return self._out / f"{variant}.apk"

    def _work(self) -> None:
        edits: dict[str, Callable[[], Finished]] = {
            UNCHANGED: lambda: self._script("./bin/unpack-apk"),
            WITHOUT_PINNING: lambda: self._script("./bin/remove-pinning"),
            WITHOUT_SDK: lambda: self._script("../lab/attackers/remove-sdk"),
        }
        for variant, edit in edits.items():
            try:
                done = [edit(), self._script("./bin/repackage-apk")]
                shutil.copy(self._demo / _REPACKAGED, self._path(variant))
                self._steps[variant].set_result(done)
            except Exception as error:  # whatever it is, whoever waits for the step is told
                for step in self._steps.values():
                    if not step.done():
                        step.set_exception(error)
                return

    def _script(self, name: str) -> Finished:
        return run([str(self._demo / name)], cwd=self._demo, env=self._env, shown=name)
