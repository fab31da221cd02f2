"""The heads of mails above a telegram that people sent on and printed:

From: Doe, Jane
Sent: Monday, March 12, 2007 4:00 PM
To: Roe, John
Subject: FW: BERN 123: LAMPS
"""

from __future__ import annotations

import re
from typing import Final

from reftel.read.classification import is_classification_line
from reftel.read.dtg import match_dtg, opens_dtg
from reftel.read.elements import Piece
from reftel.read.transmission import is_transmission_line

_FROM: Final = re.compile(r"\s*From:", re.IGNORECASE)
_SENT: Final = re.compile(r"\s*(?:Sent|Date) ?:", re.IGNORECASE)
_FIELD: Final = re.compile(
    r"\s*(?:From|Sent|Date|To|Cc|Bcc|Subject|Importance|Sensitivity|Attachments?|Categories) ?:",
    re.IGNORECASE,
)
_LIST: Final = re.compile(r"\s*(?:To|Cc|Bcc) ?:", re.IGNORECASE)
_MRN: Final = re.compile(r"\s*MRN ?:", re.IGNORECASE)
_FAR: Final = 60
_NEAR: Final = 3
_LONGEST_LIST: Final = 12


def set_mail_aside(pieces: list[Piece]) -> None:
    """Name the heads of mails that stand above a telegram, and what stands above them."""
    solid = [piece for piece in pieces[: 3 * _FAR] if piece.kind != "blank"][:_FAR]
    begins = next((at for at, piece in enumerate(solid) if _opens_telegram(piece)), None)
    if begins is None:
        return
    at = 0
    while at < begins:
        near = solid[at + 1 : at + 1 + _NEAR]
        if _FROM.match(solid[at].text) and any(_SENT.match(each.text) for each in near):
            end = _head_end(solid, at, begins)
            for piece in solid[:end]:
                piece.kind = piece.kind or "publisher-note"
            for piece in solid[at:end]:
                piece.kind = "mail-header"
            at = end
        else:
            at += 1


def _opens_telegram(piece: Piece) -> bool:
    text = piece.text
    return not piece.kind and (
        is_transmission_line(text)
        or (opens_dtg(text) and match_dtg(text) is not None)
        or is_classification_line(text)
        or (piece.first in "Mm" and _MRN.match(text) is not None)
    )


def _head_end(solid: list[Piece], at: int, begins: int) -> int:
    """The place after the last field of a mail's head; lists of readers may fold."""
    end = at
    listed = 0
    for index in range(at, begins):
        text = solid[index].text
        if _FIELD.match(text):
            listed = _LONGEST_LIST if _LIST.match(text) else 0
            end = index + 1
        elif listed:
            listed -= 1
        else:
            break
    return end
