"""`touchmark evidence` on evidence that other people made, in every form of file, against
what is known of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kit.command import Command

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
PHONES = VECTORS / "key-attestation/real-devices"
GOOGLE = VECTORS / "key-attestation/google"
SYNTHETIC = VECTORS / "key-attestation/synthetic"
APPLE = VECTORS / "app-attest/apple-2024"
IPHONES = sorted((VECTORS / "app-attest/veehaitch").glob("*.yaml"))
PLAY = VECTORS / "play-integrity"

SYNTHETIC_REASONS = {
    "CertLists.importedOrigin": "key-attestation.origin-not-generated",
    "CertLists.mismatchedSecurityLevels": "key-attestation.security-level-mismatch",
    "CertLists.missingExtension": "key-attestation.missing-extension",
    "CertLists.unknownTag": "key-description.unknown-tag",
    "Chains.wrongIssuer": "chain.issuer-mismatch",
    "Chains.wrongSignature": "chain.bad-signature",
}
# Google's JSON names some fields otherwise than the schema does.
GOOGLES_NAMES = {
    "purpose": "purposes",
    "algorithm": "algorithms",
    "blockMode": "blockModes",
    "digest": "digests",
    "padding": "paddings",
    "mgfDigest": "rsaOaepMgfDigests",
    "packageInfos": "packages",
    "packageName": "name",
    "signatureDigests": "signatures",
}


def chains() -> list[list[Path]]:
    return [
        sorted(phone.glob(f"{prefix}cert-*.x509"))
        for phone in sorted(PHONES.iterdir())
        for prefix in ("", "strongbox-")
        if (phone / f"{prefix}cert-0.der.x509").exists()
    ]


def documents(kind: str) -> list[dict[str, str]]:
    """Flat "key: value" lines are all that these files hold of interest."""
    found = []
    for path in IPHONES:
        for document in re.split(r"^---$\n", path.read_text(), flags=re.MULTILINE):
            pairs = dict(re.findall(r"^(\w+): '?([^'\n|]+)'?$", document, re.MULTILINE))
            key = re.search(
                r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", document, re.DOTALL
            )
            if pairs.get("type") == kind:
                pairs["key"] = re.sub(r"\n +", "\n", key.group(0)) if key else ""
                found.append(pairs)
    return found


def pem(der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def answer(command: Command, *arguments: object) -> tuple[int, dict[str, Any]]:
    done = command.run("evidence", "verify", *map(str, arguments), "--json")
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    assert result["verified"] is (done.returncode == 0)
    assert (result["reason"] is None) is result["verified"]
    assert isinstance(result["warnings"], list)
    return done.returncode, result


@pytest.mark.parametrize("chain", chains(), ids=lambda c: f"{c[0].parent.name}-{c[0].name}")
def test_phones_verify_then_and_now_and_say_what_the_phone_says(
    nobody: Command, chain: tuple[Path, ...]
) -> None:
    properties = dict(
        re.findall(r"^\[(.+?)\]: \[(.*)\]$", (chain[0].parent / "filtered.prop").read_text(), re.M)
    )
    for as_of in (["--as-of", "2021-01-01T00:00:00Z"], []):
        status, result = answer(
            nobody, "--type", "android-key", "--challenge", "sample", *as_of, *chain
        )
        assert status == 0, result
    hardware = result["keyDescription"]["hardwareEnforced"]
    assert hardware["rootOfTrust"]["deviceLocked"] is (properties["ro.boot.flash.locked"] == "1")
    assert hardware["rootOfTrust"]["verifiedBootState"] == "VERIFIED"
    major, minor, patch = [*properties["ro.build.version.release"].split("."), "0", "0"][:3]
    assert hardware["osVersion"] == int(major) * 10000 + int(minor) * 100 + int(patch)
    assert (
        str(hardware["osPatchLevel"])
        == properties["ro.build.version.security_patch"].replace("-", "")[:6]
    )
    level = "STRONG_BOX" if chain[0].name.startswith("strongbox") else "TRUSTED_ENVIRONMENT"
    assert result["keyDescription"]["attestationSecurityLevel"] == level


def spellings(text: str) -> list[str]:
    """The same bytes in every base64 that programs write: both alphabets, padded or not."""
    bare = text.rstrip("=")
    urls, plain = (
        bare.translate(str.maketrans("+/", "-_")),
        bare.translate(str.maketrans("-_", "+/")),
    )
    padding = "=" * (-len(bare) % 4)
    return [text, *{urls, plain, urls + padding, plain + padding}]


def test_a_challenge_is_compared_as_bytes(nobody: Command) -> None:
    for spelled in spellings(base64.b64encode(b"sample").decode()):
        _, result = answer(
            nobody, "--type", "android-key", "--challenge", spelled, PHONES / "AUM-L29"
        )
        assert result["verified"], spelled
    _, result = answer(
        nobody, "--type", "android-key", "--challenge", "c2FtcGxm", PHONES / "AUM-L29"
    )
    assert result["reason"] == "key-attestation.challenge-mismatch"


def test_a_folder_holds_a_chain_or_several_told_apart_by_name(nobody: Command) -> None:
    assert len(chains()) == 19
    _, result = answer(
        nobody, "--type", "android-key", "--challenge-hex", b"sample".hex(), PHONES / "AUM-L29"
    )
    assert result["verified"]
    done = nobody.run(
        "evidence", "verify", "--type", "android-key", PHONES / "Pixel_3a_XL", "--json"
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["keyDescription"]["attestationSecurityLevel"] for r in results] == [
        "TRUSTED_ENVIRONMENT",
        "STRONG_BOX",
    ]
    assert done.returncode == 0


def test_every_form_of_a_chain_is_the_same_chain(nobody: Command, tmp_path: Path) -> None:
    parts = [path.read_bytes() for path in chains()[0]]
    encoded = [base64.b64encode(part).decode() for part in parts]
    forms = {
        "chain.pem": "".join(map(pem, parts)).encode(),
        "chain.der": b"".join(parts),
        "chain.b64": base64.encodebytes(b"".join(parts)),
        "lines.txt": "\n".join(encoded).encode(),
        "chain.json": json.dumps(encoded).encode(),
        "x5c.json": json.dumps({"x5c": encoded}).encode(),
    }
    arguments = ["--type", "android-key", "--challenge", "sample"]
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
        _, result = answer(nobody, *arguments, tmp_path / name)
        assert result["verified"] and len(result["certificates"]) == 4, name
    singles = []
    for number, part in enumerate(parts):
        singles.append(tmp_path / f"single-{number}.pem")
        singles[-1].write_text(pem(part))
    assert answer(nobody, *arguments, *singles)[1]["verified"]
    # Names that say nothing of the order, in a folder: whoever issued stands after what it issued.
    folder = tmp_path / "named"
    folder.mkdir()
    names = ("leaf.der", "batch.der", "intermediate.der", "a-root.der")
    for name, part in zip(names, parts, strict=True):
        (folder / name).write_bytes(part)
    assert answer(nobody, *arguments, folder)[1]["verified"]
    # What cannot be read is refused evidence, not a wrong call.
    singles[1].write_text(pem(parts[1]).replace("MII", "\x01II", 1))
    assert answer(nobody, *arguments, *singles)[1]["reason"] == "pem.malformed"
    (tmp_path / "nothing.pem").write_text("no certificate")
    assert answer(nobody, *arguments, tmp_path / "nothing.pem")[0] == 1
    (tmp_path / "empty.pem").write_bytes(b"")
    assert answer(nobody, *arguments, tmp_path / "empty.pem")[1]["reason"] == "chain.too-short"


def in_googles_form(ours: Any) -> Any:
    if isinstance(ours, (bool, str)):
        return ours
    if isinstance(ours, int):
        return str(ours)
    if isinstance(ours, list):
        return [in_googles_form(item) for item in ours]
    return {GOOGLES_NAMES.get(name, name): in_googles_form(value) for name, value in ours.items()}


@pytest.mark.parametrize(
    "path", sorted(GOOGLE.rglob("*.pem")), ids=lambda p: f"{p.parts[-3]}-{p.stem}"
)
def test_googles_chains_decode_field_by_field(nobody: Command, path: Path) -> None:
    text = re.sub(r"^\s*//.*$", "", path.with_suffix(".json").read_text(), flags=re.MULTILINE)
    expected = json.loads(text)
    for name in ("softwareEnforced", "hardwareEnforced"):
        expected[name].pop("areTagsOrdered", None)
    as_of = {"caiman": "2025-09-27", "tegu": "2026-02-24"}.get(path.parts[-3], "2024-10-01")
    _, result = answer(nobody, "--type", "android-key", "--as-of", as_of, path)
    # The marlin's key is software's, under a root that says so.
    assert result["reason"] == ("chain.untrusted-root" if "marlin" in path.parts else None)
    assert in_googles_form(result["keyDescription"]) == expected


def test_googles_roots_can_be_given_as_google_publishes_them(nobody: Command) -> None:
    roots = VECTORS / "key-attestation/roots.json"
    assert answer(nobody, "--type", "android-key", "--roots", roots, *chains()[0])[1]["verified"]
    other = SYNTHETIC / "test_root.pem"
    assert (
        answer(nobody, "--type", "android-key", "--roots", other, *chains()[0])[1]["reason"]
        == "chain.untrusted-root"
    )


@pytest.mark.parametrize("path", sorted(SYNTHETIC.glob("*.expected")), ids=lambda p: p.stem)
def test_synthetic_chains_give_the_expected_reason(nobody: Command, path: Path) -> None:
    expected = path.read_text()
    _, result = answer(nobody, "--type", "android-key", "--as-of", "2024-10-20", "--roots",
                       SYNTHETIC / "test_root.pem", path.with_suffix(".pem"))  # fmt: skip
    assert result["reason"] == SYNTHETIC_REASONS.get(path.stem)
    if expected.startswith("SUCCESS"):
        root = result["keyDescription"]["hardwareEnforced"]["rootOfTrust"]
        level = result["keyDescription"]["attestationSecurityLevel"]
        locked = str(root["deviceLocked"]).lower()
        said = f"SUCCESS sec={level} vb={root['verifiedBootState']} locked={locked}"
        assert expected.startswith(said)


def test_revoked_and_suspended_serials_are_refused_wherever_they_stand(
    nobody: Command, tmp_path: Path
) -> None:
    chain = chains()[0]
    _, result = answer(nobody, "--type", "android-key", *chain)
    serials = [certificate["serialNumber"] for certificate in result["certificates"]]
    for serial in serials:
        for status in ("REVOKED", "SUSPENDED"):
            listed = tmp_path / "status.json"
            listed.write_text(
                json.dumps({"entries": {serial: {"status": status, "reason": "KEY_COMPROMISE"}}})
            )
            _, result = answer(nobody, "--type", "android-key", "--revocation", listed, *chain)
            assert result["reason"] == f"chain.{status.lower()}"
    listed.write_text(json.dumps({"entries": {"1234": {"status": "REVOKED"}}}))
    assert answer(nobody, "--type", "android-key", "--revocation", listed, *chain)[1]["verified"]


def attestation_arguments(document: Any) -> list[str]:
    return [
        "--as-of", document["timestamp"],
        "--app-id", f"{document['teamIdentifier']}.{document['bundleIdentifier']}",
        "--client-data-hash", base64.b64decode(document["clientDataHashSha256Base64"]).hex(),
    ]  # fmt: skip


def test_attestations_of_iphones_verify(nobody: Command, tmp_path: Path) -> None:
    found = documents("attestation")
    assert len(found) == 4
    for document in found:
        cbor = base64.b64decode(document["attestationBase64"])
        for name, content in {
            "a.cbor": cbor,
            "a.b64": base64.encodebytes(cbor),
            "a.hex": cbor.hex().encode(),
        }.items():
            (tmp_path / name).write_bytes(content)
            arguments = ["--type", "app-attest", *attestation_arguments(document), tmp_path / name]
            status, result = answer(nobody, *arguments, "--environment", "development")
            assert status == 0, result
        assert result["keyId"] == document["keyIdBase64"]
        assert result["environment"] == document["environment"]
        assert result["authData"]["signCount"] == 0
        assert base64.b64decode(result["publicKey"]) in base64.b64decode(
            "".join(document["key"].split("\n")[1:-1])
        )
        assert result["receipt"]["verified"]
        refusals = {
            ("--environment", "production"): "app-attest.wrong-environment",
            ("--app-id", "ABCDE12345.com.example"): "app-attest.wrong-app-id",
            ("--client-data-hash", "00" * 32): "app-attest.nonce-mismatch",
            ("--as-of", "2030-01-01"): "chain.expired",
            ("--as-of", "2019-01-01"): "chain.not-yet-valid",
        }
        for (option, value), reason in refusals.items():
            changed = [
                value if before == option else word
                for before, word in zip(["", *arguments[:-1]], arguments, strict=True)
            ]
            if option == "--environment":
                changed += [option, value]
            assert answer(nobody, *changed)[1]["reason"] == reason


def test_the_challenge_stands_for_its_hash_or_for_itself(nobody: Command, tmp_path: Path) -> None:
    sample = [
        "--type",
        "app-attest",
        APPLE / "test_attestation_object.b64",
        "--as-of",
        "2024-04-18T18:00:00Z",
    ]
    app = ["--app-id", "0352187391.com.apple.example_app_attest"]
    _, raw = answer(nobody, *sample, *app, "--challenge", "test_server_challenge")
    assert raw["verified"] and raw["clientDataHash"] == b"test_server_challenge".hex()
    assert answer(nobody, *sample, *app, "--client-data-hash", b"test_server_challenge".hex())[1][
        "verified"
    ]
    root = ["--roots", APPLE / "Apple_App_Attestation_Root_CA.pem"]
    assert answer(nobody, *sample, *app, *root, "--challenge", "test_server_challenge")[1] == raw
    assert (
        answer(nobody, *sample, *app, "--challenge", "another")[1]["reason"]
        == "app-attest.nonce-mismatch"
    )
    document = json.loads(
        (VECTORS / "app-attest/node-app-attest/attestation-development.json").read_text()
    )
    (tmp_path / "a.b64").write_text(document["attestation"])
    challenge = base64.b64decode(document["challenge"]).decode()
    _, hashed = answer(
        nobody, "--type", "app-attest", "--challenge", challenge, tmp_path / "a.b64",
        "--as-of", "2024-02-05", "--app-id", "V8H6LQ9448.io.uebelacker.AppAttestExample",
    )  # fmt: skip
    assert (
        hashed["verified"]
        and hashed["clientDataHash"] == hashlib.sha256(challenge.encode()).hexdigest()
    )
    assert hashed["keyId"] == document["keyId"]


def cose_key(point: bytes) -> bytes:
    return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + point[1:33] + b"\x22\x58\x20" + point[33:]


def test_assertions_verify_with_the_key_in_every_form(nobody: Command, tmp_path: Path) -> None:
    attestations = {document["keyIdBase64"]: document for document in documents("attestation")}
    found = documents("assertion")
    assert len(found) == 4
    for document in found:
        (tmp_path / "assertion.cbor").write_bytes(base64.b64decode(document["assertionBase64"]))
        (tmp_path / "assertion.b64").write_text(document["assertionBase64"])
        arguments = ["--type", "app-attest-assertion", *attestation_arguments(document)]
        spki = base64.b64decode("".join(document["key"].split("\n")[1:-1]))
        point = spki[-65:]
        assert point[0] == 4
        coordinates = [
            base64.urlsafe_b64encode(part).rstrip(b"=").decode()
            for part in (point[1:33], point[33:])
        ]
        attestation = base64.b64decode(attestations[document["keyIdBase64"]]["attestationBase64"])
        keys = {
            "key.pem": document["key"].encode(),
            "key.der": spki,
            "key.b64": base64.b64encode(spki),
            "point": point,
            "key.cose": cose_key(point),
            "key.jwk": json.dumps(
                {"kty": "EC", "crv": "P-256", "x": coordinates[0], "y": coordinates[1]}
            ).encode(),
            "attestation.cbor": attestation,
            "attestation.b64": base64.b64encode(attestation),
            "key.hex": spki.hex().encode(),
            "result.json": json.dumps({"publicKey": base64.b64encode(spki).decode()}).encode(),
        }
        for name, content in keys.items():
            (tmp_path / name).write_bytes(content)
            _, result = answer(
                nobody, *arguments, "--key", tmp_path / name, tmp_path / "assertion.cbor"
            )
            assert result["verified"], name
            assert result["counter"] == int(document["counter"])
        key = ["--key", tmp_path / "key.pem"]
        assert answer(nobody, *arguments, tmp_path / "assertion.b64", *key)[1]["verified"]
        replayed = [
            *arguments,
            tmp_path / "assertion.b64",
            *key,
            "--previous-counter",
            document["counter"],
        ]
        assert answer(nobody, *replayed)[1]["reason"] == "app-attest.counter-replayed"
        (tmp_path / "other.jwk").write_text(json.dumps({
            "kty": "EC", "crv": "P-256",
            "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
        }))  # fmt: skip
        other = [*arguments, tmp_path / "assertion.b64", "--key", tmp_path / "other.jwk"]
        assert answer(nobody, *other)[1]["reason"] == "app-attest.bad-signature"


def test_receipts_verify(nobody: Command, tmp_path: Path) -> None:
    found = documents("receipt")
    assert found
    for document in found:
        encoded = document["receiptBase64"]
        (tmp_path / "receipt").write_bytes(base64.b64decode(encoded))
        (tmp_path / "receipt.b64").write_text(encoded)
        for name in ("receipt", "receipt.b64"):
            arguments = [
                "--type",
                "app-attest-receipt",
                tmp_path / name,
                "--as-of",
                document["timestamp"],
            ]
            _, result = answer(nobody, *arguments)
            assert result["verified"], result
            assert answer(nobody, *arguments, "--app-id", result["appId"])[1]["verified"]
            assert (
                answer(nobody, *arguments, "--app-id", "A.b")[1]["reason"] == "receipt.wrong-app-id"
            )
        changed = bytearray(base64.b64decode(encoded))
        changed[-1] ^= 1
        (tmp_path / "receipt").write_bytes(changed)
        assert answer(nobody, *arguments[:2], tmp_path / "receipt", *arguments[3:])[0] == 1


def test_play_integrity_tokens_verify_with_keys_in_either_order(
    nobody: Command, tmp_path: Path
) -> None:
    keys = json.loads((PLAY / "keys.json").read_text())
    payload = json.loads((PLAY / "payload.json").read_text())
    (tmp_path / "aes").write_text(keys["decryption_key"])
    (tmp_path / "ec").write_text(keys["verification_key"])
    der = base64.b64decode(keys["verification_key"])
    (tmp_path / "ec.pem").write_text(pem(der).replace("CERTIFICATE", "PUBLIC KEY"))
    (tmp_path / "ec.der").write_bytes(der)
    tokens = sorted(PLAY.glob("token-*.txt"))
    assert len(tokens) >= 3
    for token in tokens:
        for pair in (["--key", tmp_path / "aes", tmp_path / "ec"],
                     ["--key", tmp_path / "ec.pem", "--key", tmp_path / "aes"],
                     ["--key", tmp_path / "ec.der", tmp_path / "aes"]):  # fmt: skip
            _, result = answer(nobody, "--type", "play-integrity", token, *pair)
            assert result["verified"] and result["tokenPayload"] == payload
            # The evidence after the keys, as the shell may have it.
            assert answer(nobody, "--type", "play-integrity", *pair, token)[1]["verified"]
        details = payload["requestDetails"]
        arguments = [
            "--type",
            "play-integrity",
            token,
            *pair,
            "--app-id",
            details["requestPackageName"],
        ]
        assert answer(nobody, *arguments)[1]["verified"]
        if "nonce" in details:
            for spelled in spellings(details["nonce"]):
                assert answer(nobody, *arguments, "--challenge", spelled)[1]["verified"], spelled
        assert (
            answer(nobody, *arguments, "--challenge", "other")[1]["reason"]
            == "play-integrity.nonce-mismatch"
        )
        assert (
            answer(nobody, *arguments[:-1], "com.other")[1]["reason"]
            == "play-integrity.wrong-package"
        )
        (tmp_path / "swapped").write_bytes(bytes(32))
        wrong: list[str | Path] = ["--key", tmp_path / "swapped", tmp_path / "ec"]
        assert (
            answer(nobody, "--type", "play-integrity", token, *wrong)[1]["reason"]
            == "jwe.unwrap-failed"
        )


def test_wrong_calls_exit_with_2_and_say_what_is_wrong(nobody: Command, tmp_path: Path) -> None:
    token = PLAY / "token-jose.txt"
    (tmp_path / "bad").write_text("not a key")
    (tmp_path / "status.json").write_text("{}")
    wrong: list[list[str | Path]] = [
        ["--type", "android-key"],
        ["--type", "android-key", tmp_path / "missing.pem"],
        ["--type", "android-key", tmp_path],
        ["--type", "unknown", token],
        [token],
        ["--type", "app-attest", token],
        ["--type", "app-attest", "--client-data-hash", "xyz", token],
        ["--type", "app-attest", "--client-data-hash", "00", "--environment", "test", token],
        ["--type", "app-attest-assertion", "--challenge", "a", token],
        ["--type", "app-attest-assertion", "--challenge", "a", "--key", tmp_path / "bad", token],
        ["--type", "play-integrity", token, "--key", tmp_path / "bad"],
        ["--type", "play-integrity", token, "--key", tmp_path / "bad", "--key", tmp_path / "bad"],
        [
            "--type",
            "play-integrity",
            token,
            "--revocation",
            tmp_path / "status.json",
            "--key",
            "a",
            "b",
        ],
        ["--type", "android-key", "--as-of", "soon", *chains()[0]],
        ["--type", "android-key", "--roots", tmp_path / "bad", *chains()[0]],
        ["--type", "android-key", "--revocation", tmp_path / "status.json", *chains()[0]],
        ["--type", "android-key", "--challenge", "a", "--challenge-hex", "00", *chains()[0]],
    ]
    for arguments in wrong:
        done = nobody.run("evidence", "verify", *map(str, arguments))
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert done.stderr.startswith("touchmark: ") and not done.stdout


def test_inspect_tells_what_anything_is(nobody: Command, tmp_path: Path) -> None:
    def inspect(*paths: Path) -> Any:
        return json.loads(nobody.ok("evidence", "inspect", *paths, "--json"))

    attestation, assertion, receipt = (
        documents(kind)[0] for kind in ("attestation", "assertion", "receipt")
    )
    (tmp_path / "attestation").write_text(attestation["attestationBase64"])
    (tmp_path / "assertion").write_text(assertion["assertionBase64"])
    (tmp_path / "receipt").write_text(receipt["receiptBase64"])
    golden = Path(__file__).resolve().parents[2] / "protocol/vectors"
    shown = inspect(tmp_path / "attestation")
    assert shown["type"] == "app-attest" and shown["keyId"] == attestation["keyIdBase64"]
    assert shown["receipt"]["receiptType"] == "ATTEST"
    assert "verified" not in shown
    assert inspect(tmp_path / "assertion")["counter"] == int(assertion["counter"])
    assert inspect(tmp_path / "receipt")["type"] == "app-attest-receipt"
    assert (
        inspect(*chains()[0])["keyDescription"]["attestationChallenge"]
        == base64.b64encode(b"sample").decode()
    )
    assert inspect(PHONES / "AUM-L29")["type"] == "android-key"
    assert inspect(SYNTHETIC / "test_root.pem")["type"] == "certificates"
    token = inspect(PLAY / "token-jose.txt")
    assert token["type"] == "play-integrity" and token["header"]["alg"] == "A256KW"
    assert inspect(PLAY / "payload.json")["tokenPayload"]["requestDetails"]
    evidence = json.loads((golden / "evidence.json").read_text())
    compact = next(
        value
        for value in re.findall(r'"(eyJ[\w.-]+)"', json.dumps(evidence))
        if value.count(".") == 2
    )
    (tmp_path / "evidence.jwt").write_text(compact)
    assert inspect(tmp_path / "evidence.jwt")["type"] == "touchmark-evidence"
    (tmp_path / "garbage").write_bytes(b"\x00\x01 nothing")
    done = nobody.run("evidence", "inspect", tmp_path / "garbage")
    assert done.returncode == 1 and "unknown" in done.stdout
    human = nobody.ok("evidence", "inspect", *chains()[0])
    assert "deviceLocked: true" in human and "verifiedBootState: VERIFIED" in human


def test_a_policy_judges_what_verifies(nobody: Command, tmp_path: Path) -> None:
    """The phones are locked, Google's own are not; both are genuine."""
    (tmp_path / "policy.toml").write_text('version = 1\n[assurance]\nandroid = "tee"\n')
    policy: list[str | Path] = ["--policy", tmp_path / "policy.toml"]
    arguments: list[str | Path] = ["--type", "android-key", *policy]
    _, result = answer(nobody, *arguments, *chains()[0])
    assert result["appraisal"]["passed"] is True
    unlocked = GOOGLE / "akita/sdk34/TEE_EC_NONE.pem"
    done = nobody.run("evidence", "verify", *arguments, "--as-of", "2024-10-01", unlocked, "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 1 and result["verified"] is True
    assert result["appraisal"]["passed"] is False
    assert "boot.unlocked" in [finding["id"] for finding in result["appraisal"]["findings"]]
    refused = answer(
        nobody, *arguments, "--as-of", "2020-01-01", GOOGLE / "caiman/sdk36/TEE_EC_RKP.pem"
    )[1]
    assert "appraisal" not in refused
    (tmp_path / "wrong.toml").write_text("version = 1\nassurence = 1\n")
    done = nobody.run(
        "evidence",
        "verify",
        "--type",
        "android-key",
        "--policy",
        tmp_path / "wrong.toml",
        *chains()[0],
    )
    assert done.returncode == 2 and "2:1" in done.stderr
    human = nobody.ok("evidence", "verify", *arguments, *chains()[0])
    assert "policy: passed" in human


def test_results_in_the_standards_form(nobody: Command) -> None:
    _, result = answer(nobody, "--type", "android-key", "--ear", *chains()[0])
    ear = result["ear"]
    assert ear["eat_profile"] == "tag:github.com,2023:veraison/ear"
    app = ear["submods"]["app"]
    assert app["ear.trustworthiness-vector"] == {
        "instance-identity": 2, "configuration": 2, "executables": 3, "hardware": 2,
        "runtime-opaque": 32, "storage-opaque": 2,
    }  # fmt: skip
    assert app["ear.status"] == "warning"
    unlocked = GOOGLE / "akita/sdk34/TEE_EC_NONE.pem"
    _, result = answer(nobody, "--type", "android-key", "--ear", "--as-of", "2024-10-01", unlocked)
    assert result["ear"]["submods"]["app"]["ear.status"] == "contraindicated"
