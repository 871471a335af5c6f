"""The API server as the app sees it: through gunicorn's threads and TLS, and
the converter alone."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
import requests

from converter import BadRequest, Converter

HERE = Path(__file__).parent
SECRET = b"s" * 32


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter(HERE / "rates.json")


@pytest.mark.parametrize(
    "amount, source, target, expected",
    [
        ("1", "GBP", "EUR", "€1.12"),
        ("10.50", "EUR", "USD", "$11.55"),
        ("100", "eur", "jpy", "¥11900"),
        ("0", "USD", "CHF", "CHF 0.00"),
        ("999999999999", "JPY", "JPY", "¥999999999999"),
        # Half goes to the even neighbour.
        ("0.125", "EUR", "EUR", "€0.12"),
        ("0.135", "EUR", "EUR", "€0.14"),
    ],
)
def test_amounts_are_converted_and_written_as_people_do(
    converter: Converter, amount: str, source: str, target: str, expected: str
) -> None:
    assert converter.convert(amount, source, target) == expected


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "-1",
        "+1",
        "1e3",
        "NaN",
        "Infinity",
        "1.",
        ".5",
        "1,5",
        "0x1",
        "1 ",
        "1\n",
        "٣",
        "9" * 13,
    ],
)
def test_what_is_no_amount_is_refused(converter: Converter, amount: str) -> None:
    with pytest.raises(BadRequest, match="number"):
        converter.convert(amount, "EUR", "USD")


def test_an_unknown_currency_is_refused_with_the_known_ones(converter: Converter) -> None:
    with pytest.raises(BadRequest, match="EUR, GBP, USD"):
        converter.convert("1", "EUR", "XXX")


class Server:
    def __init__(self, folder: Path, mode: str) -> None:
        self.log = folder / "api.log"
        self.certificate = folder / "cert.pem"
        make_certificate(self.certificate, folder / "key.pem")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"https://localhost:{port}"
        command: list[str | Path] = [
            HERE / "run", "--cert", self.certificate, "--key", folder / "key.pem",
            "--bind", f"127.0.0.1:{port}", "--log", self.log,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "TOUCHMARK_SECRET": base64.b64encode(SECRET).decode(),
                "TOUCHMARK_MODE": mode,
            },
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                return self.get("/healthz").raise_for_status()
            except requests.ConnectionError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.05)
        raise AssertionError("the server did not answer in time")

    def get(self, path: str, token: str = "") -> requests.Response:
        headers = {"Touchmark-Token": token} if token else {}
        return requests.get(
            self.url + path, headers=headers, verify=str(self.certificate), timeout=10
        )

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0


def make_certificate(certificate: Path, key: Path) -> None:
    command: list[str | Path] = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("enforce"), "enforce")
    yield server
    server.stop()


def token(secret: bytes = SECRET, lifetime: int = 60) -> str:
    return jwt.encode({"did": "x", "exp": int(time.time()) + lifetime, "ip": "192.0.2.7"}, secret)


CONVERT = "/currency/convert/1/from/GBP/to/EUR"


def test_v1_answers_everybody_in_the_original_words(server: Server) -> None:
    response = server.get(CONVERT)
    assert response.status_code == 200
    assert response.content.decode() == '{"converted_value": "€1.12"}'
    assert response.headers["Content-Type"] == "application/json"


def test_v2_answers_the_genuine_app_only(server: Server) -> None:
    assert server.get("/v2" + CONVERT, token()).json() == {"converted_value": "€1.12"}
    for refused in ("", "x", token(b"x" * 32), token(lifetime=-1)):
        response = server.get("/v2" + CONVERT, refused)
        assert (response.status_code, response.content) == (401, b"{}")


def test_v2_tells_a_stranger_nothing_about_the_values(server: Server) -> None:
    assert server.get("/v2/currency/convert/x/from/GBP/to/EUR").status_code == 401
    assert server.get("/v2/currency/convert/x/from/GBP/to/EUR", token()).status_code == 400


@pytest.mark.parametrize(
    "path, status",
    [
        ("/currency/convert/abc/from/GBP/to/EUR", 400),
        ("/currency/convert/1/from/GBP/to/XXX", 400),
        ("/currency/convert/1%2F2/from/GBP/to/EUR", 404),
        ("/nothing", 404),
    ],
)
def test_errors_are_json_with_a_reason(server: Server, path: str, status: int) -> None:
    response = server.get(path)
    assert response.status_code == status
    assert response.json()["error"]


def test_every_request_is_one_line_in_the_log(server: Server) -> None:
    before = len(server.log.read_text().splitlines())
    server.get("/currency/convert/1/from/GBP/to/EUR%0afa%20ke")
    lines = server.log.read_text().splitlines()[before:]
    assert len(lines) == 1
    assert re.search(r"INFO api: 127\.0\.0\.1 GET \S+EUR%0Afa%20ke 400 [\d.]+ms$", lines[0])


def test_many_threads_get_each_their_own_answer(server: Server) -> None:
    def ask(index: int) -> bool:
        good = index % 2 == 0
        response = server.get("/v2" + CONVERT, token() if good else token(b"x" * 32))
        return response.status_code == (200 if good else 401)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(80)))


def test_report_mode_serves_and_logs(tmp_path: Path) -> None:
    server = Server(tmp_path, "report")
    try:
        assert server.get("/v2" + CONVERT).status_code == 200
        assert "would refuse GET '/v2/currency" in server.log.read_text()
    finally:
        server.stop()


@pytest.mark.parametrize(
    "arguments, environment, message",
    [
        (["--cert", "/nonexistent"], {}, "--cert and --key are needed"),
        (["--cert", "/nonexistent", "--key", "/nonexistent"], {}, "cannot be read"),
        (["--bind"], {}, "--bind needs a value"),
        (["--what", "x"], {}, "unknown option '--what'"),
        (
            ["--no-tls", "--bind", "127.0.0.1:1"],
            {"TOUCHMARK_SECRET": ""},
            "TOUCHMARK_SECRET is not set",
        ),
    ],
)
def test_a_wrong_start_says_what_is_wrong(
    arguments: list[str], environment: dict[str, str], message: str
) -> None:
    ended = subprocess.run(
        [HERE / "run", *arguments], env={**os.environ, **environment},
        check=False, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 1
    assert message in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_the_rates_state_where_they_are_from() -> None:
    rates = json.loads((HERE / "rates.json").read_text())
    assert rates["origin"] and re.fullmatch(r"\d{4}-\d\d-\d\d", rates["date"])
    assert rates["rates"].keys() == rates["symbols"].keys() == rates["decimals"].keys()
