"""The rows, in the order of the story. Importing this package fills touchmark_lab.model.ROWS."""

from touchmark_lab.rows import genuine, mitm, repackaged, scripts, configuration  # noqa: F401,I001
from touchmark_lab.rows import instrumentation, hardware, expiry  # noqa: F401
