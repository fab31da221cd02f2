"""Drafts: what a person types becomes a telegram, or is refused with its place and a remedy."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reftel
from reftel.check import check
from reftel.tables.directory import DirectoryError, parse_directory
from reftel.write import write
from reftel.write.draft import is_draft, read_draft
from reftel.write.readback import differences
from reftel.write.template import reply, template
from tests.check.test_rules import SOUND
from tests.telegrams import ROOT, WIRE

NOW = datetime(2009, 5, 14, 15, 30, tzinfo=UTC)
DOCUMENTED = re.findall(
    r"```draft\n(.*?)```", (ROOT / "docs" / "drafts.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize("text", DOCUMENTED, ids=["plain", "classified", "toml"])
def test_the_documented_drafts_are_written_and_read_back(text: str) -> None:
    assert is_draft(text)
    draft = read_draft(text, now=NOW)
    assert draft.problems == ()
    errors = [f for f in check(draft.telegram, draft=True) if f.severity == "error"]
    assert errors == []
    written = write(draft.telegram)
    assert written.changes == ()
    assert differences(draft.telegram, reftel.read(written)) == []


def test_a_draft_without_a_date_is_of_this_minute_and_can_be_written() -> None:
    text = (
        "From: AMEMBASSY BERN\nTo: SECSTATE WASHDC\nNumber: 124\nTAGS: PREL\nSubject: DUES\n"
        "Classification: UNCLASSIFIED\nSigned: DOE\n\nOne.\n"
    )
    telegram = read_draft(text, now=NOW.replace(second=47, microsecond=11)).telegram
    assert telegram.dtg == "2009-05-14T15:30:00Z"
    assert differences(telegram, reftel.read(write(telegram))) == []


def test_three_drafts_are_documented() -> None:
    assert len(DOCUMENTED) == 3


def test_the_writer_numbers_sorts_routes_and_names_the_order() -> None:
    text = (
        "From: AMEMBASSY BERN\nTo: AMEMBASSY ROME PRIORITY\n    SECSTATE WASHDC PRIORITY\n"
        "Info: CIS COLLECTIVE\n      AMEMBASSY OSLO\n      AMEMBASSY LISBON IMMEDIATE\n"
        "Number: 124\nDate: 141530Z MAY 09\nDeclassify: 10 years\nTAGS: PREL\nSubject: DUES\n\n"
        "(C) One.\n\n(U) Two.\n"
    )
    telegram = read_draft(text, now=NOW).telegram
    assert [(a.routing_indicator, a.name) for a in telegram.action] == [
        ("RUEHC", "SECSTATE WASHDC"),
        ("RUEHRO", "AMEMBASSY ROME"),
    ]
    assert [a.name for a in telegram.info] == [
        "AMEMBASSY LISBON",
        "AMEMBASSY OSLO",
        "CIS COLLECTIVE",
    ]
    assert telegram.classification == "CONFIDENTIAL"
    assert telegram.executive_order is not None
    assert (telegram.executive_order.order, telegram.executive_order.declassify_on) == (
        "12958",
        "2019-05-14",
    )
    assert [(b.number, b.marking) for b in telegram.body] == [(1, "C"), (2, "U")]
    assert "C O N F I D E N T I A L BERN 000124" in write(telegram)


@pytest.mark.parametrize(
    ("date", "order"),
    [
        ("1974-01-01", "11652"),
        ("1980-01-01", "12065"),
        ("1990-01-01", "12356"),
        ("2000-01-01", "12958"),
        ("2012-01-01", "13526"),
    ],
)
def test_the_order_is_that_of_the_date(date: str, order: str) -> None:
    telegram = read_draft(f"From: AMEMBASSY BERN\nDate: {date}\n\nText.\n", now=NOW).telegram
    assert telegram.executive_order is not None
    assert telegram.executive_order.order == order


def test_a_single_paragraph_has_no_number_and_numbers_given_are_kept() -> None:
    assert (
        read_draft("From: AMEMBASSY BERN\n\nOne text.\n", now=NOW).telegram.body[0].number is None
    )
    telegram = read_draft(
        "From: AMEMBASSY BERN\n\n1. One.\n\nmore of it.\n\n2. Two.\n", now=NOW
    ).telegram
    assert [b.number for b in telegram.body] == [1, 2]
    assert telegram.body[0].text == "One.\n\nmore of it."


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("Number: 124", "Date: 2009-02-30 12:00", 5, "is no date"),
        ("Number: 124", "Number: many", 5, "no number"),
        ("Number: 124", "Numero: 124", 5, "no key"),
        ("Number: 124", "a line without a key", 5, "has no key"),
        ("Classification: CONFIDENTIAL", "Classification: RESTRICTED", 6, "no classification"),
        ("Number: 124", "Precedence: URGENT", 5, "no precedence"),
        ("05/14/2019", "2019-02-30", 8, "is no date"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place_and_a_remedy(
    was: str, now: str, line: int, said: str
) -> None:
    problems = read_draft(SOUND.replace(was, now), now=NOW).problems
    assert [(p.line, said in p.message) for p in problems] == [(line, True)]
    assert problems[0].remedy


def test_a_heading_in_toml_that_is_none_is_named_with_its_line() -> None:
    draft = read_draft('+++\nfrom = "AMEMBASSY BERN"\nto = [\n+++\n\nText.\n', now=NOW)
    assert draft.problems
    assert "no TOML" in draft.problems[0].message
    open_end = read_draft('+++\nfrom = "AMEMBASSY BERN"\n', now=NOW)
    assert any("not closed" in p.message for p in open_end.problems)


def test_the_elements_of_a_draft_are_a_partition() -> None:
    telegram = read_draft(SOUND, now=NOW).telegram
    assert "".join(SOUND[e.start : e.end] for e in telegram.elements) == SOUND


@given(st.text(max_size=300))
def test_reading_a_draft_never_raises(text: str) -> None:
    for source in (text, "From: " + text, SOUND + text, "+++\n" + text):
        draft = read_draft(source, now=NOW)
        joined = "".join(source[e.start : e.end] for e in draft.telegram.elements)
        assert joined == source


def test_an_empty_draft_and_a_reply_can_be_filled_in() -> None:
    assert is_draft(template())
    answer = reply(reftel.read(WIRE), "SECSTATE WASHDC")
    assert is_draft(answer)
    telegram = read_draft(answer, now=NOW).telegram
    assert [a.name for a in telegram.action] == ["AMEMBASSY BERN"]
    assert [a.name for a in telegram.info] == ["AMEMBASSY ROME"]
    assert [t.code for t in telegram.tags] == ["PREL", "SZ"]
    assert [r.mrn for r in telegram.references] == ["07BERN123", "07ROME88", "06BERN2001"]
    assert telegram.captions == ("SENSITIVE", "SIPDIS")
    assert {b.marking for b in telegram.body if b.kind == "paragraph"} == {"SBU"}


def test_mail_and_telegrams_are_no_drafts() -> None:
    assert not is_draft(WIRE)
    mail = ROOT / "tests" / "wire" / "18-mail-form-of-03a.eml"
    assert not is_draft(mail.read_text(encoding="utf-8"))
    assert not is_draft("")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[station]\n", "not TOML"),
        ("[[post]]\nname = 'X'\n", "unknown table"),
        ("[[station]]\nname = ''\n", "no name"),
        ("[[station]]\nname = 'X'\nri = 'Q'\n", "unknown key 'ri'"),
        ("[[station]]\nname = 'X'\nrouting_indicator = 'qz'\n", "no routing indicator"),
        ("[[station]]\nname = 'X'\nmailbox = 'nowhere'\n", "no mailbox"),
        ("[[station]]\nname = 'X'\ncleared = 'HIGH'\n", "no classification"),
        ("[[collective]]\nname = 'X'\nmembers = ['Y']\n", "'Y'"),
        ("[[station]]\nname = 'X'\n[[station]]\nname = 'x'\n", "both"),
        ("[[station]]\nname = 'X'\nalso = 'Y'\n", "list of names"),
    ],
)
def test_a_directory_that_cannot_be_used_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(DirectoryError, match=re.escape(said)):
        parse_directory(text)


def test_collectives_within_collectives_are_taken_apart_once() -> None:
    directory = parse_directory(
        "[[station]]\nname='A'\n[[station]]\nname='B'\n[[collective]]\nname='AB'\nmembers=['A','B','ALL']\n"
        "[[collective]]\nname='ALL'\nmembers=['AB']\n"
    )
    assert [entry.name for entry in directory.members("all")] == ["A", "B"]
