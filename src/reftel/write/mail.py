"""Telegrams as Internet mail and back: RFC 5322 with the headers of RFC 6477, the priority of RFC 6710
and 6758, the label of RFC 7444 (wire-format.md 12.4 maps the one to the other).

A directory says which mailbox stands for which station. What a form cannot carry is listed: the mail
that was made is read again, and every field that reads otherwise is a loss.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

import msgspec

from reftel.read import read
from reftel.tables.directory import Directory, Entry
from reftel.telegram import Addressee, Station, Telegram
from reftel.write.readback import differences, said
from reftel.write.text import service_lines, text_lines

LONGEST = 69
"""Characters of a military-string (RFC 6477 4)."""

_POLICY = policy.SMTP.clone(max_line_length=76)
_PS_CHARS = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*\Z")
_VALUES = {
    "ROUTINE": (1, "routine", -2),
    "PRIORITY": (2, "priority", 0),
    "IMMEDIATE": (3, "immediate", 2),
    "NIACT IMMEDIATE": (3, "immediate", 2),
    "FLASH": (4, "flash", 4),
    "EMERGENCY": (5, "override", 6),
}
"""MMHS precedence, its name, and MT-PRIORITY (RFC 6477 3.8; RFC 6710, policy STANAG4406)."""

_WITHOUT_PLACE = (
    "Reply-To",
    "Sender",
    "Bcc",
    "In-Reply-To",
    "References",
    "Expires",
    "Disposition-Notification-To",
    "MMHS-Message-Type",
    "MMHS-Authorizing-Users",
    "List-Id",
)
ATTACHED = "telegram.txt"
"""The name under which the exact wire text travels along."""


class MailError(ValueError):
    """A telegram that no mail can be made of; the message says which field, why, and what to do."""


class Loss(msgspec.Struct, frozen=True):
    """What the other form cannot carry: the field, its value, and what becomes of it."""

    field: str
    value: str
    why: str


class Envelope(msgspec.Struct, frozen=True):
    """One SMTP transaction: its mailboxes, and the priority of `MAIL FROM` (RFC 6710), which belongs to
    the transaction and not to the recipient."""

    mailboxes: tuple[str, ...]
    mt_priority: int


class Mail(msgspec.Struct, frozen=True):
    """A mail, how to send it, and what it could not carry.

    `messages` are the bytes for each envelope, in their order: they differ in `MT-Priority` alone.
    """

    messages: tuple[bytes, ...]
    envelopes: tuple[Envelope, ...]
    losses: tuple[Loss, ...]


def to_mail(telegram: Telegram, directory: Directory, *, wire: str | None = None) -> Mail:
    """The mail of a telegram; `wire`, its exact wire text, is attached where it is given.

    An addressee without a mailbox is named as reached by other means. Raises `MailError` for what
    cannot be sent at all: no originator or none with a mailbox, no addressee with one, a name that
    no header can hold.
    """
    if telegram.originator is None:
        raise MailError("originator: a mail needs a sender; the telegram has no FM line")
    sender = directory.named(telegram.originator.name)
    if sender is None or not sender.mailbox:
        raise MailError(
            f"originator: {telegram.originator.name} has no mailbox in the directory; add one"
        )
    to, other_to = _reached(telegram.action, directory)
    copies, other_cc = _reached(telegram.info, directory)
    if not to and not copies:
        raise MailError("no addressee has a mailbox in the directory; add one")
    primary = telegram.precedence or "ROUTINE"
    copy = telegram.info_precedence or _highest(telegram.info) or primary
    groups: list[tuple[list[Entry], str]] = [(to, primary)] if to else []
    if copies and to and _VALUES[copy][2] == _VALUES[primary][2]:
        groups = [(to + copies, primary)]
    elif copies:
        groups.append((copies, copy))
    message = _headers(telegram, sender, to, copies, primary, copy)
    for name, others in (("To", other_to), ("CC", other_cc)):
        if others:
            message[f"MMHS-Other-Recipients-Indicator-{name}"] = "; ".join(
                _military(each, f"addressee {each}") for each in others
            )
    text = _text(telegram)
    message["MT-Priority"] = ""
    message["SIO-Label"] = f'marking="{telegram.classification or "UNCLASSIFIED"}"'
    message.set_content(text, charset="us-ascii" if text.isascii() else "utf-8")
    if wire is not None:
        # As bytes: a text would get a line end.
        message.add_attachment(
            wire.encode("utf-8", "replace"),
            maintype="text",
            subtype="plain",
            filename=ATTACHED,
            params={"charset": "utf-8"},
        )
    messages: list[bytes] = []
    envelopes: list[Envelope] = []
    for entries, precedence in groups:
        priority = _VALUES[precedence][2]
        word = precedence.removeprefix("NIACT ")
        message.replace_header("MT-Priority", f"{priority} ({word}, STANAG4406)")
        messages.append(message.as_bytes(policy=_POLICY))
        mailboxes = tuple(dict.fromkeys(e.mailbox for e in entries if e.mailbox))
        envelopes.append(Envelope(mailboxes, priority))
    again, _ = from_mail(messages[0], directory)
    losses = tuple(
        Loss(each.field, said(each.record), f"comes back as {said(each.text)}")
        for each in differences(telegram, again)
    )
    return Mail(tuple(messages), tuple(envelopes), losses)


def from_mail(source: bytes | str, directory: Directory) -> tuple[Telegram, tuple[Loss, ...]]:
    """The telegram of a mail, stations named by the directory, and what of the mail it cannot hold.

    The exact text sent along is read in preference to the body. Raises `NotATelegram`.
    """
    data = source.encode("utf-8", errors="surrogateescape") if isinstance(source, str) else source
    message = BytesParser(policy=policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)
    telegram = read(_as_text(data, message))
    named = msgspec.structs.replace(
        telegram,
        originator=_named_station(telegram, message, directory),
        action=tuple(_named(each, message["To"], directory) for each in telegram.action),
        info=tuple(_named(each, message["Cc"], directory) for each in telegram.info),
    )
    return named, tuple(_unheld(message))


def _as_text(data: bytes, message: EmailMessage) -> str:
    """The mail as text; one in another character set than UTF-8 in a transfer encoding first."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return message.as_bytes(policy=policy.SMTP.clone(cte_type="7bit")).decode(
            "ascii", "replace"
        )


