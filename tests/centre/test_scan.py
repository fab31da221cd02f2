"""What a relay reads of a heading: the quick reading of strict headings says what the full one says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.instruments.damage import KINDS
from tests.instruments.station import message
from tests.telegrams import WIRE, corpus_texts, example_texts

from reftel.centre import scan as scanning
from reftel.centre.scan import ENDING, Scanned, scan_text

WIRE_FOLDER = Path(__file__).parent.parent / "wire"
STRICT = scanning._STRICT


def both(text: str) -> tuple[Scanned, Scanned]:
    """What is read of a text with the quick reading, and without it."""
    quick = scan_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_STRICT", re.compile("(?!)"))
        return quick, scan_text(text)


def is_strict(text: str) -> bool:
    return STRICT.match(text) is not None


def damaged(text: str, random: Random) -> Iterator[str]:
    """A text whose heading was damaged in each way, and in two at once."""
    lines = text.split("\n")
    head, rest = "\n".join(lines[:8]), "\n".join(lines[8:])
    for kind in KINDS:
        once = kind(head, random)
        yield f"{once}\n{rest}"
        yield f"{random.choice(KINDS)(once, random) if len(once) > 1 else once}\n{rest}"


def test_the_wire_examples_are_read_alike_whole_and_damaged() -> None:
    """Every example of the specification, with 200 damaged headings made of each."""
    random = Random(1)
    strict = 0
    for path in sorted(WIRE_FOLDER.glob("*.txt")):
        text = path.read_text()
        for variant in (text, *(d for _ in range(10) for d in damaged(text, random))):
            quick, full = both(variant)
            assert quick == full, variant
            strict += is_strict(variant)
    assert strict > 500


def test_real_telegrams_with_a_wire_heading_are_read_alike() -> None:
    random = Random(2)
    strict = 0
    for name, text in corpus_texts():
        if "ZCZC" not in text[:300]:
            continue
        for variant in (text + ENDING, *damaged(text + ENDING, random)):
            quick, full = both(variant)
            assert quick == full, name
            strict += is_strict(variant)
    assert strict > 0


def test_the_telegrams_that_ship_are_read_alike() -> None:
    for name, text in example_texts():
        quick, full = both(text + ENDING)
        assert quick == full, name


WORDS = st.sampled_from(
    "QZAAMF|QZBB|RUEHC|DE|DE QZBBNV|ZNR UUUUU|ZNY CCCCC|ZFD|ZZH|RR|ZZ|ABCDEFGHI|BT|NNNN|0412|#0413/01"
    "|1550842|040840Z|JUN|2025|25|\n|NVA027     \n|VZCZC|J||  |\n\n|\t|UNCLAS|SECRET|É|\r".split(
        "|"
    )
)


@given(st.data())
def test_a_strict_heading_with_words_put_in_anywhere_is_read_alike(data: st.DataObject) -> None:
    text = message(
        routing=data.draw(st.sampled_from(("QZAAMF", "QZAAMF QZAATR\nQZCCSM", "QZAAMF QZAAMF"))),
        letter=data.draw(st.sampled_from("ROPZY")),
        security=data.draw(st.sampled_from(("ZNR UUUUU", "ZNY SSSSS ZZH", "ZNR UUUU ZFD QZAA"))),
        fl5=data.draw(st.sampled_from((None, "P R 040840Z JUN 2025 ZFG", "O 312561Z FEB 20"))),
        text=data.draw(st.sampled_from(("UNCLAS A 1\nNNNN\nB", "BT\nSECRET", "É\nNNNN"))),
    )
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, 120))
        end = at + data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(WORDS) + text[end:]
    quick, full = both(text)
    assert quick == full


def test_an_empty_line_behind_the_routing_line_hides_nothing() -> None:
    """Copies in State's form have one (WIRE is such a copy)."""
    found = scan_text(WIRE + ENDING)
    assert found.message == "RUEHSW #0123 0730915"
    assert found.inner.security == "ZNR UUUUU"
    assert found.rest.startswith("\nDE RUEHSW")
