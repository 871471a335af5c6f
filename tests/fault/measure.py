"""What a running service takes: memory, processor time, and bytes on the disk."""

from __future__ import annotations

import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kit.service import Service


def resident_bytes(service: Service) -> int:
    assert service.process is not None
    pages = Path(f"/proc/{service.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(service: Service) -> float:
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def log_bytes(service: Service) -> int:
    return service.log.stat().st_size


def database_bytes(service: Service) -> int:
    return sum(path.stat().st_size for path in service.data.glob("touchmark.db*"))


def call(
    service: Service,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    token: str = "",
    timeout: float = 30,
) -> tuple[int, bytes, dict[str, str]]:
    """One request on a connection of its own: status, body and headers."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {"Content-Type": "application/octet-stream"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(service.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


@contextmanager
def in_background(*work: Callable[[], Any]) -> Iterator[list[threading.Thread]]:
    """Runs each on a thread; joins them at the end."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


def seconds_of(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
