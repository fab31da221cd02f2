"""What a post's own system put above a telegram that it printed or filed, from about 2002 on: the
classification line once more, who got it at the post, who drafted and cleared it.

    CONFIDENTIAL        BERN 01234
    CXBERN:
        ACTION: POL
        INFO:   ECON AMB
    DISSEMINATION: POLX
    APPROVED: AMB:JDOE
    DRAFTED: POL:RROE
    CLEARED: ECON:EPOE, DCM:TRAY
"""

from __future__ import annotations

import re
from typing import Final

from reftel.read.classification import opens_level
from reftel.read.dtg import match_dtg, opens_dtg
from reftel.read.elements import Piece
from reftel.read.labels import label_of
from reftel.read.paragraphs import PARAGRAPH_START
from reftel.read.reading import Reading
from reftel.read.transmission import is_transmission_line
from reftel.telegram import Distribution

_LABEL: Final = re.compile(
    r"\s*(?P<label>CX[A-Z]{2,8}|ACTION|INFO|DISSEMINATION|CHARGE|APPROVED|DRAFTED|CLEARED) ?:"
    r"\s*(?P<value>.*?)\s*\Z"
)
_KINDS: Final = {
    "ACTION": "distribution",
    "INFO": "distribution",
    "APPROVED": "drafting",
    "DRAFTED": "drafting",
    "CLEARED": "drafting",
}
_QUOTE: Final = re.compile(r"\s*(?:QUOTE|QTE)\b")
_FAR: Final = 40


def cover_end(pieces: list[Piece], at: int) -> int | None:
    """Where the telegram itself begins, when line `at` is the classification line of such a cover."""
    if not opens_level(pieces[at].text):
        return None
    labelled = False
    for index in range(at + 1, min(at + _FAR, len(pieces))):
        piece = pieces[index]
        if piece.kind:
            continue
        text = piece.text
        if is_transmission_line(text) or (labelled and opens_dtg(text) and match_dtg(text)):
            above = pieces[index - 1]
            return index - 1 if above.text.lstrip().startswith(("VZCZC", "ZCZC")) else index
        if label_of(text) or _QUOTE.match(text) or PARAGRAPH_START.match(text):
            return None
        labelled = labelled or _LABEL.match(text) is not None
    return None


def read_cover(reading: Reading, at: int, end: int) -> None:
    """Read the cover in the pieces from `at` to `end`."""
    values: dict[str, list[str]] = {}
    label = ""
    for piece in reading.pieces[at:end]:
        if piece.kind:
            continue
        if match := _LABEL.match(piece.text):
            label = match["label"]
            values.setdefault(label, []).append(match["value"])
        elif label and piece.text[:1] in " \t":
            values[label].append(piece.text.strip())
        else:
            label = ""
        piece.kind = _KINDS.get(label, "label") if label else "publisher-note"
    action, info = (" ".join(values.get(name, ())).split() for name in ("ACTION", "INFO"))
    if action or info:
        reading.distribution = Distribution(action=tuple(action), info=tuple(info))
    reading.drafted_by = " ".join(values.get("DRAFTED", ())) or None
    reading.approved_by = " ".join(values.get("APPROVED", ())) or None
    cleared = re.split(r"\s*[,;]\s*", " ".join(values.get("CLEARED", ())))
    reading.clearances = tuple(each for each in cleared if each and each.upper() != "NONE")
