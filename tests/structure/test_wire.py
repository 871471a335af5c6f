"""What the parties say to each other is spelled in protocol/ alone: claims, types and limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The rooms above protocol/; those below it cannot include it.
ROOMS = ("attester", "verifier", "cli")

# Texts of the wire that mean nothing else up there. Words such as "account", "findings" or "pins"
# are members of other documents, too, so nothing can be said of those.
TEXTS = (
    "touchmark-evidence+jwt",
    "touchmark-config+jwt",
    "android-key",
    "app-attest",
    "attempts",
    "checks",
    "config_key",
    "eat_nonce",
    "expires_in",
    "exporter",
    "initial_ms",
    "max_ms",
    "range_proof",
    "ranges",
    "spki",
    "submods",
    "timeout_ms",
    "urls",
)
# Where such a text, or such a name of a limit, is another document's.
OTHER_MEANING = {
    # An EAT attestation result is evidence's kin, with claims of the same names.
    "verifier/policy/ear.cc": {"eat_nonce", "submods"},
    # Bounds of files that an operator gives: facts, and the policy.
    "verifier/policy/facts_json.cc": {"kMaxFindings"},
    "verifier/policy/section.cc": {"kMaxWord"},
    # The findings of `touchmark doctor`, in its JSON.
    "cli/commands/doctor/report.cc": {"checks"},
    # Kinds of files that `touchmark evidence` takes.
    "cli/commands/evidence/inspect.cc": {"android-key", "app-attest"},
    "cli/commands/evidence/verify.cc": {"android-key", "app-attest"},
}


def limits(root: Path) -> list[str]:
    header = (root / "protocol/limits.h").read_text()
    return re.findall(r"^inline constexpr [\w:]+ (k\w+) =", header, re.MULTILINE)


def is_test(path: Path) -> bool:
    return "testing" in path.parts or path.stem.endswith(("_test", "_bench"))


def code_of(path: Path) -> str:
    """The file without comments to the end of a line; the lines stay where they are."""
    return re.sub(r"^(\s*|.*\s)//.*$", r"\1", path.read_text(), flags=re.MULTILINE)


def offences(root: Path) -> list[str]:
    """`file:line: text` for each text or limit of the wire that is spelled outside protocol/."""
    patterns = {text: re.compile(f'"{re.escape(text)}"') for text in TEXTS}
    patterns |= {name: re.compile(rf"\b{name}\s*=[^=]") for name in limits(root)}
    any_of = re.compile("|".join(pattern.pattern for pattern in patterns.values()))
    out = []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            name = path.relative_to(root)
            if path.suffix not in (".h", ".cc") or is_test(name):
                continue
            for number, line in enumerate(code_of(path).splitlines(), 1):
                if not any_of.search(line):
                    continue
                out += [
                    f"{name}:{number}: {text}"
                    for text, pattern in patterns.items()
                    if pattern.search(line) and text not in OTHER_MEANING.get(str(name), ())
                ]
    return out


def test_the_wire_is_spelled_in_protocol_alone() -> None:
    assert offences(ROOT) == []


def test_every_exception_is_needed() -> None:
    for name, texts in OTHER_MEANING.items():
        code = (ROOT / name).read_text()
        assert [text for text in texts if text not in code] == [], name


def test_the_limits_are_found() -> None:
    assert {"kMaxPins", "kMaxApis", "kMaxClaimedParts", "kMaxConfigBytes"} <= set(limits(ROOT))


@pytest.mark.parametrize(
    "line",
    [
        'constexpr std::string_view kType = "touchmark-config+jwt";',
        'claims["range_proof"] = 1;',
        "constexpr std::size_t kMaxPins = 32;",
        "inline constexpr std::size_t kMaxClaimedParts =",
    ],
)
def test_another_spelling_is_found(tmp_path: Path, line: str) -> None:
    for room in (*ROOMS, "protocol"):
        (tmp_path / room).mkdir()
    (tmp_path / "protocol/limits.h").write_text((ROOT / "protocol/limits.h").read_text())
    (tmp_path / "verifier/a.cc").write_text(f"\n{line}  // said here\n")
    (tmp_path / "verifier/a_test.cc").write_text(line)
    (tmp_path / "verifier/b.cc").write_text(f"// {line}\n")
    found = offences(tmp_path)
    assert len(found) == 1
    assert found[0].startswith("verifier/a.cc:2: ")
