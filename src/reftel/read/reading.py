"""What has been found so far while one telegram is being read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from reftel.read.elements import Piece
from reftel.telegram import (
    Addressee,
    Block,
    Citation,
    ClassifiedBy,
    Diagnostic,
    Dialect,
    Distribution,
    ExecutiveOrder,
    Mrn,
    Procedure,
    Readdressal,
    Reference,
    Release,
    Repair,
    Section,
    Severity,
    Span,
    Station,
    Tag,
    Transmission,
)

_MANY: Final = frozenset(("blank", "body", "paragraph-number"))


@dataclass(slots=True)
class Reading:
    """The notes of a reader at work: the source, its pieces, and the values met on the way."""

    source: str
    pieces: list[Piece]
    year: int | None = None
    lowered: bool = False
    dialect: Dialect = "fragment"
    mrn: Mrn | None = None
    post: str | None = None
    number: int | None = None
    transmission: Transmission | None = None
    precedence: str | None = None
    info_precedence: str | None = None
    dtg: str | None = None
    originator: Station | None = None
    action: list[Addressee] = field(default_factory=list)
    info: list[Addressee] = field(default_factory=list)
    exempt: list[Addressee] = field(default_factory=list)
    readdressal: Readdressal | None = None
    service: str | None = None
    classification: str | None = None
    captions: list[str] = field(default_factory=list)
    section: Section | None = None
    further_sections: list[int] = field(default_factory=list)
    section_starts: list[tuple[int, Piece]] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    executive_order: ExecutiveOrder | None = None
    tags: list[Tag] = field(default_factory=list)
    subject: str | None = None
    references: list[Reference] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    classified_by: ClassifiedBy | None = None
    summary: str | None = None
    body: list[Block] = field(default_factory=list)
    signature: str | None = None
    distribution: Distribution | None = None
    drafted_by: str | None = None
    approved_by: str | None = None
    clearances: tuple[str, ...] = ()
    uncertain_number: tuple[str, str, Span] | None = None
    attributes: dict[str, str] | None = None
    release: Release | None = None
    headings: list[Procedure] = field(default_factory=list)
    message_instructions: str | None = None
    prefix: str | None = None
    repairs: list[Repair] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    by_kind: dict[str, list[Piece]] = field(default_factory=dict)

    def sort_pieces(self) -> None:
        """Note the pieces by their kinds, now that all are named, but for blanks and text."""
        for piece in self.pieces:
            if piece.kind not in _MANY:
                self.by_kind.setdefault(piece.kind, []).append(piece)

    def of_kind(self, kind: str) -> list[Piece]:
        """The pieces of a kind in the order of the source, once they are sorted."""
        return self.by_kind.get(kind, [])

    def doubt(
        self, code: str, message: str, piece: Piece | None = None, severity: Severity = "warning"
    ) -> None:
        """Record a doubt, at a piece where it has a place."""
        span = Span(piece.start, piece.start + len(piece.text)) if piece is not None else None
        self.diagnostics.append(Diagnostic(code, severity, message, span))
