"""The record: a telegram as values.

Everything in Reftel is a plain function of a `Telegram`. It keeps the exact text it was read from
(`source`) and a partition of that text into `elements`: joined in order they give the source back,
character for character. Values are read from the elements; a value is present, absent (`None` or
empty), or present but unreadable, in which case it is absent and a `Diagnostic` names its place.

The records hold nothing that could hold them, so the garbage collector need not look at them
(`gc=False`).

This module imports nothing else of Reftel. Positions are code points of `Telegram.source`, from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "info"]
Dialect = Literal["acp127", "sas", "cable", "smart", "mail", "fragment"]
BlockKind = Literal["paragraph", "heading", "text"]
ReferenceKind = Literal["telegram", "mail", "document", "telephone", "report", "other"]
WireForm = Literal["acp127", "state"]
TagKind = Literal[
    "subject", "geographic", "organization", "program", "person", "special", "unknown"
]

RECORD_VERSION = 1

CLASSIFICATIONS: tuple[str, ...] = (
    "UNCLASSIFIED",
    "SENSITIVE BUT UNCLASSIFIED",
    "LIMITED OFFICIAL USE",
    "CONFIDENTIAL",
    "SECRET",
    "TOP SECRET",
)
"""Classifications as the record writes them, lowest first."""


class Span(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Characters [start, end) of `Telegram.source`, counted from 0 in code points."""

    start: int
    end: int

    def of(self, source: str) -> str:
        return source[self.start : self.end]


