"""Prints what the service's work for apps costs in processor time, beside the least that it could
cost, measured in the same run. Asserts nothing: machines are noisy.

- P-256 verify: `openssl speed`, one verification of a signature. Evidence has one at least.
- bare server: bare_server.cc, a TLS server over Beast that reads the same request and writes the
  same answer, and does nothing else.
- touchmark: a real `touchmark serve`, driven by another process (attest_load.cc) over kept-alive
  TLS connections. What is counted is the processor time of all its threads, what it writes to its
  database afterwards included.

The bound on attestations is one verification and one request of the bare server each; the bound on
challenges is the bare server alone. The service is measured with 1, 1,000 and 5,000 registrations
and with 1,000,000 known devices, in turns. Each figure is the median of its rounds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit.registered_app import RegisteredApp  # noqa: E402
from kit.service import Service  # noqa: E402

BIN = ROOT / "build/release/bin"
ROUNDS = 4
ATTESTATIONS = 16000  # of one round: for about as long as the service keeps what it saw
CHALLENGES = 10000
DEVICES = 16000  # installation keys, so that each attestation of a round is another phone's
KNOWN_DEVICES = 1_000_000 - DEVICES  # with these, as many as the service keeps
HOUSEKEEPING = 5.0  # seconds: the service writes what it saw that often
# Sizes as a small app has them. The first is another one in each release.
DEX = 16 * 1024
SHARED = {
    "classes2.dex": 300_000,
    "lib/arm64-v8a/libapp.so": 200_000,
    "lib/arm64-v8a/libc++_shared.so": 200_000,
    "lib/arm64-v8a/libtouchmark.so": 200_000,
}
RELEASES_IN_USE = 32  # of many registrations, those whose installed apps attest


# --- Stores --------------------------------------------------------------------------------------


@dataclass
class Store:
    """A service over a data folder, and the apps that ask it."""

    name: str
    service: Service
    apps: list[dict[str, Any]]  # measurements
    contents: dict[str, str]  # SHA-256 in hex -> file
    account: str

    def start(self) -> None:
        self.service.start()

    @property
    def pid(self) -> int:
        assert self.service.process is not None
        return self.service.process.pid

    @property
    def port(self) -> int:
        return int(self.service.listen.rsplit(":", 1)[1])


def first_store(folder: Path) -> Store:
    """One registered release. The service is stopped again."""
    files = {"classes.dex": DEX, **SHARED}
    app = RegisteredApp.start(
        folder, policy="development", files={n: os.urandom(size) for n, size in files.items()}
    )
    app.service.stop()
    contents: dict[str, str] = {}
    with zipfile.ZipFile(folder / "app.apk") as package:
        for name in files:
            content = package.read(name)
            path = folder / hashlib.sha256(content).hexdigest()
            path.write_bytes(content)
            contents[path.name] = str(path)
    with contextlib.closing(database(app.service)) as db:
        apps = [json.loads(text) for (text,) in db.execute("SELECT measurement FROM registration")]
    return Store("1 registration", app.service, apps, contents, app.account)


def database(service: Service) -> sqlite3.Connection:
    (path,) = service.data.glob("*.db")
    return sqlite3.connect(path)


def copy_of(store: Store, folder: Path, name: str) -> Store:
    folder.mkdir()
    data = folder / "data"
    shutil.copytree(store.service.data, data)
    return Store(name, Service(data), list(store.apps), dict(store.contents), store.account)


def add_registrations(store: Store, count: int) -> None:
    """Registers further versions of the app, up to `count`: the rows that the service would write,
    in one transaction."""
    with contextlib.closing(database(store.service)) as db, db:
        rows = db.execute("SELECT id, measurement, created FROM registration").fetchall()
        ((known, text, created),) = rows
        parts = db.execute("SELECT sha256 FROM registration_part").fetchall()
        dex = next(p for p in json.loads(text)["parts"] if p["name"] == "classes.dex")
        shared = [sha256 for (sha256,) in parts if sha256.hex() != dex["sha256"]]
        assert len(shared) == len(SHARED), known
        for number in range(1, count):
            measurement = json.loads(text)
            measurement["version_code"] += number
            measurement["version_name"] = f"1.{number}"
            content = os.urandom(DEX)
            digest = hashlib.sha256(content)
            for part in measurement["parts"]:
                if part["name"] == "classes.dex":
                    part["sha256"] = digest.hexdigest()
            registration = f"bench-{number}"
            db.execute(
                "INSERT INTO registration VALUES (?, ?, ?, NULL, 'bench')",
                (registration, json.dumps(measurement), created + number),
            )
            db.execute("INSERT INTO part_chunk VALUES (?, 0, ?)", (digest.digest(), content))
            db.executemany(
                "INSERT INTO registration_part VALUES (?, ?)",
                [(registration, sha256) for sha256 in [*shared, digest.digest()]],
            )
            if number % (count // RELEASES_IN_USE) == 0:
                path = store.service.data.parent / digest.hexdigest()
                path.write_bytes(content)
                store.contents[path.name] = str(path)
                store.apps.append(measurement)


def add_devices(store: Store, count: int) -> None:
    """Devices that were seen in the last weeks."""
    with contextlib.closing(database(store.service)) as db, db:
        db.execute(
            "INSERT INTO device (did, last_seen, passed, arc, package)"
            " WITH RECURSIVE number(n) AS (VALUES (1) UNION ALL"
            " SELECT n + 1 FROM number WHERE n < ?)"
            " SELECT hex(randomblob(11)) || '==', unixepoch() - abs(random() % 2000000), 1, '', 'x'"
            " FROM number",
            (count,),
        )


def make_stores(folder: Path) -> list[Store]:
    first_folder = folder / "1"
    first_folder.mkdir()
    first = first_store(first_folder)
    stores = [first]
    for count in (1000, 5000):
        stores.append(copy_of(first, folder / str(count), f"{count:,} registrations"))
        add_registrations(stores[-1], count)
    stores.append(copy_of(first, folder / "devices", "1,000,000 known devices"))
    add_devices(stores[-1], KNOWN_DEVICES)
    return stores


# --- Load ----------------------------------------------------------------------------------------


def processor_seconds(pid: int) -> float:
    """Of all threads of a process, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Load:
    """An attest_load that measures one server, a round at a time."""

    def __init__(self, kind: str, what: Path, port: int, pid: int, count: int):
        self.pid = pid
        self.count = count
        self.process = subprocess.Popen(
            [str(BIN / "attest_load"), kind, str(what), str(port), str(pid), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self) -> dict[str, float]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline() or "{}")
        assert answer, "attest_load ended"
        return answer

    def end(self) -> None:
        self.process.communicate(timeout=30)


