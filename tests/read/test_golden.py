"""Golden records: what people read in telegrams, field by field, beside what the reader reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.golden import by_field, compare, golden_records
from tests.telegrams import ROOT, corpus_folder

SHARE_RIGHT = 0.98


def _measure(name: str, folder: Path) -> str | None:
    """Why the reader falls short of the golden file; nothing when it does not."""
    right, wrong = 0, []
    for expected in golden_records(name):
        text = (folder / expected["file"]).read_text(encoding="utf-8")
        good, bad = compare(expected, text)
        right += good
        wrong += bad
    share = right / (right + len(wrong))
    if share >= SHARE_RIGHT:
        return None
    lines = [f"{d.file} {d.field}: {d.expected!r}, read {d.found!r}" for d in wrong]
    return "\n".join([f"{share:.4f} right; wrong: {by_field(wrong)}", *lines])


def test_real_telegrams_are_read_as_people_read_them() -> None:
    assert _measure("corpus.jsonl", corpus_folder()) is None


@pytest.mark.parametrize("name", ["examples.jsonl"])
def test_examples_are_read_as_people_read_them(name: str) -> None:
    assert _measure(name, ROOT / "examples") is None