class Element(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A run of the source and the kind of thing it is; `read.elements.KINDS` lists the kinds."""

    kind: str
    start: int
    end: int


_MRN_SHORT = re.compile(r"([0-9]{2}|[0-9]{4}) ?([A-Z][A-Z ]*?) ?0*([0-9]{1,8})\Z")


class Mrn(msgspec.Struct, frozen=True, gc=False):
    """A message reference number: year, post and number. A citation, not a key.

    `post` is in letters alone (`LAPAZ`); `text` is the short spelling, `79BERN4120`.
    """

    text: str
    year: int
    post: str
    number: int

    @classmethod
    def of(cls, year: int, post: str, number: int) -> Mrn:
        plain = post.isascii() and post.isalpha() and post.isupper()
        letters = post if plain else re.sub(r"[^A-Z]", "", post.upper())
        return cls(f"{year % 100:02d}{letters}{number}", year, letters, number)

    @classmethod
    def parse(cls, text: str) -> Mrn | None:
        """The number that a spelling with a year stands for (`79BERN4120`, `1979BERN04120`)."""
        match = _MRN_SHORT.match(text.strip().upper())
        if match is None:
            return None
        return cls.of(written_year(match[1]), match[2], int(match[3]))

    @property
    def short(self) -> str:
        """As people cite it: `79BERN4120`."""
        return self.text

    @property
    def long(self) -> str:
        """As the National Archives write it: `1979BERN04120`, six digits for STATE."""
        width = 6 if self.post == "STATE" else 5
        return f"{self.year:04d}{self.post}{self.number:0{width}d}"


def full_year(two_digits: int) -> int:
    """A telegram's two-digit year: 66 to 99 are 19xx, 00 to 65 are 20xx (telegram-content.md 3.6)."""
    return 1900 + two_digits if two_digits >= 66 else 2000 + two_digits


def written_year(digits: str) -> int:
    """The year that two digits or four say."""
    return int(digits) if len(digits) == 4 else full_year(int(digits))


class Transmission(msgspec.Struct, frozen=True, gc=False):
    """Format lines 1 to 4 of ACP 127: how this copy travelled. `filed` is ISO 8601 UTC."""

    id: str | None = None
    precedence: str | None = None
    routing: tuple[str, ...] = ()
    station: str | None = None
    station_serial: str | None = None
    section: str | None = None
    filed: str | None = None
    classification: str | None = None
    operating_signals: tuple[str, ...] = ()


class Procedure(msgspec.Struct, frozen=True, gc=False):
    """Format lines 1 to 4 as one station wrote them, each value as it stands there.

    `id` is format line 1 without its blanks (`VZCZCNVA027`; with `BBA112` and the like behind it
    where a hop kept those of earlier ones) and `prosign` the `UU` or `HH` behind them; `precedence`
    is the word, `serial` as written (`0412`, `#0429/01`), `filed` too (`1550842`), `security` is the
    warning (`ZNR UUUUU`) and `instructions` what follows it.
    """

    id: str | None = None
    prosign: str | None = None
    precedence: str | None = None
    routing: tuple[str, ...] = ()
    station: str | None = None
    serial: str | None = None
    filed: str | None = None
    security: str | None = None
    instructions: str | None = None


class Wire(msgspec.Struct, frozen=True, gc=False):
    """What only a wire copy has: how its procedure lines were written, so that they can be again.

    `form` is `acp127`, or `state` with the US supplement (`#0428`, a precedence and a number for each
    addressee). `headings` are the procedure lines, outermost first: a second one stands inside where
    a relay put a pilot before the message, or a service message repeats one. `instructions` follow
    the date-time group, `prefix` is format line 10, `corrections` are format line 15. An
    `abbreviated` message has no BT; a `cancelled` one was broken off (`E E E E E E E E AR`).
    """

    form: WireForm
    headings: tuple[Procedure, ...]
    instructions: str | None = None
    prefix: str | None = None
    corrections: tuple[str, ...] = ()
    abbreviated: bool = False
    cancelled: bool = False


class Station(msgspec.Struct, frozen=True, gc=False):
    """The originator: its plain language address, and its routing indicator where one is written."""

    name: str
    routing_indicator: str | None = None


class Addressee(msgspec.Struct, frozen=True, gc=False):
    """An action, information or exempted addressee.

    `precedence` is the word written after the name, `None` where none stands (which means ROUTINE);
    `mcn` is the message continuity number as written.
    """

    name: str
    routing_indicator: str | None = None
    precedence: str | None = None
    mcn: str | None = None

    @property
    def line(self) -> str:
        """As the address writes it: `QZAAMF/MINFOR PORTA PRIORITY 0311`."""
        name = f"{self.routing_indicator}/{self.name}" if self.routing_indicator else self.name
        return " ".join(part for part in (name, self.precedence, self.mcn) if part)


class Readdressal(msgspec.Struct, frozen=True, gc=False):
    """The supplementary heading of a telegram sent on to others (ACP 127 501-504): who did, when, to
    whom. The telegram's own heading fills the other fields."""

    dtg: str | None
    originator: Station | None
    action: tuple[Addressee, ...] = ()
    info: tuple[Addressee, ...] = ()
    precedence: str | None = None


class Section(msgspec.Struct, frozen=True, gc=False):
    """Section `number` of `of`; `of` is `None` where the telegram does not say."""

    number: int
    of: int | None


class Attention(msgspec.Struct, frozen=True, gc=False):
    """A passing or attention line taken apart: `station` is to pass the telegram (`pass`), or holds the
    offices and persons that it is for (`attention`). telegram-content.md 3.10."""

    station: str | None
    action: Literal["attention", "pass"]
    offices: tuple[str, ...] = ()


class ExecutiveOrder(msgspec.Struct, frozen=True, gc=False):
    """The E.O. line. `text` is what follows the order's number.

    `declassify_on` is the ISO date on which the telegram falls open: the one that stands on the line,
    or, where none does and `by_rule` is true, the one that the order's own schedule gives.
    """

    order: str | None
    text: str
    declassify_on: str | None = None
    event: str | None = None
    exemptions: tuple[str, ...] = ()
    by_rule: bool = False


class Tag(msgspec.Struct, frozen=True, gc=False):
    code: str
    kind: TagKind


class Reference(msgspec.Struct, frozen=True, gc=False):
    """One item of the REF line: `mrn` is the short spelling where it cites a telegram."""

    enumerator: str | None
    kind: ReferenceKind
    mrn: str | None
    text: str
    span: Span | None = None


class Citation(msgspec.Struct, frozen=True, gc=False):
    """A telegram that the text cites: `text` as written, `mrn` the short spelling of what it points at.

    `reference` is the enumerator of the REF line's item (`REF B`), or the empty string for its only
    item (`REFTEL`); `None` where the text names a number itself (`STATE 12345`).
    """

    text: str
    mrn: str | None
    reference: str | None
    span: Span


class ClassifiedBy(msgspec.Struct, frozen=True, gc=False):
    name: str | None
    title: str | None
    reasons: tuple[str, ...] = ()


class Block(msgspec.Struct, frozen=True, gc=False):
    """A piece of the body. `span` covers it in the source, page breaks and damage included."""

    kind: BlockKind
    number: int | None
    marking: str | None
    label: str | None
    text: str
    span: Span


class Distribution(msgspec.Struct, frozen=True, gc=False):
    """The office list of 1973-79 copies, each as written (`ARA-20`: office and number of copies).

    `total` is the number after the slash, which the copies must add up to; `direction` is W
    (incoming) or R (outgoing). telegram-content.md 3.3.
    """

    action: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    info: tuple[str, ...] = ()
    total: int | None = None
    direction: str | None = None


class Release(msgspec.Struct, frozen=True, gc=False):
    """The review that released this copy: what it did, why it withheld, under which numbers.

    `action` is `RELEASE IN PART`, `RELEASE IN FULL` or `DENIED IN FULL`; `exemptions` are the codes
    that stand on the copy (`B1`, `1.4(D)`), `date` an ISO date. telegram-content.md 3.24.
    """

    action: str | None = None
    exemptions: tuple[str, ...] = ()
    case_number: str | None = None
    document_number: str | None = None
    date: str | None = None


class Repair(msgspec.Struct, frozen=True, gc=False):
    """Damage mended in the clean reading, never in the source.

    `sure` is `safe` (applied), `plausible` or `shown` (both only offered to the reader).
    """

    span: Span
    was: str
    now: str
    why: str
    sure: Literal["safe", "plausible", "shown"] = "safe"


class Diagnostic(msgspec.Struct, frozen=True, gc=False):
    """A doubt: a stable `code`, how grave it is, a sentence, and the place."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None


class Coverage(msgspec.Struct, frozen=True, gc=False):
    """How many characters the source has and how many of them stand in `unknown` elements."""

    characters: int
    unknown: int


class Telegram(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One telegram, read without loss. See docs/record.md for every field."""

    source: str
    elements: tuple[Element, ...] = ()
    dialect: Dialect = "fragment"
    mrn: Mrn | None = None
    transmission: Transmission | None = None
    precedence: str | None = None
    info_precedence: str | None = None
    dtg: str | None = None
    originator: Station | None = None
    action: tuple[Addressee, ...] = ()
    info: tuple[Addressee, ...] = ()
    exempt: tuple[Addressee, ...] = ()
    readdressal: Readdressal | None = None
    service: str | None = None
    classification: str | None = None
    captions: tuple[str, ...] = ()
    section: Section | None = None
    sections_present: tuple[int, ...] = ()
    passing: tuple[str, ...] = ()
    attention: tuple[Attention, ...] = ()
    executive_order: ExecutiveOrder | None = None
    tags: tuple[Tag, ...] = ()
    subject: str | None = None
    references: tuple[Reference, ...] = ()
    citations: tuple[Citation, ...] = ()
    classified_by: ClassifiedBy | None = None
    summary: str | None = None
    body: tuple[Block, ...] = ()
    signature: str | None = None
    distribution: Distribution | None = None
    drafted_by: str | None = None
    approved_by: str | None = None
    clearances: tuple[str, ...] = ()
    attributes: dict[str, str] | None = None
    release: Release | None = None
    wire: Wire | None = None
    repairs: tuple[Repair, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    coverage: Coverage = Coverage(0, 0)

    @property
    def sent(self) -> datetime | None:
        """The date-time group as a UTC time."""
        return datetime.fromisoformat(self.dtg).astimezone(UTC) if self.dtg else None

    @property
    def paragraphs(self) -> Iterator[Block]:
        return (block for block in self.body if block.kind == "paragraph")

    @property
    def text(self) -> str:
        """The clean reading of the body: blocks parted by blank lines, paragraphs with numbers."""
        return "\n\n".join(_block_text(block) for block in self.body)


def _block_text(block: Block) -> str:
    number = f"{block.number}. " if block.number is not None else ""
    marking = f"({block.marking}) " if block.marking else ""
    return f"{number}{marking}{block.text}"


def to_builtins(
    telegram: Telegram, *, source: str | None = None, text: bool = False
) -> dict[str, Any]:
    """The record as JSON-ready values (docs/record.md); `source` is the path it came from, `text` adds
    the exact text that it was read from."""
    values: dict[str, Any] = msgspec.to_builtins(telegram)
    exact = {"text": values["source"]} if text else {}
    del values["source"], values["elements"]
    return {"reftel": RECORD_VERSION, "source": source, **exact, **values}


class RecordError(ValueError):
    """JSON that is no record; the message says where and what."""


def from_builtins(values: dict[str, Any]) -> Telegram:
    """The telegram of a record (`to_builtins` reversed). Its source text is that which the record
    keeps, else none: its spans point into the text that the record was made from. Raises
    `RecordError`."""
    if not isinstance(values, dict):
        raise RecordError(f"a record is a JSON object, not {type(values).__name__}")
    version = values.get("reftel", RECORD_VERSION)
    if version != RECORD_VERSION:
        raise RecordError(f"version {version!r} of the record; this Reftel reads {RECORD_VERSION}")
    try:
        return msgspec.convert(
            {**values, "source": values.get("text", ""), "elements": ()}, Telegram
        )
    except msgspec.ValidationError as error:
        raise RecordError(f"not a record: {error}; `reftel schema` prints its form") from None


_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the record. More fields may be added to it within a version; those
    named here keep their meaning."""
    made: dict[str, Any] = msgspec.json.schema(Telegram)
    definitions: dict[str, Any] = made["$defs"]
    record = definitions.pop("Telegram")
    definitions.pop("Element", None)
    properties: dict[str, Any] = {
        "reftel": {"const": RECORD_VERSION, "description": "The version of the record."},
        "source": {
            "type": ["string", "null"],
            "description": "The path that the telegram was read from, as given.",
        },
        "text": {
            "type": "string",
            "description": "The exact text that the record was read from, where it was asked for.",
        },
    }
    for name, value in record["properties"].items():
        if name not in ("source", "elements"):
            properties[name] = {key: each for key, each in value.items() if key != "default"}
    return {
        "$schema": _SCHEMA_DIALECT,
        "title": "Reftel record",
        "description": " ".join((Telegram.__doc__ or "").split()),
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name != "text"],
        "$defs": definitions,
    }
