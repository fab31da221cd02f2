"""What a rule finds, the rules themselves, and what a rule looks at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import msgspec

from reftel.tables.directory import Directory
from reftel.telegram import CLASSIFICATIONS, Addressee, Span, Telegram

Severity = Literal["error", "warning"]
Profile = Literal["state-1995-2009", "state-1973-79", "state-2009", "acp127"]

PROFILES: tuple[Profile, ...] = ("state-1995-2009", "state-1973-79", "state-2009", "acp127")
"""Whose rules hold; the first is the default."""

STATE: tuple[Profile, ...] = ("state-1995-2009", "state-1973-79", "state-2009")
MODERN: tuple[Profile, ...] = ("state-1995-2009", "state-2009")
D9: tuple[Profile, ...] = ("state-1995-2009",)
ALL = PROFILES


class Held(Protocol):
    """What an archive knows, for rules that ask whether a telegram is held."""

    def telegram(self, mrn: str) -> Telegram | None:
        """The telegram with a number in its short spelling."""

    def last_number(self, post: str, year: int) -> int | None:
        """The highest number held of a post in a year."""


class Finding(msgspec.Struct, frozen=True):
    """A rule that a telegram breaks: where, what stands there, what should, and what to do.

    `span` is in the telegram's source, `line` and `column` count from 1; all three are `None` where
    the telegram as a whole breaks it. `source` is the handbook section of the rule.
    """

    rule: str
    name: str
    severity: Severity
    message: str
    found: str
    expected: str
    remedy: str
    span: Span | None
    line: int | None
    column: int | None
    source: str


class Found(NamedTuple):
    """What a rule's function yields; its severity where it differs from the rule's."""

    message: str
    found: str
    expected: str
    remedy: str
    span: Span | None
    severity: Severity | None = None


class Rule(NamedTuple):
    """A drafting rule: `sentence` says what it asks for, `needs` what it must be told from outside."""

    number: str
    name: str
    severity: Severity
    sentence: str
    source: str
    profiles: tuple[Profile, ...]
    needs: str
    look: Callable[[Case], Iterator[Found]]


RULES: dict[str, Rule] = {}
"""Every rule by its number, in order."""


def rule(
    number: str,
    name: str,
    severity: Severity,
    source: str,
    profiles: tuple[Profile, ...] = ALL,
    needs: str = "",
) -> Callable[[Callable[[Case], Iterator[Found]]], Callable[[Case], Iterator[Found]]]:
    """Enter a function as a rule; its docstring is the rule's sentence."""

    def enter(look: Callable[[Case], Iterator[Found]]) -> Callable[[Case], Iterator[Found]]:
        sentence = " ".join((look.__doc__ or "").split("\n\n")[0].split())
        RULES[number] = Rule(number, name, severity, sentence, source, profiles, needs, look)
        return look

    return enter


RANKS = {name: rank for rank, name in enumerate(CLASSIFICATIONS)}
_PORTION_RANK = {"U": 0, "FOUO": 0, "SBU": 1, "LOU": 2, "L": 2, "C": 3, "S": 4, "TS": 5}
PRECEDENCES = ("FLASH", "NIACT IMMEDIATE", "IMMEDIATE", "PRIORITY", "ROUTINE")


class Case:
    """A telegram before the rules, with what they ask of it more than once."""

    def __init__(
        self,
        telegram: Telegram,
        profile: Profile,
        *,
        draft: bool,
        directory: Directory,
        held: Held | None,
    ) -> None:
        self.telegram = telegram
        self.profile = profile
        self.draft = draft
        self.directory = directory
        self.held = held

    def span(self, *kinds: str, nth: int = 0) -> Span | None:
        """The place of the first (or another) element of some kinds, without its line end."""
        places = self.spans(*kinds)
        return places[nth] if len(places) > nth else (places[-1] if places else None)

    def spans(self, *kinds: str) -> list[Span]:
        source = self.telegram.source
        found: list[Span] = []
        for element in self.telegram.elements:
            if element.kind in kinds:
                text = source[element.start : element.end]
                start = element.start + len(text) - len(text.lstrip())
                found.append(Span(start, max(element.start + len(text.rstrip()), start)))
        return found

    def text(self, *kinds: str) -> str:
        """The elements of some kinds, as they stand, a line each."""
        return "\n".join(span.of(self.telegram.source) for span in self.spans(*kinds))

    def place(self, text: str, *kinds: str) -> Span | None:
        """Where a text stands within elements of some kinds; the first element where it does not."""
        for span in self.spans(*kinds):
            at = self.telegram.source.upper().find(text.upper(), span.start, span.end)
            if text and at >= 0:
                return Span(at, at + len(text))
        return self.span(*kinds)

    def of(self, addressee: Addressee) -> Span | None:
        return self.place(addressee.name, "action-addressee", "info-addressee", "exempt-addressee")

    @cached_property
    def addressees(self) -> tuple[Addressee, ...]:
        return (*self.telegram.action, *self.telegram.info)

    @cached_property
    def date(self) -> str | None:
        """The telegram's own date, ISO."""
        return self.telegram.dtg[:10] if self.telegram.dtg else None

    @cached_property
    def year(self) -> int | None:
        if self.telegram.dtg:
            return int(self.telegram.dtg[:4])
        return self.telegram.mrn.year if self.telegram.mrn else None

    @cached_property
    def whole(self) -> bool:
        """Whether heading and text are both here: of a fragment nothing can be said to be missing."""
        t = self.telegram
        if self.draft:
            return True
        return bool(t.originator and t.dtg and t.classification and (t.body or t.subject))

    @cached_property
    def further(self) -> bool:
        """Whether this is a section other than the first, which has no markings of its own."""
        section = self.telegram.section
        return section is not None and 1 not in self.telegram.sections_present

    @cached_property
    def message(self) -> bool:
        """Whether it is a telegram of a service's, not a message between centres or one in cipher."""
        wire = self.telegram.wire
        return self.telegram.service is None and not (wire and wire.prefix)

    @cached_property
    def rank(self) -> int:
        return RANKS.get(self.telegram.classification or "UNCLASSIFIED", 0)

    @cached_property
    def classified(self) -> bool:
        return self.rank >= RANKS["CONFIDENTIAL"]

    @cached_property
    def marks(self) -> list[tuple[str, int, Span]]:
        """The portion marks: as written, their rank, the block's place."""
        return [
            (block.marking, portion_rank(block.marking), block.span)
            for block in self.telegram.body
            if block.marking
        ]

    @cached_property
    def prose(self) -> str:
        """The clean text of the body."""
        return self.telegram.text

    @cached_property
    def line_true(self) -> bool:
        """Whether the source still has the lines that went over the wire: BT stands in it."""
        return any(element.kind == "separator" for element in self.telegram.elements)


def name_key(name: str) -> str:
    """A plain language address by which it is compared: its letters and digits."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def portion_rank(marking: str) -> int:
    """The rank of a portion mark's level, which stands before any control (`S/NF`)."""
    return _PORTION_RANK.get(re.split(r"[/ -]", marking)[0], 0)
