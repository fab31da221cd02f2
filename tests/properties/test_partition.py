"""Nothing is lost: every character of the source stands in exactly one element."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reftel
from reftel.read.elements import KINDS
from reftel.telegram import Telegram
from tests.instruments import damage
from tests.telegrams import WIRE, corpus_texts, example_texts


def check_partition(source: str) -> Telegram | None:
    try:
        telegram = reftel.read(source)
    except reftel.NotATelegram as refusal:
        assert refusal.why
        return None
    elements = telegram.elements
    assert "".join(source[e.start : e.end] for e in elements) == source
    assert all(a.end == b.start for a, b in pairwise(elements))
    assert {e.kind for e in elements} <= KINDS.keys()
    for block in telegram.body:
        assert 0 <= block.span.start <= block.span.end <= len(source)
    for repair in telegram.repairs:
        assert repair.span.of(source) == repair.was
    for one, other in pairwise(telegram.repairs):
        assert one.span.end <= other.span.start, "repairs overlap"
    for reference in telegram.references:
        assert reference.span is None or reference.span.end <= len(source)
    return telegram


def test_every_corpus_file_falls_into_elements() -> None:
    unknown = characters = 0
    for path, text in corpus_texts():
        telegram = check_partition(text)
        assert telegram is not None, f"{path} is a telegram"
        unknown += telegram.coverage.unknown
        characters += telegram.coverage.characters
    assert unknown < characters * 0.005


@pytest.mark.parametrize("kind", damage.KINDS, ids=lambda kind: kind.__name__)
def test_damage_loses_nothing(kind: damage.Damage) -> None:
    texts = [text for _, text in example_texts()]
    for seed, text in enumerate(texts or [WIRE]):
        check_partition(kind(text, Random(seed)))


@pytest.mark.parametrize("kind", damage.KINDS, ids=lambda kind: kind.__name__)
def test_damage_to_real_telegrams_loses_nothing(kind: damage.Damage) -> None:
    for seed, (_, text) in enumerate(corpus_texts()):
        check_partition(kind(text, Random(seed)))


_PARTS = st.sampled_from(
    """VZCZCXRO4086
OO RUEHFK RUEHKSO
DE RUEHKO #2483/01 1550842
ZNY CCCCC ZZH
O 040842Z JUN 07
FM AMEMBASSY BERN
TO RUEHC/SECSTATE WASHDC IMMEDIATE 4172
INFO AMEMBASSY ROME
XMT AMCONSUL NAHA
BT
C O N F I D E N T I A L SECTION 01 OF 02 BERN 000123
UNCLAS BERN 0123
SIPDIS
E.O. 12958: DECL: 06/04/2016
TAGS: PREL, [JA](#), (DOE, JANE)
SUBJECT: A MATTER
REF: A. BERN 1 B. 06 STATE 12 AND 13
Classified By: Ambassador J. Doe. Reasons 1.4 (B) (D)
1. (C) Summary. It was said. End Summary.
¶2. (U) ""&quoted8 it,s can,t) or
11. Text
BERN 00000123 002 OF 002
PAGE 02 BERN 00123 01 OF 02 292338Z
CONFIDENTIAL
Heading
-------
Message Text
Message Attributes
TAGS: PREL
MRN: 13 BERN 123
Date/DTG: May 14, 2013 / 141530Z MAY 13
From: AMEMBASSY BERN
Signature: Doe
ACTION ARA-20
INFO OCT-01 ISO-00 /021 W
60
DRAFTED BY EUR:JDOE
---------------------     126105
NNNN
QUOTE""".split("\n")
)
_SEPARATORS = st.sampled_from(["\n", "\n\n", "\r\n", " ", "\n \n", "\u2028", ""])


@given(st.lists(st.tuples(st.one_of(_PARTS, st.text(max_size=30)), _SEPARATORS), max_size=40))
def test_any_pile_of_lines_falls_into_elements(parts: list[tuple[str, str]]) -> None:
    check_partition("".join(line + separator for line, separator in parts))


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    check_partition(text)


def test_damage_upon_damage_loses_nothing() -> None:
    texts = [text for _, text in example_texts()]
    random = Random(1974)
    for _ in range(600):
        text = random.choice(texts)
        for _ in range(random.randint(1, 3)):
            text = random.choice(damage.KINDS)(text, random) if len(text) > 2 else text
        check_partition(text)
