"""The lab's servers: Touchmark's service, the API server, and the attacker's proxy."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shlex
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touchmark_lab.pki import ForgedChain, Identity
from touchmark_lab.process import Daemon, LabError, Tail, free_port, wait_until

# Of one request; the check also says which mode is on, and what it has counted.
_CHECK_LINE = re.compile(r" touchmark: (accepted|refused|would refuse) ")
_API_LINE = re.compile(r" INFO api: \S+ \S+ (\S+) (\d{3}) ")


class Service:
    """`touchmark serve` with a data folder of its own."""

    def __init__(
        self,
        touchmark: Path,
        folder: Path,
        *,
        cwd: Path,
        env: Mapping[str, str],
        lifetime: int,
        hardware_root: Path,
    ) -> None:
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.log = folder / "service.log"
        self.certificate = folder / "data/tls-cert.pem"
        self.credentials_file = folder / "credentials.json"
        # In the place of Google's list, which a lab without a network cannot fetch.
        revoked = folder / "revoked.json"
        revoked.write_text(json.dumps({"entries": {}}))
        argv = [
            str(touchmark), "serve", "--data", str(folder / "data"),
            "--listen", f"127.0.0.1:{self.port}", "--public-url", self.url,
            "--credentials-file", str(self.credentials_file),
            "--token-lifetime", f"{lifetime}s", "--allow-host-builds",
            "--hardware-roots", str(hardware_root), "--revocation", str(revoked),
            "--log-format", "json",
        ]  # fmt: skip
        self.shown = "touchmark " + shlex.join(argv[1:])
        self.daemon = Daemon("the service", argv, cwd=cwd, env=env, log=self.log)

    def wait_ready(self) -> None:
        """Until it answers, and the credentials that its first start made are in their file."""
        self.daemon.wait_for_port(self.port)
        wait_until("the service writes its credentials", self.credentials_file.exists)


class ApiServer:
    """The Currency Converter's API server, which can be started again in another mode."""

    def __init__(
        self, root: Path, folder: Path, identity: Identity, env: Mapping[str, str]
    ) -> None:
        self.port = free_port()
        self.domain = f"localhost:{self.port}"
        self.url = f"https://{self.domain}"
        self.log = folder / "api-server.log"
        self._root = root
        self._env = dict(env)
        self._output = folder / "api-server.out"
        self.argv = [
            str(root / "demo/api-server/run"), "--cert", str(identity.cert),
            "--key", str(identity.key), "--bind", f"127.0.0.1:{self.port}", "--log", str(self.log),
        ]  # fmt: skip
        self._daemon: Daemon | None = None
        self.mode = ""

    def start(self, mode: str, secrets: Mapping[str, str]) -> None:
        """`mode` is "enforce" or "report"; `secrets` what `touchmark secret get` gave."""
        self.stop()
        env = {**self._env, **secrets, "TOUCHMARK_MODE": mode}
        self._daemon = Daemon(
            "the API server", self.argv, cwd=self._root / "demo", env=env, log=self._output
        )
        self._daemon.wait_for_port(self.port)
        # Its port is open before its worker has started, and a token may end meanwhile.
        wait_until("the API server answers", self._answers)
        self.mode = mode

    def _answers(self) -> bool:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=10, context=ssl._create_unverified_context()
        )
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        if self._daemon:
            self._daemon.stop()
            self._daemon = None


@dataclass(frozen=True)
class ApiCall:
    """A request that reached the API server, from its log, with the lines the
    check wrote about it."""

    path: str
    status: int
    check: tuple[str, ...]


def api_calls(lines: list[str]) -> list[ApiCall]:
    calls: list[ApiCall] = []
    check: list[str] = []
    for line in lines:
        if _CHECK_LINE.search(line):
            check.append(line)
        elif found := _API_LINE.search(line):
            calls.append(ApiCall(found[1], int(found[2]), tuple(check)))
            check = []
    return calls


@dataclass(frozen=True)
class Verdict:
    """What the service decided on one piece of evidence, from its log."""

    passed: bool
    did: str
    findings: tuple[str, ...]
    details: tuple[str, ...] = ()
    """What the findings are about, for people."""
    assurance: str = ""
    """Who vouches for the installation key."""

    def why(self, limit: int = 4) -> list[str]:
        """The findings with what each is about, a line each; no more than `limit` of them."""
        explained = {detail.split(":")[0] for detail in self.details}
        lines = [*(finding for finding in self.findings if finding not in explained), *self.details]
        # One of each kind first: a single hook may be found in many places.
        first = {line.split(":")[0]: line for line in reversed(lines)}
        lines.sort(key=lambda line: line is not first[line.split(":")[0]])
        more = len(lines) - limit
        return [*lines[:limit], f"and {more} more"] if more > 0 else lines


def verdicts(lines: list[str]) -> list[Verdict]:
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a line from before the log was set up
        if entry.get("event") == "attest":
            found.append(
                Verdict(
                    bool(entry["passed"]),
                    str(entry["did"]),
                    tuple(entry["findings"]),
                    tuple(entry.get("details", ())),
                    str(entry.get("assurance", "")),
                )
            )
    return found


class Mitm:
    """mitmproxy between a device and the internet, with a CA of its own, or with a certificate and
    chain that it is given."""

    def __init__(
        self,
        mitmdump: Path,
        folder: Path,
        upstream_ca: Path,
        *,
        cwd: Path,
        env: Mapping[str, str],
        forged: ForgedChain | None = None,
    ) -> None:
        name = "mitmproxy-with-chain" if forged else "mitmproxy"
        self.port = free_port()
        self.proxy = f"127.0.0.1:{self.port}"
        self.ca = forged.device_ca if forged else folder / name / "mitmproxy-ca-cert.pem"
        self.log = folder / f"{name}.log"
        argv = [
            str(mitmdump), "--listen-host", "127.0.0.1", "--listen-port", str(self.port),
            "--set", f"confdir={folder / name}", "--set", "flow_detail=1",
            "--set", f"ssl_verify_upstream_trusted_ca={upstream_ca}",
            *(["--certs", f"*={forged.served}"] if forged else []),
        ]  # fmt: skip
        self.shown = "mitmdump " + shlex.join(argv[1:])
        self.daemon = Daemon(name, argv, cwd=cwd, env=env, log=self.log)
        self.tail = Tail(self.log)

    def wait_ready(self) -> None:
        self.daemon.wait_for_port(self.port, timeout=60)
        wait_until("mitmproxy writes its CA", self.ca.exists)
        if not self.ca.stat().st_size:
            raise LabError("mitmproxy's CA is empty")

    def flows(self, path: str) -> list[str]:
        """The requests for a path, with their answers, since the log was last looked at."""
        wanted: list[str] = []

        def logged() -> bool:
            lines = self.tail.lines()
            for number, line in enumerate(lines):
                if f"GET {'https://'}" in line and path in line:
                    wanted.extend(lines[number : number + 2])
            return bool(wanted)

        with contextlib.suppress(LabError):
            wait_until("mitmproxy logs the flow", logged, timeout=2)
        return wanted
