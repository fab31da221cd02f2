"""A written telegram is read again before it is given out: what reads otherwise was not carried."""

from __future__ import annotations

from typing import Any

import msgspec

from reftel.telegram import Telegram

# About the copy that was read, not the message; the sender's circuits never carried them.
OF_THE_COPY = (
    "distribution",
    "drafted_by",
    "approved_by",
    "clearances",
    "attributes",
    "release",
)
_ALWAYS = (
    "mrn",
    "precedence",
    "info_precedence",
    "dtg",
    "originator",
    "action",
    "info",
    "exempt",
    "readdressal",
    "service",
    "classification",
    "captions",
    "section",
    "passing",
    "executive_order",
    "tags",
    "subject",
    "references",
    "classified_by",
    "summary",
    "body",
    "signature",
)


class Difference(msgspec.Struct, frozen=True):
    """A field that reads otherwise: what the record says, and what the text would say."""

    field: str
    record: Any
    text: Any


def differences(record: Telegram, again: Telegram) -> list[Difference]:
    """What the text that was written says otherwise than the record, field by field.

    Spans, repairs and doubts belong to a text, not to the message, and are not compared.
    """
    more = (name for name in ("transmission", "wire") if getattr(record, name) is not None)
    fields = (*_ALWAYS, *more)
    found: list[Difference] = []
    for name in fields:
        mine, theirs = _plain(getattr(record, name)), _plain(getattr(again, name))
        if name == "body" and record.service is not None and not record.body:
            # The text of a service message is what it says; its body repeats that.
            continue
        if mine != theirs:
            if isinstance(mine, tuple) and isinstance(theirs, tuple) and len(mine) == len(theirs):
                for at, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                    if a != b:
                        found.append(Difference(f"{name}[{at}]", a, b))
            else:
                found.append(Difference(name, mine, theirs))
    return found


def _plain(value: Any) -> Any:
    """A value without the places it was read from."""
    plain = msgspec.to_builtins(value)
    rows = plain if isinstance(plain, tuple) else (plain,)
    for row in rows:
        if isinstance(row, dict):
            row.pop("span", None)
    return plain


def said(value: Any, limit: int = 70) -> str:
    """A value in a message: short, in one line."""
    if isinstance(value, dict):
        value = {key: each for key, each in value.items() if each not in (None, (), False)}
    text = " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
