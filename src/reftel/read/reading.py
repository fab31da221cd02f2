"""What has been found so far while one telegram is being read."""

from __future__ import annotations

from reftel.read.elements import Piece
from reftel.read.shape import shape_of
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


class Reading:
    """The notes of a reader at work: the source, its pieces, and the values met on the way."""

    def __init__(
        self, source: str, pieces: list[Piece], year: int | None = None, *, lowered: bool = False
    ) -> None:
        self.source = source
        self.pieces = pieces
        self.year = year
        self.lowered = lowered
        self.dialect: Dialect = "fragment"
        self.mrn: Mrn | None = None
        self.post: str | None = None
        self.number: int | None = None
        self.transmission: Transmission | None = None
        self.precedence: str | None = None
        self.info_precedence: str | None = None
        self.dtg: str | None = None
        self.originator: Station | None = None
        self.action: list[Addressee] = []
        self.info: list[Addressee] = []
        self.exempt: list[Addressee] = []
        self.readdressal: Readdressal | None = None
        self.service: str | None = None
        self.classification: str | None = None
        self.captions: list[str] = []
        self.section: Section | None = None
        self.further_sections: list[int] = []
        self.section_starts: list[tuple[int, Piece]] = []
        self.passing: list[str] = []
        self.executive_order: ExecutiveOrder | None = None
        self.tags: list[Tag] = []
        self.subject: str | None = None
        self.references: list[Reference] = []
        self.citations: list[Citation] = []
        self.classified_by: ClassifiedBy | None = None
        self.summary: str | None = None
        self.body: list[Block] = []
        self.signature: str | None = None
        self.distribution: Distribution | None = None
        self.drafted_by: str | None = None
        self.approved_by: str | None = None
        self.clearances: tuple[str, ...] = ()
        self.uncertain_number: tuple[str, str, Span] | None = None
        self.attributes: dict[str, str] | None = None
        self.release: Release | None = None
        self.headings: list[Procedure] = []
        self.message_instructions: str | None = None
        self.prefix: str | None = None
        self.repairs: list[Repair] = []
        self.diagnostics: list[Diagnostic] = []
        self.by_kind: dict[str, list[Piece]] = {}
        self._shape = ""

    @property
    def shape(self) -> str:
        """The shape of the source."""
        if not self._shape:
            self._shape = shape_of(self.source)
        return self._shape

    def sort_pieces(self) -> None:
        """Note the pieces by their kinds, now that all are named, but for blanks and text."""
        by_kind = self.by_kind
        for piece in self.pieces:
            kind = piece.kind
            if kind != "body" and kind != "blank" and kind != "paragraph-number":
                alike = by_kind.get(kind)
                if alike is None:
                    by_kind[kind] = [piece]
                else:
                    alike.append(piece)

    def of_kind(self, kind: str) -> list[Piece]:
        """The pieces of a kind in the order of the source, once they are sorted."""
        return self.by_kind.get(kind, [])

    def doubt(
        self, code: str, message: str, piece: Piece | None = None, severity: Severity = "warning"
    ) -> None:
        """Record a doubt, at a piece where it has a place."""
        span = Span(piece.start, piece.start + len(piece.text)) if piece is not None else None
        self.diagnostics.append(Diagnostic(code, severity, message, span))
