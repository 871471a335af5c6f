"""Help, version, completion and manual pages of the real command."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from kit.command import Command
from kit.service import BINARY


def test_every_command_has_help(nobody: Command) -> None:
    commands = [path for path, _ in nobody.every_help()]
    assert ["registration", "add"] in commands
    assert ["serve"] in commands
    for path in commands:
        shown = nobody.ok(*path, "--help")
        assert "Usage: " + " ".join(["touchmark", *path]) in shown
        assert shown.splitlines()[0].strip(), "no description"


def test_version(nobody: Command) -> None:
    shown = nobody.ok("version")
    assert re.fullmatch(r"touchmark \d+\.\d+\.\d+\n", shown)
    assert nobody.ok("--version") == shown
    assert "touchmark " + nobody.json("version")["version"] + "\n" == shown


def complete(script: str, *words: str) -> list[str]:
    quoted = " ".join(f"'{w}'" for w in words)
    program = f"""{script}
COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _touchmark
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completion(nobody: Command) -> None:
    script = nobody.ok("completion", "bash")
    assert "registration" in complete(script, "touchmark", "")
    assert complete(script, "touchmark", "regi") == ["registration"]
    assert {"add", "list", "remove"} <= set(complete(script, "touchmark", "registration", ""))
    assert complete(script, "touchmark", "registration", "add", "--exp") == ["--expire-after"]
    assert complete(script, "touchmark", "--json", "token", "ch") == ["check"]


def test_completion_offers_what_is_registered(
    touchmark: Command, not_registered: None, release: Path, tmp_path: Path
) -> None:
    known = touchmark.json("registration", "add", release)["id"]
    program = BINARY.parent
    environment = {**os.environ, "TOUCHMARK_HOME": str(touchmark.home)}
    environment["PATH"] = f"{program}:{environment['PATH']}"

    def ask(shell: list[str], home: Path | None = None) -> list[str]:
        given = {**environment, "TOUCHMARK_HOME": str(home)} if home else environment
        begin = time.monotonic()
        done = subprocess.run(
            shell, cwd=tmp_path, env=given, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        assert time.monotonic() - begin < 10
        return done.stdout.split()

    bash = f"""{touchmark.ok("completion", "bash")}
COMP_WORDS=(touchmark registration remove {known[:3]}); COMP_CWORD=3; _touchmark
printf '%s\\n' "${{COMPREPLY[@]}}" """
    assert ask(["bash", "-c", bash]) == [known]
    (tmp_path / "_touchmark").write_text(touchmark.ok("completion", "zsh"))
    zsh = """
compdef() {}; _files() {}; _describe() { print -l -- ${(P)2} }
source ./_touchmark
words=(touchmark registration expire ''); CURRENT=4; _touchmark
"""
    assert known in {word.split(":")[0] for word in ask(["zsh", "-f", "-c", zsh])}
    (tmp_path / "touchmark.fish").write_text(touchmark.ok("completion", "fish"))
    fish = "source ./touchmark.fish; complete -C 'touchmark registration show '"
    assert known in ask(["fish", "--no-config", "-c", fish])
    # Without a service nothing is offered, and nothing said.
    assert ask(["bash", "-c", bash], tmp_path / "nowhere") == []


def test_zsh_completion(nobody: Command, tmp_path: Path) -> None:
    (tmp_path / "_touchmark").write_text(nobody.ok("completion", "zsh"))
    program = """
compdef() {}; _files() {}; _describe() { print -l ${(P)2} }
source ./_touchmark
words=(touchmark --json registration ''); CURRENT=4; _touchmark
"""
    done = subprocess.run(
        ["zsh", "-f", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert {"add", "list", "remove"} <= {line.split(":")[0] for line in done.stdout.splitlines()}


def test_fish_completion(nobody: Command, tmp_path: Path) -> None:
    (tmp_path / "touchmark.fish").write_text(nobody.ok("completion", "fish"))

    def offered(line: str) -> list[str]:
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source ./touchmark.fish; complete -C '{line}'"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return [shown.split("\t")[0] for shown in done.stdout.splitlines()]

    assert {"add", "list", "remove"} <= set(offered("touchmark registration "))
    assert offered("touchmark --json registration add --exp") == ["--expire-after"]
    assert "serve" in offered("touchmark ")


def test_manual_pages(nobody: Command, tmp_path: Path) -> None:
    nobody.ok("man", "--to", tmp_path)
    pages = {page.name: page.read_text() for page in tmp_path.iterdir()}
    commands = [path for path, _ in nobody.every_help()]
    assert set(pages) == {"-".join(["touchmark", *path]) + ".1" for path in commands}
    for page in ("touchmark-registration.1", "touchmark-registration-add.1"):
        assert "\\-\\-expire\\-after" in pages[page]
    listed = nobody.json("man")["pages"]
    assert {page["page"] + ".1" for page in listed} == set(pages)
    assert all(page["summary"] for page in listed)
    assert nobody.ok("man").splitlines()[0].startswith("touchmark  ")
    assert nobody.ok("man", "registration", "add").rstrip() == (
        pages["touchmark-registration-add.1"].rstrip()
    )
    assert ".SH EXIT STATUS" in pages["touchmark.1"]
    for text in pages.values():
        # Requests of man(7) only, and no line that roff would take for one by accident.
        requests = set(re.findall(r"^[.']\s*(\S*)", text, re.MULTILINE))
        assert requests <= {"TH", "SH", "SS", "TP", "PP", "B", "BR", "I", "br", "nf", "fi"}
