"""What a service message asks or tells, from its text (ACP 127 401-438; wire-format.md 10.6)."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Kind = Literal[
    "open-number",
    "repeat-request",
    "repeat",
    "part-request",
    "part",
    "corrected-copy-request",
    "cancellation",
    "tracer",
    "readdressal",
    "passed",
    "misrouted",
    "missent",
    "last-received",
    "last-sent",
    "number-discrepancy",
    "route-question",
    "route",
    "closing-question",
    "closing",
    "test",
    "receipt",
    "receipt-question",
    "other",
]

# Station serial number with letter or section, and time of filing.
MESSAGE = re.compile(
    r"\b(?P<ri>[A-Z]{4,8}) (?P<serial>#?[0-9]{1,4}(?:/[0-9]{2}|[A-Z])?)"
    r" (?P<filed>[0-9]{7}|[0-9]{2}/[0-9]{4}[A-Z])\b"
)
CHANNEL = re.compile(r"\b(?P<channel>[A-Z]{3})(?P<number>[0-9]{3,4})\b")
_RANGE = re.compile(r"\b([A-Z]{3})([0-9]{3,4}) (?:TO|THRU) (?:\1)?([0-9]{3,4})\b")
_LARGEST_RANGE = 1000


class ServiceMessage(msgspec.Struct, frozen=True):
    """A service text understood: what kind it is, the messages that it names (routing indicator, serial
    and time of filing), the channel numbers, a range written out, and whether it asks (`INT`)."""

    kind: Kind
    question: bool
    messages: tuple[str, ...]
    channel_numbers: tuple[str, ...]
    reply_to: str | None = None


def understand(text: str) -> ServiceMessage:
    """What a service text says; `other` where none of the signals in it is known."""
    plain = " ".join(text.split())
    reply = re.match(r"ZUI ([A-Z]{4,8} #?[0-9A-Z/]+(?: [0-9]{7})?) ", plain)
    rest = plain[reply.end() :] if reply else plain
    question = "INT " in rest
    numbers: list[str] = []
    for match in _RANGE.finditer(rest):
        first, last = int(match[2]), int(match[3])
        if 0 <= last - first <= _LARGEST_RANGE:
            width = len(match[2])
            numbers += [f"{match[1]}{n:0{width}d}" for n in range(first, last + 1)]
    numbers += [match[0] for match in CHANNEL.finditer(rest)]
    messages = [match[0] for match in MESSAGE.finditer(rest)]
    return ServiceMessage(
        kind=_kind(rest, question),
        question=question,
        messages=tuple(dict.fromkeys(messages)),
        channel_numbers=tuple(dict.fromkeys(numbers)),
        reply_to=reply[1] if reply else None,
    )


_SIGNALS: tuple[tuple[str, Kind], ...] = (
    (r"\bZFX\b", "open-number"),
    (r"\bINT QSL\b", "receipt-question"),
    (r"\bQSL\b", "receipt"),
    (r"\bTRACE AND ADVISE\b|\bCLAIMS NON-?RECEIPT\b", "tracer"),
    (r"\bZDH\b", "corrected-copy-request"),
    (r"\bZFR\b", "cancellation"),
    (r"\bZES[12]\b|\bIMI\b", "repeat-request"),
    (r"\bINT ZKJ\b", "closing-question"),
    (r"\bZKJ1?\b", "closing"),
    (r"\bZBZ[1-5]?\b|\bCHANNEL CHECK\b", "test"),
    (r"\bZOG1\b", "readdressal"),
    (r"\bZFH[12]\b", "passed"),
    (r"\bZEQ2\b", "missent"),
    (r"\bZEQ[345]\b", "misrouted"),
    (r"\bZID\b", "last-received"),
    (r"\bZIC\b", "last-sent"),
    (r"\bZF[QTUV]\b", "number-discrepancy"),
    (r"\bINT ZOE\b", "route-question"),
    (r"\bZOE\b", "route"),
)


def _kind(text: str, question: bool) -> Kind:
    if re.search(r"\bZDK\b", text) and not re.search(r"\bZID\b", text):
        part = re.search(r"\b(?:WA|WB|AA|AB)\b", text) is not None
        if question:
            return "part-request" if part else "repeat-request"
        return "part" if part else "repeat"
    return next((kind for pattern, kind in _SIGNALS if re.search(pattern, text)), "other")
