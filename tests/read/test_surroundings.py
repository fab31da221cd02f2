"""What editors, mailers, printers and scanners do to a text that is a telegram all the same."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

import pytest

import reftel
from reftel.telegram import Telegram

TELEGRAM = (
    "R 131530Z FEB 89\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 0002\nINFO AMEMBASSY OSLO\n\n"
    "C O N F I D E N T I A L BERN 000123\n\nSTATE FOR EUR/NE\n\nE.O. 12356: DECL: OADR\nTAGS: EWWT, SZ\n"
    "SUBJECT: THE LIGHTHOUSES OF THE LAKE AND THEIR\nLAMPS\n\nREF: A. BERN 12\n     B. OSLO 13\n\n"
    "1. (C) THE LAMP OF THE LAKE IS LIT AND WAS SEEN\nFROM THE OTHER SHORE.\n\n2. (U) IT WILL BE LIT.\n\n"
    "LARKIN\n"
)


def _fields(telegram: Telegram) -> list[object]:
    order = telegram.executive_order
    assert order is not None
    return [
        telegram.mrn,
        telegram.dtg,
        telegram.originator,
        telegram.action,
        telegram.info,
        telegram.classification,
        telegram.passing,
        (order.order, order.exemptions),
        [tag.code for tag in telegram.tags],
        telegram.subject,
        [(each.enumerator, each.mrn) for each in telegram.references],
        [(block.number, block.marking, block.text) for block in telegram.body],
        telegram.signature,
    ]


WAYS: dict[str, Callable[[str], str]] = {
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "CR CR LF": lambda text: text.replace("\n", "\r\r\n"),
    "CR alone": lambda text: text.replace("\n", "\r"),
    "NEL": lambda text: text.replace("\n", "\x85"),
    "vertical tabs": lambda text: text.replace("\n", "\x0b"),
    "a form feed": lambda text: text.replace("\nINFO", "\n\x0cINFO"),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "zero-width spaces": lambda text: re.sub("(?m)^(TAGS|REF)", "\u200b\\1", text),
    "tabs behind labels": lambda text: text.replace(": ", ":\t"),
    "a margin of blanks": lambda text: re.sub("(?m)^(?=.)", " " * 20, text),
    "a margin of tabs": lambda text: re.sub("(?m)^(?=.)", "\t", text),
    "a mail's quotation marks": lambda text: re.sub("(?m)^", "> ", text),
    "double spacing": lambda text: text.replace("\n", "\n\n"),
    "no blank lines": lambda text: re.sub("\n{2,}", "\n", text),
    "a fence": lambda text: f"```\n{text}```\n",
    "a page number": lambda text: f"{text}\n- 3 -\n",
    "a bare page number": lambda text: f"{text}\n3\n",
    "a page of breaks": lambda text: (
        "<html><body>" + text.replace("\n", "<br>\n") + "</body></html>"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_telegram_says_the_same_in_whatever_way_its_lines_are_set(way: str) -> None:
    text = WAYS[way](TELEGRAM)
    telegram = reftel.read(text)
    assert _fields(telegram) == _fields(reftel.read(TELEGRAM))
    assert "".join(text[element.start : element.end] for element in telegram.elements) == text
    for reference in telegram.references:
        assert reference.span is not None
        assert reference.span.of(text).split() == reference.text.split()


def test_paragraphs_of_one_line_each_are_no_double_spacing() -> None:
    lines = "\n\n".join(f"{n}. (U) THE LAMP IS LIT.\n\nIT BURNS." for n in range(1, 9))
    text = f"{TELEGRAM[: TELEGRAM.index('SUBJECT')]}SUBJECT: LAMPS\n\n{lines}\n\nLARKIN\n"
    assert [block.text for block in reftel.read(text).body] == ["THE LAMP IS LIT.\n\nIT BURNS."] * 8
    spaced = reftel.read(text.replace("\n", "\n\n"))
    assert [block.number for block in spaced.body] == [*range(1, 9)]


LABELS = {
    "SUBJECI: LIT": "LIT",
    "5UBJ: LIT": "LIT",
    "SUBIECT: LIT": "LIT",
    "SUBJECT: THE MASTER&#39;S LAMP": "THE MASTER'S LAMP",
}


@pytest.mark.parametrize("line", LABELS)
def test_a_scan_may_misread_the_label_of_the_subject(line: str) -> None:
    text = TELEGRAM.replace("SUBJECT: THE LIGHTHOUSES OF THE LAKE AND THEIR\nLAMPS", line)
    assert reftel.read(text).subject == LABELS[line]


def test_a_scan_may_misread_the_other_labels() -> None:
    text = TELEGRAM.replace("TAGS:", "IAG5:").replace("REF:", "REE:")
    text = text.replace("E.O. 12356: DECL: OADR", "E,0. I2356: DECL: 0ADR")
    assert _fields(reftel.read(text)) == _fields(reftel.read(TELEGRAM))


def test_marks_of_emphasis_and_escapes_of_markdown_are_no_text() -> None:
    bold = TELEGRAM.replace("SUBJECT:", "**SUBJECT:**").replace("TAGS:", "**TAGS:**")
    bold = re.sub(r"(?m)^([0-9])\.", r"**\1**\\.", bold)
    telegram = reftel.read(bold)
    assert _fields(telegram) == _fields(reftel.read(TELEGRAM))
    assert telegram.source == bold
    assert "".join(bold[each.start : each.end] for each in telegram.elements) == bold


SOLID = [line for line in TELEGRAM.split("\n") if line]


@pytest.mark.parametrize("at", range(SOLID.index("LARKIN") - 1))
def test_any_two_lines_may_be_run_together(at: int) -> None:
    above, below = SOLID[at : at + 2]
    joined = re.sub(rf"{re.escape(above)}\n+{re.escape(below)}", f"{above} {below}", TELEGRAM)
    assert joined.count("\n") < TELEGRAM.count("\n")
    assert _fields(reftel.read(joined)) == _fields(reftel.read(TELEGRAM))


def test_a_telegram_on_one_line_or_folded_anew_is_the_same() -> None:
    line = " ".join(TELEGRAM.split())
    for text in (line, textwrap.fill(line, 60), TELEGRAM.replace(" ", "  ")):
        assert _fields(reftel.read(text)) == _fields(reftel.read(TELEGRAM))
