"""Telegrams that travelled as Internet mail: RFC 5322 with the MMHS headers of RFC 6477.

The body is read as a telegram; headers fill what it does not say (wire-format.md 12.4). The source
is the mail as it stands; a body in an encoding is one element, and spans within it cover it whole.
"""

from __future__ import annotations

import re
from datetime import UTC
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

import msgspec

from reftel.read.classification import level_of
from reftel.read.dtg import filing_time, iso
from reftel.read.markup import Shown, put_back
from reftel.read.tags_line import parse_tags
from reftel.telegram import (
    Addressee,
    Coverage,
    Diagnostic,
    Element,
    Mrn,
    Span,
    Station,
    Telegram,
    Transmission,
)

_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*:(?:[ \t]|\r?\n|\Z)")
_SIGNS: Final = re.compile(
    r"^(?:MMHS-[A-Za-z0-9-]+|Received|Message-ID|MIME-Version|Return-Path|From|Date|Subject|To):",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNAL: Final = re.compile(r"[ZQ][A-Z]{2}[0-9]?\Z")
_PRECEDENCES: Final = {
    "0": "DEFERRED",
    "1": "ROUTINE",
    "2": "PRIORITY",
    "3": "IMMEDIATE",
    "4": "FLASH",
    "5": "OVERRIDE",
}


def is_mail(source: str) -> bool:
    """Whether a text is a mail: header fields up to a blank line, From among them, and another that
    only mail has."""
    if not _HEADER.match(source[:200].lstrip()):
        return False
    head = source[:20_000].replace("\r\n", "\n").lstrip("\n").partition("\n\n")[0]
    if not _HEADER.match(head) or "\n" not in head:
        return False
    if not all(_HEADER.match(line) or line[:1] in " \t" for line in head.split("\n")):
        return False
    names = {match[0].lower().rstrip(":") for match in _SIGNS.finditer(head)}
    return "from" in names and bool(
        names & {"message-id", "mime-version", "received"}
        or any(n.startswith("mmhs") for n in names)
    )


def mail_text(source: str) -> tuple[EmailMessage, str, Shown | None]:
    """The mail, its telegram's text, and where that stands when it stands there as it is."""
    message = BytesParser(policy=policy.default).parsebytes(source.encode("utf-8", "replace"))
    assert isinstance(message, EmailMessage)
    part = _telegram_part(message)
    text = _content(part) if part is not None else ""
    at = source.find(text.rstrip()) if text.strip() else -1
    if at < 0:
        return message, text, None
    text = text.rstrip()
    end = len(source)
    text = source[at:end] if source[at:].strip() == text.strip() else text
    positions = list(range(at, at + len(text)))
    return message, text, Shown(text, positions, [position + 1 for position in positions])


def _content(part: EmailMessage) -> str:
    """The text of a part. One that stands in the mail as it is was decoded with it, whatever character
    set it names."""
    if str(part.get("Content-Transfer-Encoding", "7bit")).lower() in ("7bit", "8bit", "binary"):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    content = part.get_content()
    return content if isinstance(content, str) else ""


def _telegram_part(message: EmailMessage) -> EmailMessage | None:
    """The exact text sent along as `telegram.txt`, when there is one; else the plain body."""
    for part in message.walk():
        if part.get_filename() == "telegram.txt" and isinstance(part, EmailMessage):
            return part
    body = message.get_body(("plain", "html"))
    return body if isinstance(body, EmailMessage) else None


def from_mail(
    telegram: Telegram | None, source: str, message: EmailMessage, shown: Shown | None
) -> Telegram:
    """The telegram with its mail's headers: what its text does not say, they do."""
    if telegram is None:
        telegram = Telegram(source="", dialect="mail")
        shown = None
    placed = put_back(telegram, source, shown) if shown else _unplaced(telegram, source)
    body_at = _body_start(source)
    elements = [Element("mail-header", 0, body_at)] if body_at else []
    for element in placed.elements:
        if element.end > body_at:
            kind = "mail-part" if element.kind == "markup" else element.kind
            elements.append(Element(kind, max(element.start, body_at), element.end))
    values = _header_values(placed, message)
    return msgspec.structs.replace(placed, dialect="mail", elements=tuple(elements), **values)


def _body_start(source: str) -> int:
    match = re.search(r"\r?\n\r?\n", source)
    return match.end() if match else len(source)


def _unplaced(telegram: Telegram, source: str) -> Telegram:
    """A telegram whose text stands in an encoding: every place in it is the whole of the body."""
    start = _body_start(source)
    whole = Span(start, len(source))
    note = Diagnostic("text-encoded", "info", "the text stands in a transfer encoding", whole)
    return msgspec.structs.replace(
        telegram,
        source=source,
        elements=(Element("mail-part", start, len(source)),) if start < len(source) else (),
        body=tuple(msgspec.structs.replace(block, span=whole) for block in telegram.body),
        references=tuple(msgspec.structs.replace(each, span=whole) for each in telegram.references),
        citations=tuple(msgspec.structs.replace(each, span=whole) for each in telegram.citations),
        repairs=(),
        diagnostics=(
            note,
            *(msgspec.structs.replace(each, span=None) for each in telegram.diagnostics),
        ),
        coverage=Coverage(len(source), 0),
    )


def _header_values(telegram: Telegram, message: EmailMessage) -> dict[str, object]:
    values: dict[str, object] = {}

    def fill(name: str, value: object) -> None:
        if value and not getattr(telegram, name):
            values[name] = value

    primary = _precedence(message, "MMHS-Primary-Precedence")
    copy = _precedence(message, "MMHS-Copy-Precedence")
    fill("precedence", primary or copy)
    if copy and copy != primary and not telegram.precedence:
        fill("info_precedence", copy)
    fill("dtg", _sent(message))
    plad = _text(message, "MMHS-Originator-PLAD")
    sender = message["From"]
    mailbox = sender.addresses[0] if sender is not None and sender.addresses else None
    name = plad or (mailbox.display_name or mailbox.addr_spec if mailbox else None)
    fill("originator", Station(name) if name else None)
    fill("action", _addressees(message, "To", "MMHS-Other-Recipients-Indicator-To"))
    fill("info", _addressees(message, "Cc", "MMHS-Other-Recipients-Indicator-CC"))
    fill("exempt", _addressees(message, "MMHS-Exempted-Address", None))
    instructions = _listed(message, "MMHS-Message-Instructions")
    fill("captions", tuple(each for each in instructions if not _SIGNAL.match(each)))
    fill("subject", " ".join((_text(message, "Subject") or "").split()))
    year = int((telegram.dtg or str(values.get("dtg") or "0000"))[:4]) or None
    codes = "; ".join(
        part
        for part in (_text(message, "Keywords"), _text(message, "MMHS-Subject-Indicator-Codes"))
        if part
    )
    fill("tags", tuple(parse_tags(codes, year)) if codes else ())
    reference = re.match(r"(.*\D) ?0*(\d+)\Z", _text(message, "MMHS-Originator-Reference") or "")
    if reference and year:
        fill("mrn", Mrn.of(year, reference[1], int(reference[2])))
    fill("transmission", _transmission(message, year))
    label = _text(message, "SIO-Label")
    if label and (marking := re.search(r"marking=\"?([A-Z ]+)", label)):
        fill("classification", level_of(marking[1]))
    return values


def mail_year(message: EmailMessage) -> int | None:
    """The year in which the mail's headers say that its telegram was sent."""
    sent = _sent(message)
    return int(sent[:4]) if sent else None


def _sent(message: EmailMessage) -> str | None:
    """The date-time group: the time of authorisation (its name is spelled with s and with z), failing
    that the mail's own date (RFC 6477 6)."""
    names = ("MMHS-Extended-Authorisation-Info", "MMHS-Extended-Authorization-Info", "Date")
    return next((moment for name in names if (moment := _time(message, name))), None)


def _text(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return str(value).strip() or None if value is not None else None


def _listed(message: EmailMessage, name: str) -> tuple[str, ...]:
    text = _text(message, name) or ""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _precedence(message: EmailMessage, name: str) -> str | None:
    text = re.sub(r"\(.*?\)", "", _text(message, name) or "").strip()
    return _PRECEDENCES.get(text, text.upper()) or None


def _time(message: EmailMessage, name: str) -> str | None:
    text = _text(message, name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return iso(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))


def _addressees(message: EmailMessage, name: str, others: str | None) -> tuple[Addressee, ...]:
    pairs = getaddresses([str(each) for each in message.get_all(name, [])])
    found = [Addressee(display or mailbox) for display, mailbox in pairs if display or mailbox]
    if others:
        found += [Addressee(each, "ZEN") for each in _listed(message, others)]
    return tuple(found)


def _transmission(message: EmailMessage, year: int | None) -> Transmission | None:
    """Format lines 3 and 4 from the headers that keep them."""
    identifier = _text(message, "MMHS-Acp127-Message-Identifier")
    handling = _listed(message, "MMHS-Handling-Instructions")
    instructions = [
        word
        for each in (*handling, *_listed(message, "MMHS-Message-Instructions"))
        for word in each.split()
        if _SIGNAL.match(word)
    ]
    match = re.match(
        r"([A-Z]{4,8})(?: #?([0-9]{1,4}[A-Z]?)(?:/([0-9]{2}))?)?(?: ([0-9]{7}))?\s*\Z",
        identifier or "",
    )
    if match is None and not instructions:
        return None
    filed = filing_time(match[4], year) if match and match[4] and year else None
    signals = tuple(dict.fromkeys(instructions))
    return Transmission(
        station=match[1] if match else None,
        station_serial=match[2] if match else None,
        section=match[3] if match else None,
        filed=filed,
        operating_signals=signals,
    )
