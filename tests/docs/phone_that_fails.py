"""Starts a service with the policy that docs/policy.md explains, and lets a phone attest to it
whose system is too old: `python -m docs.phone_that_fails FOLDER`. Prints the service's URL; its
operator tokens are in FOLDER/data.credentials.json. The service ends with the session."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.blocks import blocks
from kit.hardware import AndroidPhone, vouched
from kit.registered_app import RegisteredApp


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir()
    (policy,) = (
        block.text
        for block in blocks("toml")
        if block.page == "docs/policy.md" and "[android.min_patch_level]" in block.text
    )
    maker = AndroidPhone()
    root = maker.write_root(folder / "root.pem")
    app = RegisteredApp.start(folder, ["--hardware-roots", str(root)], policy=policy)
    attester = app.attester()
    phone = maker.with_boot(os_patch_level=202402)
    passed, _ = app.judge(attester, submods=vouched(phone, attester))
    assert not passed
    print(app.url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
