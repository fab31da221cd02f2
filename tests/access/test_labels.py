"""What a telegram asks of its reader, by its classification and captions."""

from __future__ import annotations

from datetime import date

import pytest

import reftel
from reftel.access import OPEN, Label, label_of, opens_on

TODAY = date(2026, 11, 27)


def telegram(classification: str, *captions: str, order: str = "N/A") -> reftel.Telegram:
    lines = "\n".join(captions)
    return reftel.read(
        f"R 010915Z MAR 07\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\n{classification} BERN 000123\n\n"
        f"{lines}\n\nE.O. 12958: {order}\nTAGS: PREL\nSUBJECT: A LAMP\n\n1. It burned.\n\nDOE\n"
    )


@pytest.mark.parametrize(
    ("classification", "captions", "label"),
    [
        ("UNCLAS", (), Label("UNCLASSIFIED")),
        ("UNCLAS", ("SENSITIVE",), Label("SENSITIVE BUT UNCLASSIFIED")),
        ("C O N F I D E N T I A L", ("SENSITIVE", "SIPDIS"), Label("CONFIDENTIAL")),
        ("S E C R E T", ("NODIS",), Label("SECRET", ("NODIS",))),
        ("S E C R E T", ("STADIS", "EXDIS"), Label("SECRET", ("EXDIS", "STADIS"))),
        ("C O N F I D E N T I A L", ("NOFORN", "SIPDIS"), Label("CONFIDENTIAL", ("NOFORN",))),
        ("C O N F I D E N T I A L", ("ROGER CHANNEL",), Label("CONFIDENTIAL", ("ROGER CHANNEL",))),
    ],
)
def test_a_label_is_the_classification_and_the_captions_that_restrict(
    classification: str, captions: tuple[str, ...], label: Label
) -> None:
    assert label_of(telegram(classification, *captions), TODAY) == label


def test_what_falls_open_keeps_its_captions_until_somebody_takes_them_off() -> None:
    plain = telegram("S E C R E T", order="DECL: 03/01/2017")
    assert opens_on(plain) == date(2017, 3, 1)
    assert label_of(plain, date(2017, 2, 28)) == Label("SECRET")
    assert label_of(plain, date(2017, 3, 1)) == OPEN
    captioned = telegram("S E C R E T", "NODIS", order="DECL: 03/01/2017")
    assert label_of(captioned, TODAY) == Label("", ("NODIS",))
