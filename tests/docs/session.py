"""Runs a page's shell blocks, in its order, as a reader would: in a home folder and a working
folder of their own, against a real service.

The session has a network and a /var/lib of its own, so that a page may use port 8443, the name
attest.example.com and the folder /var/lib/touchmark. Before the first block a service runs whose
administrator the reader is; api.example.com and localhost:5001 answer with a certificate.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from docs import material
from docs.blocks import ROOT, Block
from docs.exceptions import BEFORE, FILLED, NOT_RUN
from kit.service import BINARY

# Programs that run until they are stopped, and what they print once they can be used.
SERVERS = {"touchmark serve": " listening ", "gunicorn": "Listening at: "}

PRELUDE = r"""
ip link set lo up
mount -t tmpfs none /var/lib
mount --bind "$session/hosts" /etc/hosts
started=()
trap 'kill "${started[@]}" 2>/dev/null; wait' EXIT
# serve READY COMMAND...: starts it in the background, and waits until it says READY.
serve() {
  local ready=$1 log=$session/server.$((++servers))
  shift
  "$@" >"$log" 2>&1 &
  started+=($!)
  local try
  for ((try = 0; try < 400; try++)); do
    if grep -qs -e "$ready" "$log"; then return 0; fi
    if ! kill -0 $! 2>/dev/null; then break; fi
    sleep 0.05
  done
  echo "'$*' did not start: $(<"$log")"
  return 1
}
servers=0
# end: ends what the page started last, as a reader's Ctrl-C does.
end() { kill "${started[-1]}" && wait "${started[-1]}"; unset 'started[-1]'; }
# operator NAME: what the service that the page started last wrote for its operator.
operator() {
  local files=(./*/operator-tokens.json /var/lib/*/operator-tokens.json)
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
    "$(ls -t "${files[@]}" 2>/dev/null | head -n 1)" "$1"
}
cd "$session"
serve ' listening ' touchmark serve --data service --listen 127.0.0.1:9443 --revocation off \
  --public-url https://attest.example.com:9443 ||
  { cat "$session"/server.1; exit 1; }
touchmark init https://localhost:9443 --credentials service/operator-tokens.json || exit 1
for at in 127.0.0.2:443 127.0.0.1:5001; do
  openssl s_server -accept "$at" -cert api.pem -key api.key -www -quiet >/dev/null 2>&1 &
  started+=($!)
done
cd reader
step() { printf '\n\036%s\n' "$*"; }
"""


@dataclass(frozen=True)
class Command:
    block: Block
    line: str  # as the page has it, without the prompt and the comment
    status: int
    output: str


@dataclass(frozen=True)
class Session:
    commands: list[Command]
    before: dict[Block, str]  # what BEFORE's lines printed
    servers: str  # what the servers printed

    def output(self) -> str:
        parts = [command.output for command in self.commands]
        return "\n".join([*parts, *self.before.values(), self.servers])


def commands_of(block: Block) -> list[str]:
    """The commands of a shell block, without prompts, samples and comments; those that go on over
    lines in one."""
    lines = block.text.splitlines()
    if block.language == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [re.sub(r"\s+#\s.*", "", line).strip() for line in joined.splitlines()]
    return [re.sub(r"  +", " ", line) for line in found if line and not line.startswith("#")]


def samples_of(block: Block) -> list[str]:
    """The lines of a console block that are output."""
    assert block.language == "console"
    return [line for line in block.text.splitlines() if line and not line.startswith("$ ")]


def is_server(line: str) -> str | None:
    """What a line that starts a server prints then. One that names a subcommand starts none."""
    return next(
        (ready for name, ready in SERVERS.items() if re.match(rf"{name}(?= -|$)", line)), None
    )


def run(page: list[Block], folder: Path, timeout: float = 120) -> Session:
    """`page`: the blocks of one page; those that are no shell's only have their files written."""
    reader, out = folder / "reader", folder / "out"
    reader.mkdir(parents=True)
    out.mkdir()
    material.put(reader)
    _make_certificate(folder)
    (folder / "hosts").write_text(
        "127.0.0.1 localhost attest.example.com\n127.0.0.2 api.example.com\n"
    )
    script, steps = _script(page, reader)
    (folder / "script").write_text(script)
    tools = folder / "tools"
    tools.mkdir()
    (tools / "touchmark").symlink_to(BINARY)
    environment = {
        "PATH": f"{tools}:{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "HOME": str(folder / "home"), "LANG": "C.UTF-8", "EDITOR": "true", "TZ": "UTC",
        "session": str(folder), "tree": str(ROOT),
    }  # fmt: skip
    (folder / "home").mkdir()
    prefix = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        prefix.append("--map-root-user")
    process = subprocess.Popen(
        [*prefix, "bash", "-u", folder / "script"], cwd=reader, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        raise AssertionError(
            f"the page's commands took longer than {timeout} s:\n{printed}"
        ) from None
    return _read(printed, steps, folder)


def _script(page: list[Block], reader: Path) -> tuple[str, list[tuple[Block, str | None]]]:
    lines = [PRELUDE]
    steps: list[tuple[Block, str | None]] = []
    for block in page:
        if block.file:
            (reader / block.file).write_text(block.text)
        before = BEFORE.get((block.page, block.first))
        if before:
            lines += [f"step {len(steps)}", before.strip(), "step end 0"]
            steps.append((block, None))
        if block.language not in ("sh", "console"):
            continue
        for line in commands_of(block):
            if (block.page, line) in NOT_RUN:
                continue
            text = line
            for placeholder, value in FILLED.items():
                text = text.replace(placeholder, value)
            ready = is_server(line)
            if ready:
                text = f"serve {shlex.quote(ready)} {text}"
            lines += [f"step {len(steps)}", text, "step end $?"]
            steps.append((block, line))
    lines.append("while ((${#started[@]} > 3)); do end; done; exit 0")
    return "\n".join(lines), steps


def _read(printed: str, steps: list[tuple[Block, str | None]], folder: Path) -> Session:
    """Takes the output apart at its marks."""
    parts = printed.split("\n\036")
    assert len(parts) == 1 + 2 * len(steps), f"the session ended early:\n{printed}"
    commands: list[Command] = []
    before: dict[Block, str] = {}
    for number, (block, line) in enumerate(steps):
        start, end = parts[1 + 2 * number], parts[2 + 2 * number]
        output = start.partition("\n")[2]
        if line is None:
            before[block] = output
        else:
            commands.append(Command(block, line, int(end.split()[1]), output))
    servers = [path.read_text() for path in sorted(folder.glob("server.*"))]
    return Session(commands, before, "\n".join(servers))


def _make_certificate(folder: Path) -> None:
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "api.key", "-out", "api.pem", "-days", "2", "-subj", "/CN=api.example.com",
        "-addext", "subjectAltName=DNS:api.example.com,DNS:localhost",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
