"""Bytes to text. Nothing is dropped: what cannot be decoded one way is decoded another."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 8192
_CONTROL_SHARE = 0.05
_CONTROLS = bytes(byte for byte in range(32) if byte not in (7, 8, 9, 10, 11, 12, 13, 27))


class UndecodableError(ValueError):
    """The bytes are no text; the message says what they seem to be."""


def decode(data: bytes) -> tuple[str, str | None]:
    """The text, and a doubt about how it was decoded. Raises `UndecodableError` for no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if (unmarked := _utf16_without_mark(data)) is not None:
        return _strict(data, unmarked)
    if _is_binary(data):
        raise UndecodableError("this is a binary file, not text")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return _legacy(data, error)


def _strict(data: bytes, encoding: str) -> tuple[str, str | None]:
    try:
        return data.decode(encoding), None
    except UnicodeDecodeError as error:
        message = f"broken {encoding.upper()} at byte {error.start}; bad bytes became U+FFFD"
        return data.decode(encoding, errors="replace"), message


def _legacy(data: bytes, error: UnicodeDecodeError) -> tuple[str, str | None]:
    """Windows-1252 where the text holds no good UTF-8 besides; broken UTF-8 otherwise."""
    whole = data.decode("utf-8", errors="replace")
    good = sum(ord(c) > 127 and c != "\ufffd" for c in whole)
    if good > whole.count("\ufffd"):
        return whole, f"broken UTF-8 at byte {error.start}; bad bytes became U+FFFD"
    # Windows-1252 leaves five bytes undefined; Latin-1 gives them their own code points.
    text = "".join(_windows_1252(byte) for byte in data)
    return text, "read as Windows-1252, since it is not UTF-8"


def _windows_1252(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly ASCII text has a NUL in every second byte."""
    sample = data[:_SAMPLE_BYTES]
    if len(sample) < 4 or 0 not in sample:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else None


def _is_binary(data: bytes) -> bool:
    """Text has few control characters; a stray NUL in a telegram is damage, not a binary file."""
    sample = data[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > max(4, _CONTROL_SHARE * len(sample))
