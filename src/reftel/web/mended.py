"""Where the repairs stand: in the clean text of a block, and in the original."""

from __future__ import annotations

from typing import NamedTuple

from reftel.read.elements import KINDS
from reftel.telegram import Block, Citation, Repair, Telegram


class Run(NamedTuple):
    """Text, the repair that made it (clean text) or that it needs (original), and what it cites."""

    text: str
    repair: Repair | None
    citation: Citation | None = None


_Owner = tuple[Repair | None, Citation | None]
_NOBODY: _Owner = (None, None)


class Passage(NamedTuple):
    """An element of the original: its kind, what that means, and its text in runs."""

    kind: str
    meaning: str
    runs: tuple[Run, ...]


def clean_runs(telegram: Telegram, block: Block) -> tuple[Run, ...]:
    """The text of a block, cut where repairs were made.

    Clean text differs from the source only in repairs, blanks and what page breaks bring, so both
    are walked in step, blanks left out. If they do not agree the text is given whole.
    """
    repairs = [r for r in telegram.repairs if block.span.start <= r.span.start < block.span.end]
    characters = _source_characters(telegram, block, repairs)
    owners: list[_Owner] = []
    at = 0
    for character in block.text:
        if character.isspace():
            # A blank belongs to what stands on both its sides, if that is one thing.
            after = characters[at][1] if at < len(characters) else _NOBODY
            owners.append(after if owners and owners[-1] == after else _NOBODY)
            continue
        if at >= len(characters) or characters[at][0] != character:
            return (Run(block.text, None),)
        owners.append(characters[at][1])
        at += 1
    return _runs(block.text, owners)


def _source_characters(
    telegram: Telegram, block: Block, repairs: list[Repair]
) -> list[tuple[str, _Owner]]:
    starts = {repair.span.start: repair for repair in repairs}
    cited: dict[int, Citation] = {}
    for citation in telegram.citations:
        if citation.mrn is not None and citation.span.start not in cited:
            cited.update(dict.fromkeys(range(citation.span.start, citation.span.end), citation))
    characters: list[tuple[str, _Owner]] = []
    for element in telegram.elements:
        if element.kind != "body" or not block.span.start <= element.start < block.span.end:
            continue
        at = element.start
        while at < element.end:
            repair = starts.get(at)
            text = repair.now if repair else telegram.source[at]
            owner = (repair, cited.get(at))
            characters += [(c, owner) for c in text if not c.isspace()]
            at = repair.span.end if repair else at + 1
    return characters


def _runs(text: str, owners: list[_Owner]) -> tuple[Run, ...]:
    runs: list[Run] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or owners[at] != owners[start]:
            runs.append(Run(text[start:at], *owners[start]))
            start = at
    return tuple(runs)


def original(telegram: Telegram) -> tuple[Passage, ...]:
    """The source element by element; joined it is the source."""
    passages: list[Passage] = []
    for element in telegram.elements:
        runs: list[Run] = []
        at = element.start
        for repair in telegram.repairs:
            if not (element.start <= repair.span.start and repair.span.end <= element.end):
                continue
            if repair.span.start > at:
                runs.append(Run(telegram.source[at : repair.span.start], None))
            runs.append(Run(repair.was, repair))
            at = repair.span.end
        if at < element.end:
            runs.append(Run(telegram.source[at : element.end], None))
        passages.append(Passage(element.kind, KINDS.get(element.kind, ""), tuple(runs)))
    return tuple(passages)
