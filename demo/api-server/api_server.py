"""The Currency Converter's API server. V1 answers everybody, V2 the genuine app only."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

import touchmark_attestation.flask
from converter import BadRequest, Converter
from touchmark_attestation.flask import check_touchmark_token

_log = logging.getLogger("api")


def create_app() -> Flask:
    """The app, with the TOUCHMARK_ settings of the environment. Raises SettingsError."""
    app = Flask(__name__, static_folder=None)
    touchmark_attestation.flask.init_app(app)
    converter = Converter(Path(__file__).with_name("rates.json"))

    def convert(value: str, source: str, target: str) -> Response:
        return _json(200, converted_value=converter.convert(value, source, target))

    @app.get("/currency/convert/<value>/from/<source>/to/<target>")
    def convert_v1(value: str, source: str, target: str) -> Response:
        return convert(value, source, target)

    @app.get("/v2/currency/convert/<value>/from/<source>/to/<target>")
    @check_touchmark_token
    def convert_v2(value: str, source: str, target: str) -> Response:
        return convert(value, source, target)

    @app.get("/healthz")
    def healthz() -> Response:
        return _json(200, status="ok")

    @app.errorhandler(BadRequest)
    def bad_request(error: BadRequest) -> Response:
        return _json(400, error=str(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return _json(error.code or 500, error=error.name.lower())

    _log_requests(app)
    return app


def _json(status: int, /, **members: str) -> Response:
    """UTF-8 as it stands ("€1.12"), where Flask's jsonify writes escapes."""
    text = json.dumps(members, ensure_ascii=False)
    return Response(text, status=status, mimetype="application/json")


def _log_requests(app: Flask) -> None:
    """One line per request: who, what, status, milliseconds."""

    @app.before_request
    def start() -> None:
        g.started = time.monotonic()

    @app.after_request
    def log(response: Response) -> Response:
        milliseconds = (time.monotonic() - g.started) * 1000
        # What the client chose stays one word: no white space, no line of its own.
        path = quote(request.path)
        _log.info(
            "%s %s %s %d %.1fms",
            request.remote_addr, request.method, path, response.status_code, milliseconds,
        )  # fmt: skip
        return response
