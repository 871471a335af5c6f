"""The rows, in the order of the story. Importing this package fills touchmark_lab.table.ROWS.

The repackaged apps are built and started while the rows before them wait for tokens to end.
"""

from touchmark_lab.rows import reimplemented, off_device, genuine, mitm, configuration  # noqa: F401,I001
from touchmark_lab.rows import repackaged, scripts, instrumentation, hardware  # noqa: F401
from touchmark_lab.rows import iphone, expiry  # noqa: F401
