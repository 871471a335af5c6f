"""The lab's command line; see lab/README.md."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import touchmark_lab.rows  # noqa: F401  (fills ROWS)
from touchmark_lab import detection, packages, report, soak
from touchmark_lab.console import Console
from touchmark_lab.lab import MITM_PHONE, PHONE, PRELOAD_PHONE, UNLOCKED_PHONE, Lab
from touchmark_lab.model import Observed, Skipped
from touchmark_lab.process import LabError
from touchmark_lab.table import ROWS, Result, Row

_ROOT = Path(__file__).resolve().parents[2]
_TIME_LIMIT_SECONDS = 600


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lab/run", description="Runs the genuine app and its attackers against a real service."
    )
    parser.add_argument(
        "--build", type=Path, default=_ROOT / "build/release",
        help="the build folder to take the touchmark command from (default: build/release)",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="the whole story, step by step, and the table")
    table = commands.add_parser("table", help="rows of the table, each with what it needs")
    table.add_argument(
        "--only", action="append", metavar="NAME", choices=[row.name for row in ROWS],
        help="run this row only; may be given again",
    )  # fmt: skip
    soaking = commands.add_parser(
        "soak", help="the genuine app, attesting again and again: nothing may be found or grow"
    )
    soaking.add_argument(
        "--attestations", type=int, default=10_000, metavar="N", help="at least N (default: 10000)"
    )
    soaking.add_argument(
        "--minutes", type=float, default=0, metavar="M", help="and for M minutes at least"
    )
    detecting = commands.add_parser(
        "detection", help="attacks in and around the app, each again and again: how often found"
    )
    detecting.add_argument(
        "--runs", type=_at_least_two, default=100, metavar="N", help="of each (default: 100)"
    )
    detecting.add_argument(
        "--only", action="append", metavar="NAME", default=[],
        choices=[attack.row for attack in detection.ATTACKS],
        help="this attack only; may be given again",
    )  # fmt: skip
    commands.add_parser("list", help="the names of the rows")
    return parser.parse_args()


def _at_least_two(text: str) -> int:
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError("two runs at least")
    return number


def _run_row(lab: Lab, row: Row) -> Result:
    start = time.monotonic()
    try:
        seen = row.run(lab)
    except Skipped as why:
        lab.console.output(f"-- not tried: {why}")
        return Result(
            row,
            row.tool(lab),
            Observed(got="", status=0),
            time.monotonic() - start,
            skipped=str(why),
        )
    except LabError as error:
        seen = Observed(got="", status=0, problems=(str(error),))
    problems = row.expected.problems_with(seen)
    result = Result(row, row.tool(lab), seen, time.monotonic() - start, problems)
    lab.console.verdict(result.passed, f"{row.name}: expected {row.expected}")
    for problem in problems:
        lab.console.output(f"!! {problem}")
    return result


def _run_rows(lab: Lab, rows: Sequence[Row]) -> list[Result]:
    results = []
    chapter = ""
    for row in rows:
        if row.chapter != chapter:
            chapter = row.chapter
            lab.console.chapter(chapter)
        results.append(_run_row(lab, row))
    return results


def _start_ahead(lab: Lab, *, demo: bool) -> None:
    """What the story needs later is started while its beginning is told."""
    devices = [PHONE, MITM_PHONE, *packages.VARIANTS, PRELOAD_PHONE]
    if not demo:
        devices.append(UNLOCKED_PHONE)
    lab.start_ahead(devices)
    lab.attacker.start()


def _soak(options: argparse.Namespace, console: Console) -> int:
    lab = Lab(_ROOT, console, options.build.resolve() / "bin/touchmark")
    try:
        done = soak.run(lab, options.attestations, options.minutes * 60)
    finally:
        lab.close()
    soak.write(_ROOT / "build/lab", done)
    console.plain("\n".join(done.lines()))
    for problem in done.problems():
        console.plain(f"!! {problem}")
    return 1 if done.problems() else 0


def _detect(options: argparse.Namespace, console: Console) -> int:
    lab = Lab(_ROOT, console, options.build.resolve() / "bin/touchmark")
    try:
        done = detection.run(lab, options.runs, options.only)
    finally:
        lab.close()
    detection.write(_ROOT / "build/lab", done)
    detection.show(console, done)
    return 1 if any(each.problems for each in done) else 0


def _work(options: argparse.Namespace, console: Console) -> int:
    signal.alarm(_TIME_LIMIT_SECONDS)
    start = time.monotonic()
    demo = options.command == "demo"
    only = [] if demo else options.only
    rows = [row for row in ROWS if row.name in only] if only else ROWS
    if demo:
        rows = [row for row in ROWS if row.in_demo]
    touchmark = options.build.resolve() / "bin/touchmark"
    lab = Lab(_ROOT, console, touchmark)
    try:
        console.chapter("A service, an API server and an app")
        lab.set_up()
        if not only:
            _start_ahead(lab, demo=demo)
        results = _run_rows(lab, rows)
    finally:
        lab.close()
    console.chapter("What came of it")
    report.print_table(console, results)
    report.write(_ROOT / "build/lab", results)
    failed = [result.row.name for result in results if not result.passed]
    skipped = [result.row.name for result in results if result.skipped]
    passed = len(results) - len(failed) - len(skipped)
    seconds = time.monotonic() - start
    console.plain()
    console.plain(
        f"{passed} passed, {len(failed)} failed"
        + (f", {len(skipped)} not tried ({', '.join(skipped)})" if skipped else "")
        + f" in {seconds:.0f} s"
        + (f": {', '.join(failed)}" if failed else "")
    )
    console.plain("Report: build/lab/report.md and report.json; logs: build/lab/run/")
    return 1 if failed else 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One lab at a time: all build the same demo app in demo/, and leave the same report."""
    lock = _ROOT / "build/lab/lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("lab: waiting for another run of the lab to end", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _on_alarm(*_: object) -> None:
    raise LabError(f"the lab did not end within {_TIME_LIMIT_SECONDS} s")


def _on_term(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = _arguments()
    if options.command == "list":
        for row in ROWS:
            print(f"{row.name:24}{row.attack}")
        return 0
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.signal(signal.SIGTERM, _on_term)
    console = Console()
    try:
        with _alone():
            work = {"soak": _soak, "detection": _detect}.get(options.command, _work)
            return work(options, console)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
