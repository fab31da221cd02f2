"""What the reader says is documented: kinds of element, diagnostics, repairs, the record's schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

import reftel
from reftel.read.anatomy import GROUPS, anatomy
from reftel.read.diagnostics import CODES
from reftel.read.elements import KINDS
from reftel.read.repairs import KINDS as REPAIRS
from reftel.telegram import record_schema, to_builtins
from tests.telegrams import ROOT, WIRE, example_texts

SOURCES = (ROOT / "src" / "reftel" / "read").glob("*.py")


def _texts() -> list[str]:
    wire = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "wire").glob("*.txt")]
    return [WIRE, *wire, *(text for _, text in example_texts())]


def test_every_diagnostic_and_repair_has_a_sentence() -> None:
    codes, reasons = set(), set()
    for text in _texts():
        telegram = reftel.read(text, year=2007)
        codes |= {diagnostic.code for diagnostic in telegram.diagnostics}
        reasons |= {repair.why for repair in telegram.repairs}
    assert codes <= CODES.keys()
    assert reasons <= REPAIRS.keys()
    assert len(codes) >= 3


def test_no_documented_diagnostic_is_dead() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in SOURCES if "diagnostics" not in path.name
    )
    assert {code for code in CODES if f'"{code}"' not in source} == set()


def test_records_are_as_the_schema_says() -> None:
    schema = record_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for text in _texts():
        record = json.loads(json.dumps(to_builtins(reftel.read(text, year=2007), source="x.txt")))
        validator.validate(record)
    record["mrn"] = "07BERN123"
    assert not validator.is_valid(record), "the schema must be able to refuse"


def test_the_published_schema_is_that_of_the_package() -> None:
    path: Path = ROOT / "docs" / "telegram.schema.json"
    made = json.loads(json.dumps(record_schema()))
    assert json.loads(path.read_text(encoding="utf-8")) == made


def test_an_anatomy_holds_every_line_and_explains_each_kind() -> None:
    for text in _texts():
        telegram = reftel.read(text, year=2007)
        runs = anatomy(telegram)
        shown = "\n".join(line for run in runs for _, line in run.lines)
        assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", telegram.source)
        assert all(run.meaning == KINDS[run.kind] for run in runs)
        numbers = [number for run in runs for number, _ in run.lines]
        assert numbers == sorted(numbers)
        assert (
            numbers[-1] == len(telegram.source.rstrip("\n").split("\n"))
            or not runs[-1].lines[-1][1]
        )
    assert GROUPS.keys() <= KINDS.keys()