def _unheld(message: EmailMessage) -> list[Loss]:
    """Headers and parts that a telegram has no place for."""
    found = [
        Loss(name, said(str(message[name])), "a telegram has no such field")
        for name in _WITHOUT_PLACE
        if message[name] is not None
    ]
    body = message.get_body(("plain", "html"))
    for part in message.walk():
        if part is body or part.is_multipart() or part.get_filename() == ATTACHED:
            continue
        name = part.get_filename() or part.get_content_type()
        alternative = part.get_content_type() == "text/html" and not part.get_filename()
        why = "the plain text says the same" if alternative else "a telegram has no attachments"
        found.append(Loss("part", name, why))
    return found


def _headers(
    telegram: Telegram,
    sender: Entry,
    to: list[Entry],
    copies: list[Entry],
    primary: str,
    copy: str,
) -> EmailMessage:
    assert telegram.originator is not None
    message = EmailMessage(policy=_POLICY)
    message["From"] = _mailbox(telegram.originator.name, sender.mailbox or "")
    if to:
        message["To"] = ", ".join(_mailbox(each.name, each.mailbox or "") for each in to)
    if copies:
        message["Cc"] = ", ".join(_mailbox(each.name, each.mailbox or "") for each in copies)
    filed = telegram.transmission.filed if telegram.transmission else None
    date = filed or telegram.dtg
    if date:
        message["Date"] = format_datetime(datetime.fromisoformat(date))
    identity = _message_id(telegram, (sender.mailbox or "@local").split("@")[1])
    if identity:
        message["Message-ID"] = identity
    if telegram.subject:
        message["Subject"] = telegram.subject
    if telegram.dtg:
        sent = format_datetime(datetime.fromisoformat(telegram.dtg))
        message["MMHS-Extended-Authorisation-Info"] = sent
    value, word, _ = _VALUES[primary]
    if telegram.action:
        message["MMHS-Primary-Precedence"] = f"{value} ({word})"
    if telegram.info:
        value, word, _ = _VALUES[copy]
        message["MMHS-Copy-Precedence"] = f"{value} ({word})"
    if telegram.mrn:
        reference = f"{telegram.mrn.post} {telegram.mrn.number:04d}"
        message["MMHS-Originator-Reference"] = reference
    message["MMHS-Originator-PLAD"] = _military(telegram.originator.name, "originator")
    if telegram.exempt:
        message["MMHS-Exempted-Address"] = ", ".join(
            f'"{_military(each.name, "exempt")}" <{_slug(each.name)}@exempt.invalid>'
            for each in telegram.exempt
        )
    _procedure_headers(message, telegram)
    codes = [tag.code for tag in telegram.tags]
    if codes:
        message["Keywords"] = ", ".join(
            f"({t.code})" if t.kind == "person" else t.code for t in telegram.tags
        )
        indicators = [c for c in codes if 3 <= len(c) <= 8 and _PS_CHARS.match(c)][:8]
        if indicators:
            message["MMHS-Subject-Indicator-Codes"] = "; ".join(indicators)
    return message


