"""Two documents side by side, word by word, and what one release shows that the other withheld."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from reftel.archive.alignment import EXCISED, Run, Word, align, words_of
from reftel.archive.excised import is_partial
from reftel.telegram import Telegram

Kind = Literal["same", "damaged", "other", "withheld", "only"]


class Part(NamedTuple):
    """A run of one document's text and what it is to the other: the `same`, the same but for `damaged`
    letters, `other` words, words the other `withheld` (or the mark of an excision), or words that it
    `only` has."""

    text: str
    kind: Kind


class Passages(msgspec.Struct, frozen=True):
    """A passage of both documents, paragraph beside paragraph."""

    left: tuple[Part, ...]
    right: tuple[Part, ...]

    @property
    def same(self) -> bool:
        return all(part.kind == "same" for part in (*self.left, *self.right))


class Withheld(msgspec.Struct, frozen=True):
    """A text that one document shows and the other withheld, the mark that stands there instead, and the
    exemptions that the withholding release names."""

    shown_by: Literal["left", "right"]
    text: str
    mark: str
    exemptions: tuple[str, ...]


class Beside(msgspec.Struct, frozen=True):
    """Values of the heading that differ (name, left, right); the texts; what was withheld."""

    heading: tuple[tuple[str, str, str], ...]
    passages: tuple[Passages, ...]
    withheld: tuple[Withheld, ...]


def beside(left: Telegram, right: Telegram) -> Beside:
    """Lay two documents beside each other."""
    a, b = words_of(left.text), words_of(right.text)
    aligned = align([word.plain for word in a], [word.plain for word in b])
    runs = [_with_release(run, left, right) for run in aligned]
    return Beside(
        _heading(left, right),
        tuple(_passages(runs, left.text, a, right.text, b)),
        tuple(each for run in runs if (each := _withheld(run, left, a, right, b))),
    )


def _with_release(run: Run, left: Telegram, right: Telegram) -> Run:
    """A release in part may leave nothing where it withheld something."""
    lacking = {"left": right, "right": left}.get(run.kind)
    if lacking is not None and is_partial(lacking):
        return run._replace(kind="withheld")
    return run


def _heading(left: Telegram, right: Telegram) -> tuple[tuple[str, str, str], ...]:
    def values(t: Telegram) -> dict[str, str]:
        return {
            "Number": t.mrn.short if t.mrn else "",
            "Sent": t.dtg or "",
            "Precedence": t.precedence or "",
            "From": t.originator.name if t.originator else "",
            "To": "; ".join(each.line for each in t.action),
            "Info": "; ".join(each.line for each in t.info),
            "Classification": t.classification or "",
            "Captions": "; ".join(t.captions),
            "Section": f"{t.section.number} of {t.section.of}" if t.section else "",
            "E.O.": t.executive_order.text if t.executive_order else "",
            "TAGS": ", ".join(tag.code for tag in t.tags),
            "Subject": t.subject or "",
            "References": "; ".join(each.text for each in t.references),
            "Signature": t.signature or "",
            "Release": (t.release.action or "") if t.release else "",
        }

    one, other = values(left), values(right)
    return tuple((name, one[name], other[name]) for name in one if one[name] != other[name])


def _passages(runs: list[Run], x: str, a: list[Word], y: str, b: list[Word]) -> list[Passages]:
    """Parts of both texts, parted where a paragraph of both ends."""
    found: list[Passages] = []
    left: list[Part] = []
    right: list[Part] = []

    def add(kind: str, i: int, i2: int, j: int, j2: int) -> None:
        shown: Kind = "only" if kind in ("left", "right") else kind  # type: ignore[assignment]
        for parts, text in ((left, _text(x, a, i, i2)), (right, _text(y, b, j, j2))):
            marked = text if shown == "same" else text.rstrip()
            if marked:
                parts.append(Part(marked, shown))
            if len(marked) < len(text):
                parts.append(Part(text[len(marked) :], "same"))

    for run in runs:
        i, j = run.left_start, run.right_start
        if run.kind == "same":
            for k in range(run.left_end - run.left_start):
                end, other = run.left_start + k + 1, run.right_start + k + 1
                if "\n\n" in _behind(x, a, end) and "\n\n" in _behind(y, b, other):
                    add("same", i, end, j, other)
                    found.append(Passages(tuple(left), tuple(right)))
                    left, right = [], []
                    i, j = end, other
        add(run.kind, i, run.left_end, j, run.right_end)
    if left or right:
        found.append(Passages(tuple(left), tuple(right)))
    return found


def _text(text: str, words: list[Word], first: int, end: int) -> str:
    """The text from a word up to the next one that is not asked for."""
    if first == end:
        return ""
    start = 0 if not first else words[first].start
    return text[start : words[end].start if end < len(words) else len(text)]


def _behind(text: str, words: list[Word], end: int) -> str:
    return text[words[end - 1].end : words[end].start] if end < len(words) else ""


def _withheld(
    run: Run, left: Telegram, a: list[Word], right: Telegram, b: list[Word]
) -> Withheld | None:
    if run.kind != "withheld":
        return None
    one, other = a[run.left_start : run.left_end], b[run.right_start : run.right_end]
    sides: tuple[
        tuple[Literal["left", "right"], Telegram, list[Word], Telegram, list[Word]], ...
    ] = (
        ("left", left, one, right, other),
        ("right", right, other, left, one),
    )
    for side, shows, words, hides, mark in sides:
        plain = [word for word in words if word.plain != EXCISED]
        if plain and len(plain) > sum(word.plain != EXCISED for word in mark):
            text = shows.text[words[0].start : words[-1].end]
            marks = " ".join(word.text for word in mark if word.plain == EXCISED)
            exemptions = hides.release.exemptions if hides.release else ()
            return Withheld(side, text, marks, exemptions)
    return None
