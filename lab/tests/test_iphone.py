"""The lab's iPhone: it is there where its program was built, and its rows are skipped elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.iphone import PROGRAM
from touchmark_lab.iphone import Iphone
from touchmark_lab.model import Skipped
from touchmark_lab.process import LabError


@pytest.fixture
def iphone(tmp_path: Path) -> Iterator[Iphone]:
    phone = Iphone(PROGRAM, tmp_path / "iphone")
    yield phone
    phone.stop()


def test_without_its_program_a_row_is_not_tried(tmp_path: Path) -> None:
    phone = Iphone(tmp_path / "none", tmp_path / "iphone")
    assert not phone.is_built
    with pytest.raises(Skipped, match="make build"):
        phone.roots()
    phone.stop()


def test_two_signers_of_apps_and_one_maker_of_phones(iphone: Iphone) -> None:
    assert iphone.roots().count("-----BEGIN CERTIFICATE-----") == 3


def test_a_changed_byte_of_the_text_is_found(iphone: Iphone, tmp_path: Path) -> None:
    config = tmp_path / "initial.config"
    config.write_text("of no service: nothing is fetched here")
    ipa = iphone.build("released", config)
    iphone.ask("install", ipa=str(ipa))
    assert iphone.ask("inspect")["findings"] == []
    iphone.ask("flip", address=iphone.text_address())
    ((finding, where),) = iphone.ask("inspect")["findings"]
    assert (finding, where) == ("hook.text-modified", "Example: page 0 in __TEXT.__text")


def test_what_it_refuses_is_the_labs_error(iphone: Iphone) -> None:
    with pytest.raises(LabError, match="the iPhone, asked to dance"):
        iphone.ask("dance")
