"""A request's headers in the form in which a server or framework has them, read without regard to
case."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, Union

from touchmark_attestation.arguments import WHITESPACE, kind


class Headers(Protocol):
    """Headers that find a name in any case, as those of most frameworks do."""

    def get(self, name: str) -> str | None: ...


AnyHeaders = Union[Headers, Mapping[str, Any], Iterable[tuple[Any, Any]]]

# RFC 3875, section 4.1, and what servers and frameworks add beside it. An environ has no other
# names with text behind them, except HTTP_… and those with a dot.
_CGI = frozenset([
    "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE", "PATH_INFO",
    "PATH_TRANSLATED", "QUERY_STRING", "RAW_URI", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT",
    "REMOTE_PORT", "REMOTE_USER", "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME", "SERVER_NAME",
    "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE",
])  # fmt: skip


class RequestHeaders:
    """Takes a mapping of names in any case (also with lists of values), an object with `items()` or
    `get()` such as a framework's, an iterable of pairs, a WSGI environ (PEP 3333) or an ASGI scope.
    Names and values may be bytes, which are read as ISO 8859-1, as WSGI and frameworks do.

    A header that stands twice has its values joined with a comma (RFC 9110, section 5.3). Raises
    TypeError for what is none of these. Nothing that a client sends is taken for another form: what
    decides is a value of a type that no header has, or the names of all headers.
    """

    def __init__(self, headers: AnyHeaders | RequestHeaders) -> None:
        self._values: dict[str, str] = {}
        self._other: Headers | None = None
        if isinstance(headers, RequestHeaders):
            self._values, self._other = headers._values, headers._other
            return
        if isinstance(headers, dict) and isinstance(headers.get("wsgi.version"), tuple):
            self._other = _Environ(headers)  # which has every header under one name already
            return
        pairs = _pairs(headers)
        if pairs is None:
            self._other = headers  # type: ignore[assignment]
            return
        for name, value in pairs:
            text = _text(value)
            folded = _text(name)
            if text is None or folded is None:
                continue
            folded = folded.lower()
            known = self._values.get(folded)
            # Two that are both empty are none; with anything in one of them, they are two.
            is_first = known is None or not (known + text).strip(WHITESPACE)
            self._values[folded] = text if is_first else f"{known}, {text}"

    def has(self, name: str) -> bool:
        """Whether the header is there, though it may be empty."""
        if self._other is None:
            return name.lower() in self._values
        return self._other.get(name) is not None

    def get(self, name: str) -> str:
        """The value without the white space around it, which is no part of it; "" for none."""
        found = self._values.get(name.lower()) if self._other is None else self._other.get(name)
        return (found or "").strip(WHITESPACE)


class _Environ:
    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def get(self, name: str) -> str | None:
        return _text(self._environ.get(_cgi_name(name)))


@functools.lru_cache(256)
def _cgi_name(name: str) -> str:
    found = name.upper().replace("-", "_")
    return found if found in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{found}"


def _pairs(headers: Any) -> Iterable[tuple[Any, Any]] | None:
    """None for an object that can only be asked for a name."""
    if isinstance(headers, Mapping):
        scoped = headers.get("headers")
        if isinstance(headers.get("type"), str) and not isinstance(
            scoped, (str, bytes, type(None))
        ):
            return _checked(scoped)
        return _of_environ(headers) if _is_environ(headers) else headers.items()
    if callable(getattr(headers, "items", None)):
        found: Iterable[tuple[Any, Any]] = headers.items()
        return found
    if callable(getattr(headers, "get", None)):
        return None
    return _checked(headers)


def _checked(headers: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise TypeError(
            f"headers must be a request's headers, an environ or a scope, not {kind(headers)}"
        )
    for pair in headers:
        if isinstance(pair, (str, bytes)) or len(pair) != 2:
            raise TypeError("headers that are a list must be a list of pairs: name and value")
        yield pair[0], pair[1]


def _is_environ(headers: Mapping[Any, Any]) -> bool:
    if isinstance(headers.get("wsgi.version"), tuple):
        return True
    texts = [name for name, value in headers.items() if isinstance(value, str)]
    names = [name for name in texts if isinstance(name, str) and "." not in name]
    others = [name for name in names if not name.startswith("HTTP_")]
    return len(others) < len(names) and _CGI.issuperset(others)


def _of_environ(environ: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for name, value in environ.items():
        if not isinstance(name, str):
            continue
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            yield name.replace("_", "-"), value


def _text(value: Any) -> str | None:
    """None for what is no text: a header that is not there."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    if isinstance(value, (list, tuple)):
        parts = [part for part in map(_text, value) if part is not None]
        return ", ".join(parts) if parts else None
    return None
