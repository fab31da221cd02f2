"""Codes mean what the lists say, at their date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reftel import tables


@pytest.mark.parametrize(
    ("code", "year", "name"),
    [
        ("GE", 1974, "Germany (East)"),
        ("GE", 2024, "Georgia"),
        ("RS", 2005, "Russia"),
        ("RS", 2024, "Serbia"),
        ("BL", 1974, "Bolivia"),
    ],
)
def test_the_same_letters_mean_another_country_in_another_year(
    code: str, year: int, name: str
) -> None:
    entry = tables.tag(code, year)
    assert entry is not None
    assert name in entry.name


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("PREL", "subject"),
        ("JA", "geographic"),
        ("NATO", "organization"),
        ("KDEM", "program"),
        ("KZZZ", "program"),
        ("QQQQ", "unknown"),
    ],
)
def test_the_kind_of_a_tag(code: str, kind: str) -> None:
    assert tables.tag_kind(code, 2007) == kind


@pytest.mark.parametrize(
    ("name", "post"),
    [
        ("AMEMBASSY LA PAZ", "LAPAZ"),
        ("LA PAZ", "LAPAZ"),
        ("lapaz", "LAPAZ"),
        ("SECSTATE", "STATE"),
        ("SECSTATE WASHDC", "STATE"),
        ("AND PREVIOUS", None),
    ],
)
def test_a_post_by_any_of_its_names(name: str, post: str | None) -> None:
    assert tables.canonical_post(name) == post


@given(st.sampled_from(tables.entries("posts")), st.booleans(), st.booleans())
def test_every_post_is_found_by_its_full_name(
    entry: tables.Entry, lower: bool, tight: bool
) -> None:
    name = entry.columns["telegram_name"]
    name = name.lower() if lower else name
    name = name.replace(" ", "") if tight else name
    assert tables.canonical_post(name) == entry.columns["mrn_name"]


@pytest.mark.parametrize("kind", tables.KINDS)
def test_every_table_loads_and_each_code_is_found_again(kind: str) -> None:
    entries = tables.table(kind)
    assert entries
    for entry in entries:
        assert entry.code.strip()
        assert entry in tables.lookup(kind, entry.code)


def test_an_unknown_code_names_the_nearest() -> None:
    with pytest.raises(tables.UnknownCodeError, match="NODIS"):
        tables.lookup("captions", "NODISS")
    with pytest.raises(tables.UnknownCodeError, match="tags"):
        tables.lookup("tagz", "PREL")


def test_addressees_are_spelled_for_people() -> None:
    assert tables.addressee_name("AMEMBASSY LA PAZ") == "Embassy La Paz"
    assert tables.addressee_name("SECSTATE WASHDC") == "Secretary of State, Washington"
    assert tables.addressee_name("CIA WASHDC") == "CIA WASHDC"
