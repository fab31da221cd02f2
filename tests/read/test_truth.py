"""What people read in real telegrams, beside what the reader reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import reftel
from reftel.telegram import Telegram, to_builtins
from tests.telegrams import corpus_folder


def _fields(t: Telegram) -> dict[str, Any]:
    """The record in the names of expected.jsonl."""
    order = t.executive_order
    offices = t.distribution
    return {
        "precedence": t.precedence,
        "dtg": t.dtg,
        "from": t.originator.name if t.originator else None,
        "to": [addressee.name for addressee in t.action],
        "info": [addressee.name for addressee in t.info],
        "classification": t.classification,
        "captions": list(t.captions),
        "mrn_post": t.mrn.post if t.mrn else None,
        "mrn_number": t.mrn.number if t.mrn else None,
        "section": [t.section.number, t.section.of] if t.section else None,
        "eo": order.order if order else None,
        "declassification": order.text if order else None,
        "tags": [tag.code for tag in t.tags],
        "subject": t.subject,
        "references": [reference.text for reference in t.references],
        "first_paragraph_number": next((p.number for p in t.paragraphs), None),
        "action_offices": list(offices.action) if offices else [],
        "origin_offices": list(offices.origin) if offices else [],
        "info_offices": list(offices.info) if offices else [],
    }


def test_nineteen_of_twenty_fields_are_right() -> None:
    folder = corpus_folder()
    right, wrong = 0, []
    for line in (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        text = (folder / expected["file"]).read_text(encoding="utf-8")
        found = _fields(reftel.read(text))
        for name, value in expected.items():
            if name in ("file", "skip") or name in expected["skip"]:
                continue
            if found[name] == value:
                right += 1
            else:
                wrong.append(f"{expected['file']} {name}: {value!r}, read {found[name]!r}")
    assert right / (right + len(wrong)) >= 0.95, "\n".join(wrong)


def _differences(expected: Any, found: Any, place: str = "") -> list[str]:
    """Where `found` lacks something that `expected` has; more may be present."""
    if isinstance(expected, dict):
        lacking = [f"{place}.{key}: missing" for key in expected.keys() - found.keys()]
        shared = [key for key in expected if key in found]
        inner = (_differences(expected[key], found[key], f"{place}.{key}") for key in shared)
        return [*lacking, *(line for lines in inner for line in lines)]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for i, (a, b) in pairs for line in _differences(a, b, f"{place}[{i}]")]
    return [] if expected == found else [f"{place}: {expected!r}, read {found!r}"]


def test_the_seed_reads_exactly_as_a_person_wrote_it_down() -> None:
    folder = corpus_folder() / "seed"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    path = Path(expected["source"])
    telegram = reftel.read((folder / path).read_text(encoding="utf-8"))
    record = json.loads(json.dumps(to_builtins(telegram, source=str(path))))
    assert not _differences(expected, record)
