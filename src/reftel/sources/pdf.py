"""The text layer of PDF files, such as the National Archives' exports of 1973-79 telegrams."""

from __future__ import annotations

import io

from reftel.sources.decode import UndecodableError


class MissingExtraError(RuntimeError):
    """Something needs a library that is not installed; the message says how to install it."""


def pdf_text(data: bytes) -> str:
    """The text of all pages, in reading order. Raises `UndecodableError` if there is none."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        message = "reading PDF needs an extra: pip install 'reftel[archive]'"
        raise MissingExtraError(message) from error
    try:
        reader = PdfReader(io.BytesIO(data))
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise UndecodableError(f"a broken PDF: {error}") from error
    text = "\n".join(pages)
    if not text.strip():
        raise UndecodableError("a PDF without a text layer; run it through text recognition first")
    return text + "\n"
