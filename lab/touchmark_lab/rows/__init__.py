"""The rows, in the order of the story. Importing this package fills touchmark_lab.table.ROWS.

The repackaged apps are built and started while the rows before them wait for tokens to end.
"""

from touchmark_lab.rows import (  # noqa: F401  # noqa: F401
    configuration,
    expiry,
    genuine,
    hardware,
    instrumentation,
    mitm,
    reimplemented,
    repackaged,
    scripts,
)
