"""The whole path from `Telegram` to wire text, with the promise that it reads back."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from reftel.read import NotATelegram, read
from reftel.telegram import Block, Telegram, WireForm
from reftel.write.charset import Change, Charset, fit
from reftel.write.lines import LINE
from reftel.write.readback import OF_THE_COPY, Difference, differences, said
from reftel.write.wire import wire_lines

_WIDTHS = (LINE, 66, 63, 59, 55)
# What no text may hold: it would end the message, or begin another (ACP 127; wire-format.md 1.14).
_FORBIDDEN = ("NNNN", "ZCZC")


class CannotWriteError(ValueError):
    """The form cannot carry the record; `problems` says which field, what, and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Written(str):
    """Wire text; `changes` are the substitutions made in it, `losses` the fields of the record that are
    about the copy it was read from and travel on no circuit."""

    changes: tuple[Change, ...]
    losses: tuple[str, ...]

    def __new__(
        cls, text: str, changes: tuple[Change, ...] = (), losses: tuple[str, ...] = ()
    ) -> Self:
        self = super().__new__(cls, text)
        self.changes = changes
        self.losses = losses
        return self


def write(
    telegram: Telegram, *, form: WireForm | None = None, charset: Charset | None = None
) -> Written:
    """The wire text of a telegram, a line feed at each line's end (`encode` makes the circuit's bytes).

    `form` is `acp127` or `state`, by default that in which the record was read, else `state`;
    `charset` is what the circuit carries, by default ACP 127's own alphabet for `acp127` and seven-bit
    ASCII for `state`. Characters that it lacks are replaced and named in `changes`. The text is read
    back before it is returned, and says what the record says: `CannotWriteError` where it does not.
    """
    layout: WireForm = form or (telegram.wire.form if telegram.wire else "state")
    plain, changes, losses = fitted(telegram, layout, charset)
    refused: list[Difference] = []
    for width in _WIDTHS:
        lines = wire_lines(plain, layout, width)
        found = _unread(plain, "\n".join(lines) + "\n")
        if not found:
            _check_lengths(lines)
            return Written("\n".join(lines) + "\n", changes, losses)
        if not refused or len(found) < len(refused):
            refused = found
    raise CannotWriteError([refusal(each) for each in refused])


def fitted(
    telegram: Telegram, form: WireForm, charset: Charset | None
) -> tuple[Telegram, tuple[Change, ...], tuple[str, ...]]:
    """The telegram in the circuit's characters, the changes made for it, and the fields that no
    circuit carries. Raises `CannotWriteError` where a character or a word cannot be sent."""
    circuit: Charset = charset or ("ita2" if form == "acp127" else "ascii")
    plain, changes, problems = _fitted(telegram, circuit)
    problems += _impossible(plain)
    if problems:
        raise CannotWriteError(problems)
    return plain, tuple(changes), tuple(name for name in OF_THE_COPY if getattr(telegram, name))


def _unread(telegram: Telegram, text: str) -> list[Difference]:
    """What a text says otherwise than the telegram it was written from."""
    filed = telegram.transmission.filed if telegram.transmission else None
    dated = telegram.dtg or filed
    year = telegram.mrn.year if telegram.mrn else int(dated[:4]) if dated else None
    try:
        return differences(telegram, read(text, year=year))
    except NotATelegram as error:
        return [Difference("body", "a telegram", error.why)]


def refusal(found: Difference) -> str:
    return (
        f"{found.field}: the wire form cannot carry {said(found.record)}: it would be read as"
        f" {said(found.text)}; write it otherwise"
    )


def _check_lengths(lines: list[str]) -> None:
    long = [
        f"line {at}: {len(line)} characters, a line holds {LINE} (ACP 127 138.f): {line[:40]}...;"
        " shorten it"
        for at, line in enumerate(lines, 1)
        if len(line) > LINE and not line.startswith("VZCZC")
    ]
    if long:
        raise CannotWriteError(long)


def _impossible(telegram: Telegram) -> list[str]:
    problems: list[str] = []
    for field, text in _texts(telegram):
        problems += [
            f"{field}: {word} ends or begins a message on the wire (ACP 127 128, 144);"
            f" write it spaced: {' '.join(word)}"
            for word in _FORBIDDEN
            if word in text
        ]
    return problems


def _texts(telegram: Telegram) -> list[tuple[str, str]]:
    found = [(f"body[{at}].text", block.text) for at, block in enumerate(telegram.body)]
    if telegram.subject:
        found.append(("subject", telegram.subject))
    return found


def _fitted(telegram: Telegram, charset: Charset) -> tuple[Telegram, list[Change], list[str]]:
    """The telegram in the circuit's characters, what was changed, and what cannot be."""
    changes: list[Change] = []
    problems: list[str] = []

    def one(text: str, field: str) -> str:
        plain, made, bad = fit(text, charset, field)
        changes.extend(made)
        for char in bad:
            at = text.index(char)
            problems.append(
                f"{field}: no circuit can carry {char!r} ({text[max(0, at - 10) : at + 11]!r});"
                " write it in letters of the alphabet"
            )
        return plain

    def every(value: Any, field: str) -> Any:
        if isinstance(value, str):
            return one(value, field)
        if isinstance(value, tuple):
            return tuple(every(each, f"{field}[{at}]") for at, each in enumerate(value))
        if isinstance(value, msgspec.Struct):
            new = {
                name: every(getattr(value, name), f"{field}.{name}")
                for name in value.__struct_fields__
                if name not in _NOT_WRITTEN and getattr(value, name)
            }
            return msgspec.structs.replace(value, **new) if new else value
        return value

    replaced = {
        name: every(getattr(telegram, name), name) for name in _WRITTEN if getattr(telegram, name)
    }
    if all(replaced[name] is getattr(telegram, name) for name in replaced) or not (
        changes or problems
    ):
        return telegram, changes, problems
    return _derived(msgspec.structs.replace(telegram, **replaced)), changes, problems


_WRITTEN = (
    "originator",
    "action",
    "info",
    "exempt",
    "service",
    "captions",
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
_NOT_WRITTEN = frozenset(
    ("span", "kind", "mrn", "declassify_on", "exemptions", "reasons", "by_rule")
)


def _derived(telegram: Telegram) -> Telegram:
    """What follows from other fields, after substitutions in them."""
    from reftel.read.summary import find_summary

    blocks: list[Block] = list(telegram.body)
    return msgspec.structs.replace(telegram, summary=find_summary(blocks))
