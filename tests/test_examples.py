"""The telegrams that ship with Reftel are what their README says."""

from __future__ import annotations

import re
from pathlib import Path

import reftel
from reftel.telegram import Telegram
from tests.properties.test_partition import check_partition
from tests.telegrams import ROOT, example_texts


def _read() -> dict[str, Telegram]:
    return {Path(path).stem: reftel.read(text) for path, text in example_texts()}


def test_each_is_an_unclassified_telegram_under_its_own_number() -> None:
    telegrams = _read()
    assert 55 <= len(telegrams) <= 70
    for name, telegram in telegrams.items():
        assert telegram.classification == "UNCLASSIFIED", name
        assert telegram.mrn is not None, name
        assert telegram.mrn.short == name.split("-")[0]
        assert telegram.subject, name
        assert telegram.body, name
        assert telegram.coverage.unknown == 0, name


def test_they_fall_into_elements() -> None:
    for _, text in example_texts():
        assert check_partition(text) is not None


def test_all_forms_are_there() -> None:
    assert {t.dialect for t in _read().values()} == {"sas", "cable", "acp127", "smart"}


def test_the_office_lists_add_up() -> None:
    lists = [t for t in _read().values() if t.distribution]
    assert len(lists) >= 15
    for telegram in lists:
        assert "office-sum-differs" not in {d.code for d in telegram.diagnostics}


def test_what_the_readme_calls_missing_is_cited_and_not_held() -> None:
    telegrams = _read()
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^- ([0-9]{2}[A-Z]+[0-9]+)$", readme, re.MULTILINE))
    held = {t.mrn.short for t in telegrams.values() if t.mrn}
    cited = {r.mrn for t in telegrams.values() for r in t.references if r.mrn}
    assert cited - held == named


def test_what_the_readme_calls_mended_is_mended() -> None:
    telegrams = _read()
    repairs = [repair.why for repair in telegrams["07VALLETTA377"].repairs]
    assert repairs.count("pilcrow read as 1") == 2
    assert {"opening quote lost", "closing quote lost"} <= set(repairs)
    assert [p.number for p in telegrams["07VALLETTA377"].paragraphs] == [1, 2, 3]
    assert "chairman's" in telegrams["07VALLETTA715"].text
    assert telegrams["07VALLETTA741-section-03"].sections_present == (3,)
