"""Wire forms of ACP 127: single and sectioned, dual precedence, pilots, readdressals, service messages."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path

import pytest

import reftel
from reftel.telegram import Telegram

WIRE = Path(__file__).parents[1] / "wire"


def text(name: str) -> str:
    return (WIRE / f"{name}.txt").read_text(encoding="utf-8")


def read(name: str) -> Telegram:
    return reftel.read(text(name), year=2025)


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.txt")), ids=lambda path: path.stem)
def test_every_character_of_a_wire_form_is_understood(path: Path) -> None:
    telegram = reftel.read(path.read_text(encoding="utf-8"), year=2025)
    assert telegram.dialect == "acp127"
    assert telegram.coverage.unknown == 0
    assert all(a.end == b.start for a, b in pairwise(telegram.elements))
    assert not any(block.text.endswith(" BT") for block in telegram.body)


def test_dual_precedence() -> None:
    telegram = read("03a-dual-precedence-as-filed")
    assert (telegram.precedence, telegram.info_precedence) == ("PRIORITY", "ROUTINE")
    onward = read("03c-dual-precedence-onward-to-QZCC")
    assert onward.transmission is not None
    assert onward.transmission.precedence == "ROUTINE"
    assert onward.diagnostics == (), "the lower of two precedences may stand on the routing line"


def test_collective_and_exempt() -> None:
    telegram = read("04-collective-and-exempt")
    assert [addressee.name for addressee in telegram.action] == ["ALL POSTS NORTH"]
    assert [addressee.name for addressee in telegram.exempt] == ["EMB ISOLA"]


def test_an_exempted_addressee_behind_its_collective() -> None:
    telegram = reftel.read(
        "R 011200Z MAR 07\nFM AMEMBASSY BERN\nTO CHINA POSTS COLLECTIVE, XMT AMCONSUL SHENYANG\n"
    )
    assert [addressee.name for addressee in telegram.action] == ["CHINA POSTS COLLECTIVE"]
    assert [addressee.name for addressee in telegram.exempt] == ["AMCONSUL SHENYANG"]


def test_address_groups_keep_their_numbers() -> None:
    telegram = read("17b-aig-with-additions-and-exempt")
    assert [addressee.name for addressee in telegram.action] == ["AIG 9051"]
    assert telegram.mrn is not None
    assert telegram.mrn.short == "25PORTA912", "a short name of the 1970s means nothing in 2025"


def test_a_readdressal_has_two_headings() -> None:
    telegram = read("05a-readdressal-supplementary-heading")
    assert telegram.originator is not None
    assert telegram.originator.name == "EMB NORDHAVEN"
    assert telegram.dtg == "2025-06-04T08:40:00Z"
    outer = telegram.readdressal
    assert outer is not None
    assert outer.originator is not None
    assert outer.originator.name == "MINFOR PORTA"
    assert outer.dtg == "2025-06-04T14:00:00Z"
    assert [addressee.name for addressee in outer.action] == ["MISSION LAKEVIEW"]


@pytest.mark.parametrize(
    ("name", "signal", "station"),
    [
        ("06-suspected-duplicate-pilot", "ZFD", "QZBBNV"),
        ("08a-relayed-subject-to-correction", "ZDG", "QZBBIS"),
        ("08c-corrected-copy", "ZEL", "QZBBIS"),
        ("15a-misroute-pilot", "ZOV", "QZBBNV"),
    ],
)
def test_a_pilot_stands_before_the_heading(name: str, signal: str, station: str) -> None:
    telegram = read(name)
    assert telegram.transmission is not None
    assert signal in telegram.transmission.operating_signals
    assert telegram.transmission.station == station
    assert telegram.mrn is not None


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("05b-readdressal-by-service-message", "ZOG1 QZAAMF 0901 1551301"),
        ("07a-svc-open-number", "ZFX AAM208"),
        ("07b-svc-request-retransmission", "QZBBNV 0412 1550842 ZES2"),
        ("07j-svc-cancel-transmission", "ZFR BBA129"),
        ("15b-svc-misroute-report", "ZEQ3 QZBBNV 0430 1571610"),
    ],
)
def test_service_messages(name: str, service: str) -> None:
    telegram = read(name)
    assert telegram.service is not None
    assert telegram.service.startswith(service)
    assert telegram.signature is None


def test_a_correction_behind_the_text_is_named_and_kept_out_of_it() -> None:
    telegram = read("11-page-identification-and-correction")
    assert [d.code for d in telegram.diagnostics] == ["correction-given"]
    assert telegram.body[-1].text == "DATES WILL BE SENT LATER."
    assert "302 FOG SIGNAL POSITION 5414N 00806E" in telegram.body[0].text.split("\n")[3]


def test_codress_has_no_address() -> None:
    telegram = read("09-codress")
    assert telegram.originator is None
    assert not telegram.action
    assert any(element.kind == "prefix" for element in telegram.elements)


def test_an_ending_of_another_message_is_doubted() -> None:
    foreign = text("13-state-style-single").replace("\n#0428\n", "\n#0777\n")
    assert "ending-differs" in [d.code for d in reftel.read(foreign).diagnostics]


def test_the_header_line_of_janap_128_is_recognised() -> None:
    telegram = reftel.read(
        "RTTUZYUW QZBBNVA0412 1550842-UUUU--QZAAMFA.\nZNR UUUUU\nR 040842Z JUN 85\nFM EMB NORDHAVEN\n"
        "TO MINFOR PORTA\nBT\nUNCLAS NORDHAVEN 0412\nSUBJECT: X\n1. Y.\nBT\n"
    )
    assert telegram.transmission is not None
    assert telegram.transmission.station == "QZBBNVA"
    assert telegram.transmission.filed == "1985-06-04T08:42:00Z"


SECTIONS = ("02a-section-1-of-3", "02b-section-2-of-3", "02c-section-3-of-3")


def _said(telegram: Telegram) -> tuple[object, ...]:
    body = [(block.kind, block.number, block.text) for block in telegram.body]
    return telegram.subject, telegram.section, telegram.sections_present, telegram.mrn, body


@pytest.mark.parametrize("order", list(permutations(SECTIONS)))
def test_sections_say_the_same_in_any_order(order: tuple[str, ...]) -> None:
    whole = _said(reftel.read("".join(text(name) for name in SECTIONS)))
    assert _said(reftel.read("".join(text(name) for name in order))) == whole
    assert _said(reftel.join(read(name) for name in order)) == whole


def test_a_section_that_comes_later_completes_a_telegram() -> None:
    first, third = read(SECTIONS[0]), read(SECTIONS[2])
    lacking = reftel.join([third, first])
    assert lacking.sections_present == (1, 3)
    assert "section 2 of 3 is not here" in [d.message for d in lacking.diagnostics]
    complete = reftel.join([lacking, read(SECTIONS[1])])
    assert complete.sections_present[:2] == (1, 2)


def test_a_section_that_came_twice_counts_once() -> None:
    joined = reftel.join(read(name) for name in (*SECTIONS, SECTIONS[1]))
    assert _said(joined) == _said(reftel.join(read(name) for name in SECTIONS))


def test_sections_of_two_telegrams_are_not_joined() -> None:
    with pytest.raises(
        reftel.NotOneTelegramError, match="number 25NORDHAVEN413 and 25NORDHAVEN416"
    ):
        reftel.join([read(SECTIONS[0]), read("03a-dual-precedence-as-filed")])


def test_a_page_may_end_within_the_references() -> None:
    source = text("11-page-identification-and-correction").replace(
        "SUBJECT: MARKS TO BE REPAINTED\n",
        "SUBJECT: MARKS TO BE REPAINTED\nREF: A. PORTA 900\n\n\n\nPAGE 2 QZBBNV 0427 UNCLAS\n     B. PORTA 901\n",
    )
    telegram = reftel.read(source)
    assert [each.enumerator for each in telegram.references] == ["A", "B"]
    assert telegram.body[0].text.startswith("THE HARBOUR OFFICE WILL REPAINT")


def _order(line: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    order = reftel.read(
        f"R 121530Z MAR 06\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nS E C R E T BERN 000123\n{line}\n"
        "TAGS: PREL, SZ\nSUBJECT: X\n\n1. Y.\n"
    ).executive_order
    assert order is not None
    return order.order, order.declassify_on, order.exemptions


def test_an_order_line_may_say_its_date_without_decl_or_its_years_in_words() -> None:
    assert _order("E.O. 12958: 06/04/2016") == ("12958", "2016-06-04", ())
    assert _order("E.O. 12958: DECL: TWENTY YEARS") == ("12958", "2026-03-12", ())
    assert _order("E.O. 12958: DECL: N/A") == ("12958", None, ())


def test_references_may_be_numbered_or_lettered_from_the_second_on() -> None:
    def references(field: str) -> list[tuple[str | None, str | None]]:
        telegram = reftel.read(
            "R 121530Z MAR 06\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nUNCLAS BERN 000123\n"
            f"E.O. 12958: N/A\nTAGS: PREL, SZ\nSUBJECT: X\nREF: {field}\n\n1. Y.\n2. BERN 12 IS LIT.\n"
        )
        assert [block.number for block in telegram.body] == [1, 2]
        return [(each.enumerator, each.mrn) for each in telegram.references]

    assert references("1. BERN 12 2. STATE 345") == [("1", "06BERN12"), ("2", "06STATE345")]
    assert references("1. BERN 12\n     2. STATE 345\n     3. 05 OSLO 7") == [
        ("1", "06BERN12"),
        ("2", "06STATE345"),
        ("3", "05OSLO7"),
    ]
    assert references("REF A BERN 12 REF B STATE 345") == [("A", "06BERN12"), ("B", "06STATE345")]
    assert references("STATE 345 (B) BERN 12") == [(None, "06STATE345"), ("B", "06BERN12")]
    assert references("A. BERN 12\nBERN 00000123  001.2 OF 003\n     B. STATE 345") == [
        ("A", "06BERN12"),
        ("B", "06STATE345"),
    ]


def test_a_code_of_two_words_is_one_and_a_misspelt_label_is_the_tags_line_s() -> None:
    telegram = reftel.read(
        "R 121530Z MAR 06\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nUNCLAS BERN 000123\n"
        "E.O. 12958: N/A\nTGS: PREL EL AL SZ\nSUBJECT: X\n\n1. Y.\n"
    )
    assert [tag.code for tag in telegram.tags] == ["PREL", "EL AL", "SZ"]


def test_a_classification_line_may_fold_behind_the_level_and_misread_of() -> None:
    for line in (
        "C O N F I D E N T I A L\nSECTION 02 OF 03 BERN 000123",
        "C O N F I D E N T I A L SECTION 02 0F 03 BERN 000123",
    ):
        telegram = reftel.read(
            f"R l21530Z MAR 06\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n{line}\n\nS I P D I S\n\n"
            "E.O. 12958: N/A\nTAGS: PREL, SZ\nSUBJECT: X\n\n1. Y.\n##ROE##\n"
        )
        assert telegram.dtg == "2006-03-12T15:30:00Z"
        assert telegram.section is not None
        assert (telegram.section.number, telegram.section.of) == (2, 3)
        assert telegram.mrn is not None
        assert telegram.mrn.short == "06BERN123"
        assert telegram.captions == ("SIPDIS",)
        assert telegram.signature == "ROE"
