"""C++ tests run as processes beside each other: none may name a temporary file by itself."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_NAME = re.compile(r'temp_directory_path\(|::testing::TempDir\(|"/tmp/touchmark')
# The one that makes such folders, and the command that unpacks into one.
MAY = {"tests/support/temporary_folder.h", "cli/commands/package/split_archive.cc"}


def test_every_cpp_test_takes_its_folder_from_the_one_place() -> None:
    names = subprocess.run(
        ["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(names) >= MAY and len(names) > 400
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in names
        if name not in MAY
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if OWN_NAME.search(line)
    ]
    assert found == []
