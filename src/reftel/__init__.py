"""Reftel reads diplomatic telegrams: text in, one lossless record out.

>>> import reftel
>>> t = reftel.read("R 011200Z MAR 79\\nFM AMEMBASSY BERN\\nTO SECSTATE WASHDC\\nUNCLAS BERN 0123\\n")
>>> t.mrn.short
'79BERN123'
"""

from reftel.check import Finding, check
from reftel.read import NotATelegram, NotOneTelegramError, join, read, read_all
from reftel.telegram import Mrn, Span, Telegram
from reftel.write import CannotWriteError, split, write

__all__ = [
    "CannotWriteError",
    "Finding",
    "Mrn",
    "NotATelegram",
    "NotOneTelegramError",
    "Span",
    "Telegram",
    "__version__",
    "check",
    "join",
    "read",
    "read_all",
    "split",
    "write",
]
__version__ = "0.1.0"
