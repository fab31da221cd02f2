"""The repository keeps its own rules."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.telegrams import ROOT

_LEFTOVERS = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError")


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_is_left_over_and_no_file_holds_too_much() -> None:
    for name in _tracked():
        if not name.endswith(".py") or name == "tests/test_house.py":
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not _LEFTOVERS.search(text), name
        assert text.count("\n") < 600, f"{name} wants splitting"


def test_the_reader_names_no_telegram_of_the_corpus() -> None:
    named = re.compile(
        r"(?:[0-9]{2}|[0-9]{4})(?:TOKYO|LAPAZ|BISHKEK)[0-9]+|SHIMBO|SCHIEFFER|STEDMAN"
    )
    for name in _tracked():
        if name.startswith("src/reftel/read/"):
            assert not named.search((ROOT / name).read_text(encoding="utf-8")), name


def test_the_pages_made_from_the_source_are_fresh() -> None:
    command = [sys.executable, "scripts/docs.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_readme_tour_of_python_says_what_happens() -> None:
    import reftel

    telegram = reftel.read((ROOT / "examples/1970s/79BERN4120.txt").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert telegram.mrn is not None
    assert telegram.originator is not None
    for value in (
        repr(telegram.mrn.short),
        repr(telegram.mrn.long),
        repr(telegram.originator.name),
        repr([addressee.name for addressee in telegram.action]),
        repr([reference.mrn for reference in telegram.references]),
    ):
        assert value in readme


def test_every_field_of_the_search_language_is_documented() -> None:
    from reftel.archive import FIELDS

    page = (ROOT / "docs/search.md").read_text(encoding="utf-8")
    for name in FIELDS:
        assert f"| `{name}:` |" in page, name
