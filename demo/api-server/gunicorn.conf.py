"""gunicorn's settings for the demo: one log, TLS 1.2 or newer, a quick stop."""

import os
import ssl
from collections.abc import Callable

workers = 1
worker_class = "gthread"
graceful_timeout = 2
control_socket_disable = True
# The app writes the line per request itself; both loggers below go to one place.
accesslog = None
_log_file = os.environ.get("API_SERVER_LOG")
_handler = (
    {"class": "logging.FileHandler", "filename": _log_file, "encoding": "utf-8"}
    if _log_file
    else {"class": "logging.StreamHandler"}
)
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"log": {**_handler, "formatter": "line"}},
    "loggers": {
        name: {"handlers": ["log"], "level": "INFO", "propagate": False}
        for name in ("gunicorn.error", "touchmark", "api")
    },
    "root": {"handlers": ["log"], "level": "WARNING"},
}


def ssl_context(
    config: object, default_ssl_context_factory: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    context = default_ssl_context_factory()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
