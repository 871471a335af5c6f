"""The counter `touchmark_requests_total`, by PyPI's prometheus_client."""

from __future__ import annotations

import importlib
import threading
from typing import Any, Callable

from touchmark_attestation.decision import Decision, Label

NAME = "touchmark_requests"  # the library adds _total
LABELS = Label._fields
_lock = threading.Lock()
# A registry takes a name once, and a process may have several guards.
_counters: list[tuple[Any, Any]] = []


def observer(registry: Any = None) -> Callable[[Decision], None]:
    """Counts each decision in this registry, by default the library's own. Raises ImportError when
    the library is not there."""
    client = importlib.import_module("prometheus_client")
    counter = _counter(client, client.REGISTRY if registry is None else registry)
    children: dict[Label, Any] = {}

    def count(decision: Decision) -> None:
        label = decision.label
        child = children.get(label)
        if child is None:
            enforced = "true" if label.enforced else "false"
            child = counter.labels(label.maker, label.status, label.reason, enforced, label.route)
            children[label] = child
        child.inc()

    return count


def observer_if_there() -> Callable[[Decision], None] | None:
    """`observer()`, or None where the application does not have the library."""
    try:
        return observer()
    except ImportError:
        return None


def _counter(client: Any, registry: Any) -> Any:
    with _lock:
        for known, counter in _counters:
            if known is registry:
                return counter
        counter = client.Counter(
            NAME, "Requests, by what the check of their token said.", LABELS, registry=registry
        )
        _counters.append((registry, counter))
        return counter
