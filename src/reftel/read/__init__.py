"""Text in, `Telegram` out: no files, no clock, no network."""

from reftel.read.reader import NotATelegram, read, read_all
from reftel.read.sections import NotOneTelegramError, join

__all__ = ["NotATelegram", "NotOneTelegramError", "join", "read", "read_all"]