def _procedure_headers(message: EmailMessage, telegram: Telegram) -> None:
    """Format lines 3, 4, 5 and 10, and the captions, which readers are to see."""
    wire = telegram.wire
    instructions = list(telegram.captions)
    if wire is not None:
        inner = wire.headings[-1]
        if inner.station:
            parts = (inner.station, (inner.serial or "").lstrip("#"), inner.filed)
            identifier = " ".join(part for part in parts if part)
            message["MMHS-Acp127-Message-Identifier"] = _military(identifier, "format line 3")
        if inner.instructions and _PS_CHARS.match(inner.instructions):
            message["MMHS-Handling-Instructions"] = _military(inner.instructions, "format line 4")
        if wire.instructions:
            instructions = [*wire.instructions.split(), *instructions]
        if wire.prefix and (count := re.fullmatch(r"GR ?([0-9]{1,4})", wire.prefix)):
            message["MMHS-Codress-Message-Indicator"] = count[1]
    if instructions:
        message["MMHS-Message-Instructions"] = "; ".join(
            _military(each, "captions") for each in instructions
        )


def _message_id(telegram: Telegram, domain: str) -> str | None:
    """An identity that the same message always gets: station, serial, year, day and time of filing."""
    made = telegram.transmission
    if made and made.station and made.station_serial and made.filed:
        filed = datetime.fromisoformat(made.filed)
        section = f"-{made.section}" if made.section else ""
        serial = f"{made.station_serial}{section}"
        return f"<{made.station}.{serial}.{filed:%Y-%j-%H%M}@{domain}>"
    return f"<{telegram.mrn.long}@{domain}>" if telegram.mrn else None


def _text(telegram: Telegram) -> str:
    form = telegram.wire.form if telegram.wire else "state"
    alone = telegram.service is not None and not telegram.mrn
    lines = service_lines(telegram) if alone else text_lines(telegram, form)
    return "\n".join(lines) + "\n"


def _reached(
    addressees: tuple[Addressee, ...], directory: Directory
) -> tuple[list[Entry], list[str]]:
    """The addressees with a mailbox, under the names they were addressed by, and the others."""
    found: list[Entry] = []
    others: list[str] = []
    for addressee in addressees:
        entry = directory.named(addressee.name)
        if entry is None or not entry.mailbox or addressee.routing_indicator == "ZEN":
            others.append(addressee.name)
        else:
            found.append(msgspec.structs.replace(entry, name=addressee.name))
    return found, others


def _highest(addressees: tuple[Addressee, ...]) -> str | None:
    words = [each.precedence for each in addressees if each.precedence]
    return max(words, key=lambda word: _VALUES[word][0], default=None)


def _mailbox(name: str, address: str) -> str:
    plain = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}" <{address}>'


def _military(text: str, field: str) -> str:
    """A text that a military-string can hold (RFC 6477 4)."""
    if len(text) > LONGEST:
        raise MailError(f"{field}: {text[:40]}... has {len(text)} characters; {LONGEST} fit")
    if not _PS_CHARS.match(text):
        bad = next(char for char in text if not _PS_CHARS.match(char))
        raise MailError(
            f"{field}: {text!r} has {bad!r}, which no MMHS header can hold (RFC 6477 4);"
            " write it with letters, digits and ' ( ) + , - . / : = ?"
        )
    return text


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "station"


def _named_station(
    telegram: Telegram, message: EmailMessage, directory: Directory
) -> Station | None:
    station = telegram.originator
    sender = message["From"]
    if station is None or message["MMHS-Originator-PLAD"] is not None:
        return station
    if sender is not None and sender.addresses:
        entry = directory.at_mailbox(sender.addresses[0].addr_spec)
        if entry is not None and station.name in (
            sender.addresses[0].display_name,
            sender.addresses[0].addr_spec,
        ):
            return Station(entry.name)
    return station


def _named(addressee: Addressee, header: AddressHeader | None, directory: Directory) -> Addressee:
    """The addressee by the directory's name for its mailbox, with its routing indicator."""
    name = addressee.name
    entry = directory.named(name)
    if entry is None and header is not None:
        for mailbox in header.addresses:
            if name in (mailbox.display_name, mailbox.addr_spec):
                entry = directory.at_mailbox(mailbox.addr_spec)
                name = entry.name if entry else name
    if entry is None or addressee.routing_indicator is not None:
        return addressee
    return msgspec.structs.replace(addressee, name=name, routing_indicator=entry.routing_indicator)
