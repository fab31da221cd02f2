"""Text to `Telegram`: the reader. No files, no clock, no state; text in, one record out."""

from reftel.read.reader import NotATelegram, read

__all__ = ["NotATelegram", "read"]
