"""The lab's world: starts each part when it is first needed, and stops them all."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from touchmark_lab import iphone, packages, pki, sdk
from touchmark_lab.console import Console
from touchmark_lab.device import Device, token_claims
from touchmark_lab.iphone import Iphone
from touchmark_lab.model import NO_REQUEST, Observed
from touchmark_lab.process import Daemon, Finished, LabError, Tail, run, wait_until
from touchmark_lab.servers import ApiCall, ApiServer, Mitm, Service, Verdict, api_calls, verdicts

TOKEN_LIFETIME_SECONDS = 3
"""Short, so that the story need not wait five minutes for a token to expire."""

PHONE = "phone"
MITM_PHONE = "phone-behind-mitm"
PRELOAD_PHONE = "phone-with-preload"
UNLOCKED_PHONE = "phone-unlocked"
CHAIN_PHONE = "phone-behind-forged-chain"
CHAIN_UNPINNED = "without-pinning-behind-forged-chain"


class Lab:
    """Not thread-safe, except for what it starts ahead. Close it whatever happens."""

    def __init__(self, root: Path, console: Console, touchmark: Path) -> None:
        self.root = root
        self.demo = root / "demo"
        self.console = console
        self.out = root / "build/lab/run"
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self._touchmark = touchmark
        self.env = self._environment()
        self.ca, api_identity = pki.make(self.out / "pki")
        self.hardware = pki.make_hardware(self.out / "hardware")
        self.iphone = Iphone(touchmark.parent / "touchmark_played_iphone", self.out / "iphone")
        if self.iphone.is_built:
            with self.hardware.root.open("a") as roots:
                roots.write(self.iphone.roots())
        self.service = Service(
            touchmark, self.out, cwd=self.demo, env=self.env, lifetime=TOKEN_LIFETIME_SECONDS,
            hardware_root=self.hardware.root,
        )  # fmt: skip
        self.api = ApiServer(root, self.out, api_identity, self.env)
        self._mitm: Mitm | None = None
        self._chain_mitm: Mitm | None = None
        self._secrets: dict[str, str] = {}
        self._devices: dict[str, Future[Device]] = {}
        self._devices_lock = threading.Lock()
        self._mitm_lock = threading.Lock()
        self.attacker = packages.Attacker(root, self.out, self.env)
        self.phone_abis: list[str] = []
        """Processors for which the release holds a library that phones run."""
        self._built = False
        self._registered_until: float | None = None
        self._iphone_registered = False
        self._dids: dict[str, str] = {}
        self._tokens_end: dict[str, float] = {}
        self._introduced: set[str] = set()
        self._settled: set[tuple[str, ...]] = set()
        self._stack = contextlib.ExitStack()
        self._closed = False

    def _environment(self) -> dict[str, str]:
        """The caller's, without what would point the commands at another service."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TOUCHMARK_", "LD_"))}
        env["PATH"] = f"{self._touchmark.parent}:{env.get('PATH', '')}"
        env["TOUCHMARK_HOME"] = str(self.out / "cli")
        env["PYTHON"] = str(self.root / ".venv/bin/python")
        return env

    # --- commands -------------------------------------------------------------------------------

    def show(self, done: Finished, limit: int = 30) -> Finished:
        self.console.command(done.shown)
        self.console.output(done.output, limit)
        return done

    def command(
        self,
        argv: Sequence[str],
        *,
        shown: str | None = None,
        expect: Sequence[int] | None = (0,),
        timeout: float = 120,
    ) -> Finished:
        """Runs a command in demo/ and shows it with its output."""
        return self.show(
            run(argv, cwd=self.demo, env=self.env, shown=shown, expect=expect, timeout=timeout)
        )

    def touchmark(self, *arguments: str, expect: Sequence[int] | None = (0,)) -> Finished:
        return self.command(["touchmark", *arguments], expect=expect)

    # --- set-up ---------------------------------------------------------------------------------

    def set_up(self) -> None:
        """The operator's part and the developer's: a service, a protected API, a release."""
        if self._built:
            return
        self.console.command(self._short(self.service.shown) + " &")
        self.service.wait_ready()
        file = str(self.service.credentials_file)
        self.touchmark("init", self.service.url, "--credentials", file)
        self.set_api_mode("report")
        self.touchmark("api", "add", self.api.domain)
        self.touchmark("sdk", "-getLibrary", "touchmark_sdk.aar")
        libraries = sdk.phone_libraries(self.root)
        self.phone_abis = sdk.add_phone_libraries(self.demo / "touchmark_sdk.aar", libraries)
        if self.phone_abis:
            self.console.say(
                f"The release also holds the libraries that were built for phones: "
                f"{', '.join(self.phone_abis)}."
            )
        # The phones of the lab are on this machine.
        self.touchmark("sdk", "-getConfig", packages.INITIAL_CONFIG, "--allow-local")
        self.command(["./bin/build-release", "--api-url", self.api.url], timeout=300)
        self._built = True

    def set_api_mode(self, mode: str) -> None:
        """Has the API server run in a mode: "enforce" or "report"."""
        if self.api.mode == mode:
            return
        if not self._secrets:
            lines = self._quiet("secret", "get", "--format", "env").output.split()
            self._secrets = dict(line.split("=", 1) for line in lines)
        self.api.start(mode, self._secrets)
        self.console.command(f"TOUCHMARK_MODE={mode} api-server/run --bind {self.api.domain} ... &")

    def register(self, seconds: int = 600) -> None:
        """Has the release registered for `seconds` from now."""
        known = self._registered_until
        if known is not None and seconds == 600 and known - time.monotonic() > 60:
            return
        self.touchmark("registration", "-add", str(packages.RELEASE), "-expireAfter", f"{seconds}s")
        self._registered_until = time.monotonic() + seconds

    def unregister(self) -> None:
        if self._registered_until is None:
            return
        listed = json.loads(self._quiet("registration", "list", "--json").output)
        for entry in listed["registrations"]:
            self.touchmark("registration", "remove", entry["id"])
        self._registered_until = None
        self._iphone_registered = False

    def prepare_iphone(self) -> None:
        """The service, the protected API, and the iOS app registered."""
        self.set_up()
        self.set_api_mode("enforce")
        if self._iphone_registered:
            return
        # `touchmark registration add` knows Apple's root alone, and refuses the lab's IPA before it
        # sends it. The service has the lab's roots.
        token = json.loads(self.service.credentials_file.read_text())["admin_token"]
        header = self.out / "iphone/authorization"
        header.touch(mode=0o600)
        header.write_text(f"Authorization: Bearer {token}\n")
        ipa = self.iphone.build("released", self._initial_config)
        url = f"{self.service.url}/admin/v1/registrations"
        self.command(
            ["curl", "-sSf", "--cacert", str(self.service.certificate), "-H", f"@{header}",
             "-H", "Content-Type: application/octet-stream", "--data-binary", f"@{ipa}", url],
            shown=f'curl -H "Authorization: Bearer $TOKEN" --data-binary @{ipa.name} {url}',
        )  # fmt: skip
        self._iphone_registered = True

    @property
    def _initial_config(self) -> Path:
        return self.demo / packages.INITIAL_CONFIG

    def install_on_iphone(
        self, name: str, app_id: str = f"{iphone.TEAM}.{iphone.BUNDLE}", **how: object
    ) -> None:
        """An IPA of that name, built as `how` says, on a new iPhone."""
        ipa = self.iphone.build(name, self._initial_config, **how)
        self.iphone.install(ipa, self._initial_config, app_id)
        self.console.command(
            f"[on a new iPhone] install {ipa.name}; App Attest's key is {app_id}'s"
        )

    def call_from_iphone(self) -> Observed:
        """The iPhone makes a new attestation, and its token goes to the API."""
        log = Tail(self.service.log)
        return self._called_with(self.iphone.token(self.api.url), log)

    def set_policy(self, preset: str) -> None:
        """Puts one of the policies that Touchmark comes with into force."""
        file = self.out / f"{preset}.toml"
        file.write_text(self._quiet("policy", "presets", preset).output)
        self.console.command(f"touchmark policy presets {preset} > policy.toml")
        self.command(
            ["touchmark", "policy", "set", str(file)], shown="touchmark policy set policy.toml"
        )

    def attack(self, name: str, *arguments: str) -> str:
        """Runs a program of lab/attackers to its end, and gives what it printed."""
        argv = [str(self.root / ".venv/bin/python"), str(self.root / "lab/attackers" / name)]
        shown = shlex.join([name, *map(self._short, arguments)])
        self.console.command(shown)
        return run(
            [*argv, *arguments], cwd=self.demo, env=self.env, shown=shown, timeout=300
        ).output

    def mint(self, name: str, *arguments: str) -> Observed:
        """Runs a program of lab/attackers that prints a token, and calls the API with it."""
        log = Tail(self.service.log)
        return self._called_with(self.attack(name, *arguments).strip(), log)

    def _called_with(self, token: str, log: Tail) -> Observed:
        """The API called with a token, and the service's verdict on it."""
        called = self.curl(f"Touchmark-Token: {token}", shown_headers=["Touchmark-Token: $TOKEN"])
        verdict = self.verdict(log, token_claims(token)["did"])
        if verdict is None:
            return dataclasses.replace(called, problems=("the service logged no verdict",))
        return dataclasses.replace(
            called,
            attested=verdict.passed,
            findings=verdict.findings,
            assurance=verdict.assurance,
        )

    def _quiet(self, *arguments: str) -> Finished:
        return run(["touchmark", *arguments], cwd=self.demo, env=self.env)

    @property
    def release(self) -> Path:
        return self.demo / packages.RELEASE

    @property
    def mitm(self) -> Mitm:
        with self._mitm_lock:
            if self._mitm is None:
                self._mitm = self._start_mitm()
            return self._mitm

    @property
    def chain_mitm(self) -> Mitm:
        """mitmproxy with a certificate whose sent chain ends at the API's own CA."""
        with self._mitm_lock:
            if self._chain_mitm is None:
                forged = pki.forge_chain(self.out / "forged-chain", self.ca)
                self._chain_mitm = self._start_mitm(forged)
            return self._chain_mitm

    def _start_mitm(self, forged: pki.ForgedChain | None = None) -> Mitm:
        return Mitm(
            self.root / ".venv/bin/mitmdump", self.out, self.ca.cert,
            cwd=self.out, env=self.env, forged=forged,
        )  # fmt: skip

    def show_mitm(self, mitm: Mitm) -> None:
        self.console.command(self._short(mitm.shown) + " &")

    # --- devices --------------------------------------------------------------------------------

    def device(self, name: str) -> Device:
        """The running device of that name; starts it when it is not."""
        with self._devices_lock:
            starter = name not in self._devices
            started = self._devices.setdefault(name, Future())
        if starter:
            try:
                started.set_result(self._start_device(name))
            except (LabError, OSError) as error:
                started.set_exception(error)
        device = started.result(timeout=300)
        device.wait_ready()
        return device

    def _start_device(self, name: str) -> Device:
        """Some phones have the release; each of the attacker's packages has a phone of its own."""
        trusted, proxy, env, apk = [self.ca.cert], None, self.env, self.release
        mitm = None
        if name in (MITM_PHONE, packages.WITHOUT_PINNING):
            mitm = self.mitm
        if name in (CHAIN_PHONE, CHAIN_UNPINNED):
            mitm = self.chain_mitm
        if mitm:
            mitm.wait_ready()
            trusted, proxy = [self.ca.cert, mitm.ca], mitm.proxy
        if name == PRELOAD_PHONE:
            env = {**self.env, "LD_PRELOAD": str(self.preload_library())}
        if name in packages.VARIANTS:
            apk = self.attacker.apk(name)
        if name == CHAIN_UNPINNED:
            apk = self.attacker.apk(packages.WITHOUT_PINNING)
        return Device(
            self.root, name, apk, folder=self.out / "devices", env=env, trusted=trusted,
            proxy=proxy, keybox=self.hardware.keybox,
            boot="unlocked" if name == UNLOCKED_PHONE else "verified",
        )  # fmt: skip

    def _introduce(self, device: Device) -> None:
        """Shows, once, how a device was started and what was installed on it."""
        if device.name in self._introduced:
            return
        self._introduced.add(device.name)
        ready = device.wait_ready()
        self.console.command(shlex.join(map(self._short, device.argv)) + " &")
        self.console.output(
            f"installed {ready['package']}, signature {ready['verified_by']}:"
            f" {self._short(ready['apk'])}"
        )

    def _short(self, path: str) -> str:
        """A path as one sees it from the demo's folder."""
        return path.replace(f"{self.demo}/", "").replace(f"{self.root}/", "../")

    def has_device(self, name: str) -> bool:
        """Whether the device was started already."""
        return name in self._devices

    def screenshot(self, device: Device, name: str) -> None:
        path = self.root / "build/lab" / name
        device.screenshot(path)
        self.console.output(f"screenshot: {path.relative_to(self.root)}")

    def start_ahead(self, names: Sequence[str]) -> None:
        """Starts devices in the background, one after another, while the story goes on."""

        def work() -> None:
            for name in names:
                if self._closed:
                    return
                # The row that needs the device meets the same error, and tells it.
                with contextlib.suppress(LabError, OSError, TimeoutError):
                    self.device(name)

        threading.Thread(target=work, name="start-ahead", daemon=True).start()

    def preload_library(self) -> Path:
        """The attacker's library for LD_PRELOAD, compiled when it is not there yet."""
        library = self.out / "libintercept.so"
        if not library.exists():
            source = str(self.root / "lab/attackers/preload.c")
            run(["gcc", "-shared", "-fPIC", "-o", str(library), source, "-ldl"],
                cwd=self.out, env=self.env)  # fmt: skip
        return library

    @contextlib.contextmanager
    def intruder(self, name: str, *arguments: str) -> Iterator[None]:
        """A program of lab/attackers that works on a running process while the block runs."""
        self.console.command(shlex.join([name, *arguments]))
        with self.attached(name, *arguments):
            yield

    @contextlib.contextmanager
    def attached(self, name: str, *arguments: str) -> Iterator[None]:
        """`intruder`, without a word."""
        folder = self.root / "lab/attackers"
        log = self.out / f"{name}.log"
        log.unlink(missing_ok=True)
        argv = [str(self.root / ".venv/bin/python"), str(folder / name), *arguments]
        intruder = Daemon(name, argv, cwd=folder, env=self.env, log=log)

        def attached() -> bool:
            intruder.check_alive()
            return "attached" in log.read_text(errors="replace")

        try:
            wait_until(f"{name} attaches", attached, timeout=60)
            yield
        finally:
            intruder.release()

    def settle_intruder(self, name: str, *arguments: str) -> None:
        """As `intruder`, but it stays until the lab ends; a second call finds it there."""
        if (name, *arguments) not in self._settled:
            self._stack.enter_context(self.intruder(name, *arguments))
            self._settled.add((name, *arguments))

    # --- attempts -------------------------------------------------------------------------------

    def convert(self, device: Device, api: int = 2) -> Observed:
        """One conversion on a device's screen, with what the servers' logs say of it."""
        self._introduce(device)
        self.console.command(f"[on {device.name}] 1 GBP in EUR, API V{api}, Convert")
        api_log, service_log = Tail(self.api.log), Tail(self.service.log)
        tokens_before = len(device.tokens())
        text = device.convert(api=api, value="1", source="GBP", target="EUR")
        fresh = device.tokens()[tokens_before:]
        if fresh:
            self._dids[device.name] = token_claims(fresh[-1])["did"]
        verdict = self.verdict(service_log, self._dids.get(device.name)) if fresh else None
        call = self._api_call(api_log, text)
        if call and call.status == 401:
            self._tokens_end.pop(device.name, None)  # the app threw its tokens away
        elif device.tokens():
            self._tokens_end[device.name] = time.monotonic() + TOKEN_LIFETIME_SECONDS + 0.5
        seen = Observed(
            got=text,
            status=call.status if call else NO_REQUEST,
            findings=verdict.findings if verdict else (),
            attested=verdict.passed if verdict else None,
            assurance=verdict.assurance if verdict else "",
        )
        self.console.output(f"the app shows: {text}")
        if verdict and not verdict.passed:
            self.console.output("the service refused it a valid token:")
            self.console.output("\n".join("  " + line for line in verdict.why()))
        return seen

    def _api_call(self, log: Tail, text: str) -> ApiCall | None:
        """The request that the API server logged; None when the app never got as far."""
        end = time.monotonic() + (0.3 if text.startswith("refused to connect") else 3)
        lines: list[str] = []
        while True:
            lines += log.lines()
            calls = api_calls(lines)
            if calls or time.monotonic() > end:
                return calls[-1] if calls else None
            time.sleep(0.02)

    def verdict(self, log: Tail, did: str | None) -> Verdict | None:
        """The service's verdict on this device; None when it used a token that it still had."""
        end = time.monotonic() + 1
        found: list[Verdict] = []
        while not found and time.monotonic() < end:
            found += [verdict for verdict in verdicts(log.lines()) if verdict.did == did]
            time.sleep(0.02)
        return found[-1] if found else None

    def curl(self, *headers: str, api: int = 2, shown_headers: Sequence[str] = ()) -> Observed:
        """A script in place of the app."""
        version = "" if api == 1 else "/v2"
        url = f"{self.api.url}{version}/currency/convert/1/from/GBP/to/EUR"
        argv = ["curl", "-sS", "--cacert", str(self.ca.cert), "-w", " [%{http_code}]\n"]
        shown = ["curl", "-sS", "--cacert", "ca.pem"]
        for header, short in zip(headers, shown_headers or headers, strict=True):
            argv += ["-H", header]
            shown += ["-H", short]
        done = self.command([*argv, url], shown=shlex.join([*shown, url]))
        body, status = done.output.strip().rsplit(" [", 1)
        return Observed(got=body, status=int(status.rstrip("]")))

    def wait_for_fresh_attestation(self, device: Device) -> None:
        """Waits until a token that a device may still hold has ended.

        The SDK may have fetched one more than the log shows, ahead of need,
        when the app last asked.
        """
        seconds = self._tokens_end.get(device.name, 0.0) - time.monotonic()
        if seconds > 0:
            if seconds >= 1:
                self.console.say(f"(waiting {seconds:.0f} s for the phone's token to end)")
            time.sleep(seconds)

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends every process that the lab started, all at once."""
        self._closed = True
        with self._devices_lock:
            devices = list(self._devices.values())
        self._stack.close()
        stops: list[Callable[[], None]] = [
            functools.partial(_stop_device, started) for started in devices
        ]
        stops += [mitm.daemon.stop for mitm in (self._mitm, self._chain_mitm) if mitm]
        stops += [self.api.stop, self.service.daemon.stop, self.iphone.stop]
        with ThreadPoolExecutor(len(stops)) as pool:
            for done in [pool.submit(stop) for stop in stops]:
                done.result()


def _stop_device(started: Future[Device]) -> None:
    with contextlib.suppress(LabError, OSError, TimeoutError):
        started.result(timeout=60).stop()
