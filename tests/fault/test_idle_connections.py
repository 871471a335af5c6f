"""What a connection that waits costs the service."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fault.measure import resident_bytes
from kit.flood import address_of, connect
from kit.service import Service

COUNT = 400
MOST_BYTES = 50 * 1000


def test_a_connection_that_waits_is_small(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    try:
        with contextlib.ExitStack() as kept:

            def ask_over(count: int) -> None:
                for _ in range(count):
                    one = kept.enter_context(connect(address_of(service)))
                    one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert b"200 OK" in one.recv(4096)

            ask_over(50)  # what there is once
            before = resident_bytes(service)
            ask_over(COUNT)
            each = (resident_bytes(service) - before) / COUNT
        assert 1000 < each < MOST_BYTES, f"{each:.0f} bytes each"
    finally:
        assert service.stop() == 0
