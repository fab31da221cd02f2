"""Classification: R21 to R28."""

from __future__ import annotations

from collections.abc import Iterator

from reftel.check.finding import ALL, MODERN, RANKS, STATE, Case, Found, rule
from reftel.telegram import CLASSIFICATIONS

_SBU_SINCE = 1990
_LOU_UNTIL = 1995


@rule("R21", "banner", "error", "5 FAH-2 H-222")
def banner(case: Case) -> Iterator[Found]:
    """The banner is one of UNCLAS, UNCLAS E F T O, C O N F I D E N T I A L, S E C R E T, T O P  S E C R E T
    (LIMITED OFFICIAL USE to 1995)."""
    if case.draft or not case.message or (case.telegram.wire and case.telegram.wire.cancelled):
        return
    if case.whole and not case.spans("classification-line", "label", "banner"):
        yield Found(
            "no classification opens the text",
            "no classification line",
            "UNCLAS, C O N F I D E N T I A L, S E C R E T",
            "begin the text with its classification and number",
            case.span("executive-order", "subject", "body"),
        )


@rule("R22", "portion-above", "error", "E.O. 12958 1.6; E.O. 13526 1.6")
def portion_above(case: Case) -> Iterator[Found]:
    """The banner equals or exceeds the highest portion mark; level ranks U < SBU < C < S < TS."""
    level = case.telegram.classification
    if level is None:
        return
    for mark, rank, span in case.marks:
        if rank > max(case.rank, RANKS["LIMITED OFFICIAL USE"]) or (
            rank > case.rank and rank >= RANKS["CONFIDENTIAL"]
        ):
            yield Found(
                f"a portion is ({mark}), the telegram {level}",
                f"({mark})",
                f"at most {level}",
                f"classify the telegram {CLASSIFICATIONS[rank]}, or mark the portion lower",
                span,
            )
            return


@rule("R23", "banner-above", "warning", "ISOO marking booklet", MODERN)
def banner_above(case: Case) -> Iterator[Found]:
    """The banner does not exceed every portion mark."""
    if not case.classified or not case.marks or case.further:
        return
    highest = max(rank for _, rank, _ in case.marks)
    missing = [b for b in case.telegram.body if b.kind == "paragraph" and not b.marking]
    if 0 < highest < case.rank and not missing and not _in_part(case):
        yield Found(
            f"no portion is {case.telegram.classification}",
            CLASSIFICATIONS[highest],
            str(case.telegram.classification),
            f"classify the telegram {CLASSIFICATIONS[highest]}",
            case.span("classification-line"),
        )


def _in_part(case: Case) -> bool:
    """Whether sections are missing, in which a higher portion could stand."""
    section = case.telegram.section
    return section is not None and len(case.telegram.sections_present) < (section.of or 1)


@rule("R24", "sbu-caption", "error", "5 FAH-2 H-443", MODERN)
def sbu_caption(case: Case) -> Iterator[Found]:
    """SBU portions need the SENSITIVE caption on an UNCLAS message.

    A fifth of the sent telegrams with such portions lack it, so there it warns.
    """
    t = case.telegram
    if t.classification != "UNCLASSIFIED" or "SENSITIVE" in t.captions or case.further:
        return
    for mark, _, span in case.marks:
        if mark.startswith("SBU"):
            yield Found(
                "a portion is sensitive, the telegram says nowhere that it is",
                f"({mark})",
                "the caption SENSITIVE",
                "add the caption SENSITIVE",
                span,
                None if case.draft else "warning",
            )
            return


@rule("R25", "sensitive-unclas", "warning", "own; measured", MODERN)
def sensitive_unclas(case: Case) -> Iterator[Found]:
    """SENSITIVE is used on UNCLAS messages only."""
    if case.classified and "SENSITIVE" in case.telegram.captions:
        yield Found(
            f"SENSITIVE on a telegram that is {case.telegram.classification}",
            "SENSITIVE",
            "no such caption",
            "leave it out",
            case.place("SENSITIVE", "caption"),
        )


@rule("R26", "level-of-its-time", "warning", "own", STATE)
def level_of_its_time(case: Case) -> Iterator[Found]:
    """LIMITED OFFICIAL USE is not used after 1995; SBU not before 1990."""
    t = case.telegram
    if t.classification == "LIMITED OFFICIAL USE" and (case.year or 0) > _LOU_UNTIL:
        yield Found(
            f"LIMITED OFFICIAL USE in {case.year}",
            "LIMITED OFFICIAL USE",
            "UNCLAS and the caption SENSITIVE",
            "write UNCLAS and the caption SENSITIVE",
            case.span("classification-line"),
        )
    sensitive = t.classification == "SENSITIVE BUT UNCLASSIFIED" or any(
        mark.startswith("SBU") for mark, _, _ in case.marks
    )
    if sensitive and case.year and case.year < _SBU_SINCE:
        yield Found(
            f"SENSITIVE BUT UNCLASSIFIED in {case.year}",
            "SBU",
            "LIMITED OFFICIAL USE",
            "write LIMITED OFFICIAL USE",
            case.span("classification-line", "paragraph-number"),
        )


@rule("R27", "circuit-cleared", "error", "5 FAH-2 H-222", needs="directory")
def circuit_cleared(case: Case) -> Iterator[Found]:
    """A post whose circuit is not cleared for the level is not addressed."""
    for addressee in case.addressees:
        entries = [case.directory.named(addressee.name), *case.directory.members(addressee.name)]
        for entry in entries:
            if entry and entry.cleared and RANKS[entry.cleared] < case.rank:
                yield Found(
                    f"the circuit to {entry.name} is cleared to {entry.cleared}",
                    addressee.name,
                    f"stations cleared for {case.telegram.classification}",
                    f"leave out {entry.name}, or send it by a cleared channel",
                    case.of(addressee),
                )


@rule("R28", "security-agrees", "error", "wire-format.md 8.2; ACP 127 124", ALL)
def security_agrees(case: Case) -> Iterator[Found]:
    """The banner, line 4 class letters and the section banners agree."""
    for doubt in case.telegram.diagnostics:
        if doubt.code == "classification-differs":
            yield Found(
                doubt.message,
                doubt.span.of(case.telegram.source) if doubt.span else "two classifications",
                "one classification",
                "find out which holds; handle it by the higher until then",
                doubt.span or case.span("security-line", "banner"),
            )
