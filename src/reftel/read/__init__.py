"""Text to `Telegram`."""

from __future__ import annotations

from reftel.telegram import Telegram


class NotATelegram(ValueError):
    """The text is no telegram; `why` says what was looked for and not found."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read(text: str, *, year: int | None = None) -> Telegram:
    raise NotATelegram("the reader is on its way")
