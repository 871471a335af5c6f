"""What is typed wrong changes nothing: one line that says what to do, in text and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.command import Command

NO, USAGE, NOT_CONFIGURED, UNREACHABLE, NOT_FOUND = 1, 2, 3, 4, 8
PIN = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

# What is typed, the exit status, and a word of what to do. APK is a release, TEXT a text file,
# NONE no file, FOLDER a folder.
WRONG = [
    # Durations: the form, the range, and each said once.
    ("registration add APK --expire-after 4h30", USAGE, "4h30m"),
    ("registration add APK --expire-after 1y", USAGE, "30d"),
    ("registration add APK --expire-after 1.5s", USAGE, "whole number of seconds"),
    ("registration add APK --expire-after 100000d", USAGE, "out of range"),
    ("registration add APK --expire-after 0s", USAGE, "out of range"),
    ("registration add APK --expire-after=-5m", USAGE, "out of range"),
    ("registration add-certificate TEXT --expire-after never", USAGE, "not a duration"),
    ("registration expire com.example.app --after 1e3s", USAGE, "not a duration"),
    ("registration expire com.example.app --after 1h --never", USAGE, "--never"),
    ("registration expire com.example.app", USAGE, "--after"),
    ("evidence verify TEXT --type app-attest-receipt --max-age 5x", USAGE, "not a duration"),
    ("serve --data NEW --token-lifetime 5x", USAGE, "not a duration"),
    ("serve --data NEW --token-lifetime 0s", USAGE, "out of range"),
    ("serve --data NEW --revocation-max-age 1.h", USAGE, "not a duration"),
    # Names of registrations.
    ("registration remove zzz", NOT_FOUND, "list"),
    ("registration remove com.example.nothing@1.0", NOT_FOUND, "list"),
    ("registration remove NONE", NOT_FOUND, "list"),
    ("registration remove TEXT", NO, "build signed it"),
    ("registration show cert-0", NOT_FOUND, "list"),
    ("registration expire zzz --never", NOT_FOUND, "list"),
    ("registration show", USAGE, "--help"),
    ("registration show a b", USAGE, "--help"),
    # Spellings.
    ("registration --add APK", USAGE, "`touchmark registration add`"),
    ("registration --list", USAGE, "`touchmark registration list`"),
    ("policy --show", USAGE, "`touchmark policy show`"),
    ("registration list -v", USAGE, "--help"),
    ("registration -addd APK", USAGE, "--help"),
    ("api -check api.example.com", NOT_FOUND, "touchmark api list"),
    ("policy -setRejectionPolicy default", USAGE, "touchmark policy set"),
    ("device -add VpbvaHuFztxhsx472W4Vgg== always-pass", USAGE, "force-pass"),
    ("forcepass -addDevice x", USAGE, "force-pass"),
    ("metrics", USAGE, "touchmark log"),
    ("secret -get base63", USAGE, "base64"),
    ("token -genExample api.example.com -type other", USAGE, "--help"),
    # Help and manual.
    ("help regstration", USAGE, "'registration'"),
    ("help registration ad", USAGE, "'add'"),
    ("man registration ad", USAGE, "'add'"),
    ("man registration --to NEW", USAGE, "--to"),
    ("regstration --help", USAGE, "'registration'"),
    ("completion tcsh", USAGE, "bash"),
    # Numbers and values.
    ("log --last 0", USAGE, "--help"),
    ("log --last 501", USAGE, "--help"),
    ("log --last many", USAGE, "--help"),
    ("audit list --limit 0", USAGE, "--help"),
    ("device list --limit -1", USAGE, "--help"),
    ("status --timeout 0", USAGE, "--help"),
    ("device show not-a-device", USAGE, "16 bytes"),
    ("device force-pass ###", USAGE, "see --help"),
    ("api add https://api.example.com/path", USAGE, "api.example.com"),
    ("policy set NONE", USAGE, "path"),
    ("policy set TEXT", NO, "policy check"),
    ("arc explain !!!!", USAGE, "code"),
    ("sdk config FOLDER", USAGE, "path"),
    ("package show TEXT", NO, "build signed it"),
    ("init ftp://x --token tmk_x", USAGE, "https"),
    ("status --profile ../x", USAGE, "profile"),
    ("serve --data NEW --listen nonsense", USAGE, "--listen"),
    ("serve --data NEW --log-format xml", USAGE, "text or json"),
    ("serve --data NEW --public-url http://x", USAGE, "https://"),
]


def state(touchmark: Command) -> Any:
    """All that an operator can see of the service; the audit log tells of every change."""
    return [
        touchmark.json(*question.split())
        for question in ("registration list", "api list", "policy show", "audit list --limit 1000")
    ]


@pytest.fixture
def words(release: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "text.txt").write_text("hello\n")
    return {
        "APK": str(release),
        "TEXT": str(tmp_path / "text.txt"),
        "NONE": str(tmp_path / "none.apk"),
        "NEW": str(tmp_path / "new"),
        "FOLDER": str(tmp_path),
    }


@pytest.mark.parametrize(("line", "status", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_one_line_says_what_to_do_and_nothing_changes(
    touchmark: Command, words: dict[str, str], tmp_path: Path, line: str, status: int, hint: str
) -> None:
    arguments = [words.get(word, word) for word in line.split()]
    before = state(touchmark)
    done = touchmark.run(*arguments, timeout=20)
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("touchmark: ")
    assert hint in done.stderr
    assert done.stdout == "" or status == NO
    if not line.startswith("serve"):
        as_json = touchmark.run(*arguments, "--json", timeout=20)
        assert as_json.returncode == status, as_json.stderr
        assert as_json.stderr.count("\n") == 1, as_json.stderr
        error = json.loads(as_json.stderr)
        assert error["exit_code"] == status
        assert hint in error["error"]["message"] + error["error"]["hint"]
    assert state(touchmark) == before
    assert not (tmp_path / "new").exists()


def test_there_are_fifty() -> None:
    assert len({row[0] for row in WRONG}) >= 50
