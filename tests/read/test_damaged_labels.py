"""Labels as they came over the wire: a letter wrong, lost, doubled or changed over, another sign
for the colon."""

from __future__ import annotations

import pytest

from reftel import read
from reftel.telegram import Telegram

_TELEGRAM = """\
R 121430Z NOV 75
FM AMEMBASSY BERN
TO SECSTATE WASHDC 1234

CONFIDENTIAL BERN 4120

E.O. 11652: GDS
TAGS: PFOR, SZ
SUBJ: VISIT OF MINISTER
REF: STATE 123456

1. TEXT.
ROE
"""


def _read(label: str, damaged: str) -> Telegram:
    return read(_TELEGRAM.replace(label, damaged))


def _is_read(telegram: Telegram) -> None:
    assert telegram.subject == "VISIT OF MINISTER"
    assert [tag.code for tag in telegram.tags] == ["PFOR", "SZ"]
    assert telegram.executive_order is not None
    assert (telegram.executive_order.order, telegram.executive_order.text) == ("11652", "GDS")
    assert [reference.mrn for reference in telegram.references] == ["75STATE123456"]
    assert [block.number for block in telegram.body] == [1]


@pytest.mark.parametrize(
    "label",
    [
        *(
            "SUBJT: ",
            "SUBKECT: ",
            "SUBEJCT: ",
            "SUBJCT: ",
            "SBUJ: ",
            "SUUBJ: ",
            "SUJ: ",
            "DUBJECT: ",
        ),
        *("SUBJ8 ", "SUBJ4 ", "S U B J E C T: ", "SUB JECT: ", "S*BJECT: ", ".SUBJECT: "),
        *("SUBJECT/ ", "SUBJ, ", "SUBJ/: ", "SUBJT; "),
    ],
)
def test_a_damaged_label_of_a_subject(label: str) -> None:
    _is_read(_read("SUBJ: ", label))


@pytest.mark.parametrize(
    "label",
    [
        *("TAGSA: ", "TAGSS: ", "TAGA: ", "TASG: ", "RAGS: ", "T A G S: "),
        *("TAGS9 ", "TAGS, ", "TAGS* ", "TAGS; ", "TAGS. "),
    ],
)
def test_a_damaged_label_of_tags(label: str) -> None:
    _is_read(_read("TAGS: ", label))


@pytest.mark.parametrize(
    "label", ["REFA: ", "REF/ ", "REFF: ", "REF8 ", "FEF: ", "R E F: ", "REF, "]
)
def test_a_damaged_label_of_a_reference(label: str) -> None:
    _is_read(_read("REF: ", label))


@pytest.mark.parametrize(
    "label",
    [
        *("E.O..11652: ", "E.O. 11652/ ", "E.O. 11652' ", "E.O. 11652:: ", "E.O. NO. 11652: "),
        *(".O. 11652: ", "W.O. 11652: ", "E.P. 11652: ", "EXECUTIVE ORDER 11652: "),
    ],
)
def test_a_damaged_label_of_an_order(label: str) -> None:
    _is_read(_read("E.O. 11652: ", label))


def test_a_subject_written_on_to_the_tags() -> None:
    _is_read(_read("SZ\nSUBJ: ", "SZSUBJ: "))


@pytest.mark.parametrize(
    "line",
    ["SUBS: THREE MEN", "BAGS: TWO LOST", "OBJECT: A LAMP", "RE: ORDER 5104-45", "TABS: AA, BB"],
)
def test_a_line_of_the_text_that_is_only_like_a_label(line: str) -> None:
    telegram = read(f"SUBJ: VISIT OF MINISTER\n\n1. HE CAME.\n{line}\n2. HE WENT.\n")
    assert telegram.subject == "VISIT OF MINISTER"
    assert not telegram.tags
    assert not telegram.references
