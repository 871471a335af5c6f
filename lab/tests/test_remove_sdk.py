"""The attacker's edit of Smali, on a small decoded app."""

import subprocess
import sys
from pathlib import Path

import pytest

_TOOL = Path(__file__).resolve().parents[1] / "attackers/remove-sdk"
_APP = "smali/com/example/currencyconverter"

_API = """\
.class public final LCurrencyApi;
.method private addToken(Ljavax/net/ssl/HttpsURLConnection;)Ljava/lang/String;
    .locals 2
    invoke-virtual {v0}, Ltouchmark/sdk/Touchmark;->addToken()V
    return-object v1
.end method
.method private pin(Ljavax/net/ssl/HttpsURLConnection;)V
    .locals 1
    invoke-virtual {p1, v0}, LX;->setHostnameVerifier(LY;)V
    return-void
.end method
.method private send()V
    .locals 2
    invoke-virtual {v1}, Ltouchmark/sdk/Touchmark;->discardTokens()V

    return-void
.end method
"""
_APPLICATION = """\
.class public final LCurrencyConverterApp;
.method public onCreate()V
    .locals 1
    invoke-static {p0}, Ltouchmark/sdk/Touchmark;->initialize()V
    return-void
.end method
"""
_ACTIVITY = """\
.method protected onCreate()V
    invoke-virtual {p1}, LCurrencyConverterApp;->touchmark()Ltouchmark/sdk/Touchmark;

    move-result-object p1

    %s p1, :cond_1

    const/4 v0, 0x0
.end method
"""


def _decoded(tmp_path: Path, branch: str = "if-nez") -> Path:
    app = tmp_path / _APP
    app.mkdir(parents=True)
    (app / "CurrencyApi.smali").write_text(_API)
    (app / "CurrencyConverterApp.smali").write_text(_APPLICATION)
    (app / "MainActivity.smali").write_text(_ACTIVITY % branch)
    (tmp_path / "smali/touchmark/sdk").mkdir(parents=True)
    (tmp_path / "smali/touchmark/sdk/NativeCore.smali").write_text(".class")
    (tmp_path / "lib/x86_64").mkdir(parents=True)
    return tmp_path


def _run(decoded: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(_TOOL), str(decoded)], capture_output=True, text=True, check=False
    )


def test_the_sdk_and_its_use_are_gone(tmp_path: Path) -> None:
    decoded = _decoded(tmp_path)
    done = _run(decoded)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (decoded / "smali/touchmark").rglob("*.smali")] == [
        "Touchmark.smali"
    ]
    assert not (decoded / "lib").exists()
    code = "".join(path.read_text() for path in (decoded / _APP).iterdir())
    for gone in ("->addToken", "setHostnameVerifier", "discardTokens", "->initialize"):
        assert gone not in code
    assert "goto :cond_1" in code


def test_the_other_branch_falls_through(tmp_path: Path) -> None:
    decoded = _decoded(tmp_path, "if-eqz")
    assert _run(decoded).returncode == 0
    activity = (decoded / _APP / "MainActivity.smali").read_text()
    assert ":cond_1" not in activity
    assert "const/4 v0, 0x0" in activity


@pytest.mark.parametrize("missing", ["->discardTokens()V", ".method private pin("])
def test_an_app_of_another_shape_is_an_error(tmp_path: Path, missing: str) -> None:
    decoded = _decoded(tmp_path)
    api = decoded / _APP / "CurrencyApi.smali"
    api.write_text(api.read_text().replace(missing, "x"))
    done = _run(decoded)
    assert done.returncode == 1
    assert done.stderr.startswith("remove-sdk: ")
