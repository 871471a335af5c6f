"""docs/first-hour.md, played in a bare Debian that systemd has booted, with the package alone."""

from __future__ import annotations

import re
import shlex
import shutil
import zipapp
from pathlib import Path

import pytest

from docs.blocks import Block, of
from docs.samples import expect
from docs.session import samples_of
from install.conftest import ROOT, Run
from kit import apk

PAGE = "docs/first-hour.md"
# Commands of the page that fail, as it shows.
FAILS = {"touchmark service key promote": 1, "touchmark doctor": 1}
HERE = Path(__file__).parent / "first_hour"


def commands_and_samples(block: Block) -> list[tuple[str, list[str]]]:
    """Each command with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line:
            found[-1][1].append(line)
    assert [line for _, lines in found for line in lines] == samples_of(block)
    return found


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that stands for a phone with the app."""
    folder = tmp_path_factory.mktemp("phone")
    program = folder / "program"
    for package in ("kit", "manifest"):
        (program / package).mkdir(parents=True)
        (program / package / "__init__.py").touch()
    for module in ("apk", "soft_attester"):
        shutil.copy(ROOT / f"tests/kit/{module}.py", program / "kit")
    manifest = apk.compile_manifest("com.example.rates", "Rates")
    (program / "manifest/AndroidManifest.xml").write_bytes(manifest)
    shutil.copy(HERE / "phone.py", program / "__main__.py")
    zipapp.create_archive(program, folder / "phone.pyz")
    return folder / "phone.pyz"


@pytest.fixture(scope="module")
def relying_party(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(
        ROOT / ".venv/bin/python", "-m", "pip", "-q", "wheel", "--no-deps", "-w", folder,
        ROOT / "relying-party/python",
    )  # fmt: skip
    (wheel,) = folder.glob("touchmark_attestation-*.whl")
    return wheel


def script(blocks: list[Block], folder: Path) -> list[tuple[str, list[str]]]:
    """Writes what plays the page into `folder`; the page's commands with what each prints."""
    lines = [(HERE / "prelude.sh").read_text()]
    played: list[tuple[str, list[str]]] = []
    for block in blocks:
        if block.language == "python":
            lines.append(f"cat >{block.file} <<'PAGE'\n{block.text}PAGE")
            continue
        assert block.language == "console", block
        for command, samples in commands_and_samples(block):
            lines.append(f"step {len(played)} {shlex.quote(command)}\n{command}\nended $?")
            played.append((command, samples))
    (folder / "play.sh").write_text("\n".join(lines) + "\nstep end\n")
    (folder / "play.sh").chmod(0o755)
    return played


@pytest.mark.usefixtures("namespaces")
def test_the_page_is_true(
    run: Run, packages: tuple[Path, Path], phone: Path, relying_party: Path, tmp_path: Path
) -> None:
    blocks = of(PAGE, (ROOT / PAGE).read_text())
    played = script(blocks, tmp_path)
    package = tmp_path / "touchmark_0.1.0_amd64.deb"
    shutil.copy(packages[0], package)
    files = [package, phone, relying_party, tmp_path / "play.sh"]
    done = run(
        "tools/fresh-root", "--boot", *(word for file in files for word in ("--file", file)),
        "./play.sh",
    )  # fmt: skip
    print(done.stdout)
    steps = re.split(r"^\x1e(\S+).*\n", done.stdout, flags=re.MULTILINE)[1:]
    printed = dict(zip(steps[::2], steps[1::2], strict=True))
    assert "end" in printed, "the page was not played to its end"
    for number, (command, samples) in enumerate(played):
        output, _, status = printed[str(number)].rpartition("\x1f")
        assert int(status) == FAILS.get(command, 0), f"{command}\n{output}"
        expect(samples, output)
    assert FAILS.keys() <= {command for command, _ in played}
