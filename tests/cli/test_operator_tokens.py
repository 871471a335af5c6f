"""Where operator tokens go: to a terminal or into a file, and into no journal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

from kit.command import CLEAN, Command
from kit.service import BINARY

USAGE = 2


def serve(*arguments: str | Path) -> list[str]:
    return [str(BINARY), "serve", "--listen", "127.0.0.1:0", *map(str, arguments)]


def run_until_listening(*arguments: str | Path) -> tuple[int, str]:
    """Starts the service with its output in a pipe, as under systemd; ends it when it listens.
    Its exit status, and all that it wrote."""
    process = subprocess.Popen(
        serve(*arguments), env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    written = ""
    for line in process.stdout:
        written += line
        if "listening" in line:
            process.send_signal(signal.SIGTERM)
    return process.wait(20), written


def test_no_token_goes_into_a_journal(tmp_path: Path) -> None:
    data = tmp_path / "data"
    status, written = run_until_listening("--data", data)
    assert status == 0
    assert "tmk_" not in written
    file = data / "operator-tokens.json"
    assert str(file) in written
    assert file.stat().st_mode & 0o777 == 0o600
    tokens = json.loads(file.read_text())
    assert sorted(tokens) == ["admin_token", "developer_token", "pin", "url"]
    assert tokens["admin_token"].startswith("tmk_admin_")
    # Later starts make none, and say nothing of them.
    file.unlink()
    status, written = run_until_listening("--data", data)
    assert status == 0 and "tmk_" not in written and "operator" not in written
    assert not file.exists()


def test_the_file_named_is_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("mine")
    status, written = run_until_listening("--data", tmp_path / "data", "--credentials-file", file)
    assert status == USAGE
    assert str(file) in written and "--credentials-file" in written
    assert file.read_text() == "mine"
    file.unlink()
    status, written = run_until_listening("--data", tmp_path / "data", "--credentials-file", file)
    assert status == 0, "the tokens were not made in vain"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "tmk_" not in written
    assert not (tmp_path / "data/operator-tokens.json").exists()
    first = json.loads(file.read_text())
    # New ones do not take the place of what is in the file, which is checked before the old end.
    status, _ = run_until_listening(
        "--data", tmp_path / "data", "--credentials-file", file, "--reset-operator-tokens"
    )
    assert status == USAGE
    assert json.loads(file.read_text()) == first


def test_a_reset_replaces_the_file_of_the_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run_until_listening("--data", data)
    first = json.loads((data / "operator-tokens.json").read_text())
    status, written = run_until_listening("--data", data, "--reset-operator-tokens")
    assert status == 0 and "tmk_" not in written
    second = json.loads((data / "operator-tokens.json").read_text())
    assert second["pin"] == first["pin"]
    assert second["admin_token"] != first["admin_token"]


def test_a_person_at_a_terminal_sees_them(tmp_path: Path) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.execve(str(BINARY), serve("--data", tmp_path / "data"), CLEAN)
    shown = ""
    deadline = time.monotonic() + 20
    while "listening" not in shown and time.monotonic() < deadline:
        if select.select([master], [], [], 1)[0]:
            shown += os.read(master, 65536).decode()
    os.kill(pid, signal.SIGTERM)
    try:
        while select.select([master], [], [], 15)[0] and os.read(master, 65536):
            pass
    except OSError:
        pass
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "touchmark init https://localhost:" in shown
    assert "tmk_admin_" in shown and "tmk_developer_" in shown
    assert not (tmp_path / "data/operator-tokens.json").exists()


def test_init_reads_the_file(nobody: Command, tmp_path: Path) -> None:
    file = tmp_path / "data/operator-tokens.json"
    process = subprocess.Popen(
        serve("--data", tmp_path / "data", "--log-format", "json"),
        env=CLEAN,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if '"listening"' in line:
                url = f"https://localhost:{json.loads(line)['port']}"
                break
        nobody.ok("init", url, "--credentials", file)
        assert nobody.json("status")["role"] == "admin"
        nobody.ok("init", url, "--credentials", file, "--role", "developer")
        assert nobody.json("status")["role"] == "developer"
        file.write_text("{}")
        refused = nobody.run("init", url, "--credentials", file)
        assert refused.returncode == USAGE and str(file) in refused.stderr
        assert nobody.run("init", url, "--role", "admin", "--token", "x").returncode == USAGE
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait(20) == 0
