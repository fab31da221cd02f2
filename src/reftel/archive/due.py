"""Opening, day by day, what falls open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

from reftel.archive.archive import Archive

_DAY_S = 86400
# A clock that is set back a little must not leave us in yesterday.
_AFTER_MIDNIGHT_S = 60


def until_tomorrow() -> float:
    """Seconds until the next day (UTC) has begun."""
    return _DAY_S - time.time() % _DAY_S + _AFTER_MIDNIGHT_S


class OpenDaily:
    """Opens the telegrams whose day has come: when it starts, and after each midnight (UTC), in a thread of
    its own. `on_failed` gets why it was not possible; it is tried again a
    day later."""

    def __init__(
        self,
        archive: Archive,
        on_failed: Callable[[Exception], None],
    ) -> None:
        self._archive = archive
        self._on_failed = on_failed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="open-daily", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._archive.open_due()
            except Exception as error:
                self._on_failed(error)
            if self._ended.wait(until_tomorrow()):
                return