@contextlib.contextmanager
def bare_server(answers: dict[str, Path]) -> Iterator[tuple[int, int]]:
    """Port and process id."""
    with subprocess.Popen(
        [
            str(BIN / "bare_server"),
            str(os.cpu_count()),
            *[f"{target}={path}" for target, path in answers.items()],
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


def verify_microseconds() -> float:
    """One P-256 verification, by openssl speed."""
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "ecdsap256"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"nistp256\)\s+\S+\s+\S+\s+\S+\s+([\d.]+)", done.stdout)
    assert found, done.stdout
    return 1e6 / float(found[1])


# --- Requests ------------------------------------------------------------------------------------


@dataclass
class Costs:
    """Microseconds of processor time, a figure for each round."""

    verify: list[float] = field(default_factory=list)
    bare: dict[str, list[float]] = field(default_factory=dict)  # "attest", "challenge"
    challenge: dict[str, list[float]] = field(default_factory=dict)  # by store
    attest: dict[str, list[float]] = field(default_factory=dict)


def write_spec(store: Store, folder: Path) -> Path:
    path = folder / "spec.json"
    spec = {
        "account": store.account,
        "apps": store.apps,
        "contents": store.contents,
        "devices": DEVICES,
        "save": str(folder),
    }
    path.write_text(json.dumps(spec))
    return path


def passed(store: Store) -> int:
    return store.service.log.read_bytes().count(b'"passed":true')


@dataclass
class Loads:
    """The loads of one store."""

    store: Store
    attest: Load
    challenge: Load


def measure_round(loads: list[Loads], bare: dict[str, Load], costs: Costs) -> None:
    costs.verify.append(verify_microseconds())
    for name, load in bare.items():
        cost = load.round()["processor_seconds"] / load.count
        costs.bare.setdefault(name, []).append(cost * 1e6)
    before: dict[str, float] = {}
    for each in loads:
        cost = each.challenge.round()["processor_seconds"] / each.challenge.count
        costs.challenge.setdefault(each.store.name, []).append(cost * 1e6)
    for each in loads:
        before[each.store.name] = each.attest.round()["processor_before"]
    time.sleep(HOUSEKEEPING + 0.5)
    for each in loads:
        cost = (processor_seconds(each.store.pid) - before[each.store.name]) / each.attest.count
        costs.attest.setdefault(each.store.name, []).append(cost * 1e6)


def measure_requests(stores: list[Store], folder: Path) -> Costs:
    loads = []
    for store in stores:
        store.start()
        exchange = folder / f"exchange-{store.port}"
        exchange.mkdir()
        attest = Load("attest", write_spec(store, exchange), store.port, store.pid, ATTESTATIONS)
        attest.round()  # warms up, and saves one exchange of each kind
        request = exchange / "challenge.request"
        challenge = Load("replay", request, store.port, store.pid, CHALLENGES)
        challenge.round()
        assert passed(store) == ATTESTATIONS, f"{store.name}: some evidence was refused"
        loads.append(Loads(store, attest, challenge))
    exchange = folder / f"exchange-{stores[0].port}"
    answers = {f"/v1/{name}": exchange / f"{name}.response" for name in ("attest", "challenge")}
    costs = Costs()
    with bare_server(answers) as (port, pid):
        bare = {
            name: Load("replay", exchange / f"{name}.request", port, pid, CHALLENGES)
            for name in ("attest", "challenge")
        }
        for load in bare.values():
            load.round()
        for _ in range(ROUNDS):
            measure_round(loads, bare, costs)
        for load in bare.values():
            load.end()
    for each in loads:
        each.attest.end()
        each.challenge.end()
        expected = ATTESTATIONS * (1 + ROUNDS)
        assert passed(each.store) == expected, f"{each.store.name}: some evidence was refused"
    return costs


def report_requests(costs: Costs) -> None:
    median = statistics.median
    verify = median(costs.verify)
    print("requests over kept-alive TLS connections, processor time of the server")
    print(f"{'':34}{'µs':>8}{'per core-second':>18}{'of the bound':>14}")

    def line(name: str, cost: float, share: float | None = None) -> None:
        percent = "" if share is None else f"{share * 100:.0f} %"
        print(f"{name:34}{cost:8.1f}{1e6 / cost:18,.0f}{percent:>14}")

    line("P-256 verify", verify)
    line("bare server: attest", median(costs.bare["attest"]))
    line("bare server: challenge", median(costs.bare["challenge"]))
    bounds = [v + bare for v, bare in zip(costs.verify, costs.bare["attest"], strict=True)]
    line("bound on attest", median(bounds))
    first = next(iter(costs.attest))
    for name, rounds in costs.attest.items():
        shares = [bound / cost for bound, cost in zip(bounds, rounds, strict=True)]
        line(f"attest, {name}", median(rounds), median(shares))
    for name, rounds in costs.challenge.items():
        pairs = zip(costs.bare["challenge"], rounds, strict=True)
        line(f"challenge, {name}", median(rounds), median([bare / cost for bare, cost in pairs]))
    print("against 1 registration, round by round")
    for name, rounds in costs.attest.items():
        if name == first:
            continue
        pairs = zip(costs.attest[first], rounds, strict=True)
        more = median([cost / base for base, cost in pairs]) - 1
        print(f"  attest, {name:26}{more * 100:+6.0f} %")
    print("Goals: attest at least 60 % of the bound, challenge 50 %, the curve within 10 %.")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = make_stores(folder)
        try:
            report_requests(measure_requests(stores, folder))
        finally:
            for store in stores:
                store.service.stop()


if __name__ == "__main__":
    main()
