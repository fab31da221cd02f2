"""What is attached to a mail (RFC 2046)."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

TELEGRAM = "telegram.txt"
"""The name under which a mail has the exact text of its telegram with it (docs/mail.md)."""


def attached(mail: bytes) -> list[tuple[str, bytes]]:
    """The name and the bytes of each attachment, in order; a mail within the mail is one."""
    message = BytesParser(policy=policy.default).parsebytes(mail)
    assert isinstance(message, EmailMessage)
    return [
        (name or f"part-{number}", data) for number, (name, data) in enumerate(_parts(message), 1)
    ]


def _parts(message: EmailMessage) -> Iterator[tuple[str | None, bytes]]:
    for part in message.iter_parts() if message.is_multipart() else ():
        if not isinstance(part, EmailMessage):
            continue
        if part.get_content_type() == "message/rfc822":
            inner = part.get_content()
            yield part.get_filename(), inner.as_bytes()
        elif part.is_multipart():
            yield from _parts(part)
        elif part.is_attachment() or part.get_filename():
            data = part.get_payload(decode=True)
            yield part.get_filename(), data if isinstance(data, bytes) else b""
