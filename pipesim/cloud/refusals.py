"""What AWS refuses is shown in a notebook as pipesim's own errors are: the line that was run, and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from pipesim.errors import in_short

SHOWN = "_render_traceback_"
"""The method that IPython asks for."""


@contextmanager
def told_shortly() -> Iterator[None]:
    """Spare whoever reads a notebook the frames of botocore, as long as this lasts."""
    for kind in (ClientError, BotoCoreError):
        setattr(kind, SHOWN, in_short)
    try:
        yield
    finally:
        for kind in (ClientError, BotoCoreError):
            delattr(kind, SHOWN)
