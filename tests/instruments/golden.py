"""Holding the reader against golden records: what a person read, field by field.

A golden file has one JSON object a line (tests/golden/README.md says how they are written). Values that
corpus texts must not leave with are short: of a paragraph its first and last three words.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import reftel
from reftel.telegram import Addressee, Telegram

GOLDEN = Path(__file__).parents[1] / "golden"


class Difference(NamedTuple):
    """A field that the reader reads otherwise than a person did."""

    file: str
    field: str
    expected: Any
    found: Any


def golden_records(name: str) -> Iterator[dict[str, Any]]:
    """The records of one golden file."""
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def compare(expected: dict[str, Any], text: str) -> tuple[int, list[Difference]]:
    """How many fields are right, and those that are not; fields called doubtful are left out."""
    found = fields(reftel.read(text))
    right, wrong = 0, []
    for name, value in expected.items():
        if name in ("file", "doubtful") or name in expected["doubtful"]:
            continue
        if _plain(found[name]) == _plain(value):
            right += 1
        else:
            wrong.append(Difference(expected["file"], name, value, found[name]))
    return right, wrong


def by_field(wrong: list[Difference]) -> Counter[str]:
    return Counter(difference.field for difference in wrong)


def fields(t: Telegram) -> dict[str, Any]:
    """A record in the shape of the golden files."""
    way, order, who, offices = t.transmission, t.executive_order, t.classified_by, t.distribution
    return {
        "dialect": t.dialect,
        "mrn": t.mrn.short if t.mrn else None,
        "dtg": t.dtg,
        "precedence": t.precedence,
        "info_precedence": t.info_precedence,
        "transmission": way and {name: getattr(way, name) for name in way.__struct_fields__},
        "originator": t.originator.name if t.originator else None,
        "action": [_addressee(each) for each in t.action],
        "info": [_addressee(each) for each in t.info],
        "exempt": [_addressee(each) for each in t.exempt],
        "classification": t.classification,
        "captions": t.captions,
        "section": t.section and [t.section.number, t.section.of],
        "sections_present": t.sections_present,
        "passing": t.passing,
        "executive_order": order
        and {
            "order": order.order,
            "text": order.text,
            "declassify_on": None if order.by_rule else order.declassify_on,
            "event": order.event,
            "exemptions": order.exemptions,
        },
        "tags": [[tag.code, tag.kind] for tag in t.tags],
        "subject": t.subject,
        "references": [[r.enumerator, r.kind, r.mrn, r.text] for r in t.references],
        "classified_by": who and {"name": who.name, "title": who.title, "reasons": who.reasons},
        "signature": t.signature,
        "distribution": offices
        and {name: getattr(offices, name) for name in offices.__struct_fields__},
        "drafted_by": t.drafted_by,
        "approved_by": t.approved_by,
        "summary": _ends(t.summary) if t.summary else None,
        "body": [[b.kind, b.number, b.marking, b.label, *_ends(b.text)] for b in t.body],
    }


def _addressee(each: Addressee) -> list[str | None]:
    return [each.name, each.routing_indicator, each.precedence, each.mcn]


def _ends(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[:3]), " ".join(words[-3:])]


def _plain(value: Any) -> Any:
    """Values as JSON has them, blanks and the kinds of quotation mark made alike."""
    if isinstance(value, str):
        return re.sub(r"\s+", " ", re.sub(r"[“”]", '"', re.sub(r"[‘’]", "'", value))).strip()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
