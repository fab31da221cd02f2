"""The reader looks only where a sign of a thing shows; it finds what looking everywhere would find."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reftel import tables
from reftel.read import classification, dtg, furniture, labels, repairs, tags_line
from reftel.read.classification import CLASSIFICATION_LINE, LOOSE_CLASSIFICATION_LINE, opens_level
from reftel.read.dtg import DTG_LINE, GARBLED_DTG_LINE, opens_dtg
from reftel.read.elements import cut_lines
from reftel.read.flow import are_plain, flow, has_odd_blanks, is_rule
from reftel.read.furniture import SECTION_MARK, find_section_mark
from reftel.read.paragraphs import LABEL, label_of_paragraph
from reftel.read.shape import shape_of
from reftel.tables import posts

_WORDS = st.sampled_from(
    """the Ministry said it,s can,t I?m THEY,VE ""quoted8 &lost; &quoted8 port) or JURIS- DICTION work-
    end.The next S U M M A R Y A B C D E tQs isnQt NATIONQS **bold** [link](#x) â€™ é ß \\ -- - ---- ==== 12
    (a) 1. a. ( REF 8 8. .8 ?s COMMENT: (C) SUMMARY THIS IS AN ACTION REQUEST. UNCLAS C O N F I D E N T I A L
    SECTION 01 OF 02 BERN 000123 00000123 002 OF 003 LA PAZ P R 140915Z MAR 07 O 00Z TO SECRET""".split()
)
_BLANKS = st.sampled_from(
    [" ", " ", " ", "  ", "   ", "\n", "\n", "\n\n", " \n", "-\n", "\t", "\u00a0", "\u2028", ""]
)


@st.composite
def _texts(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(st.tuples(st.one_of(_WORDS, st.text(max_size=4)), _BLANKS), max_size=30))
    return "".join(word + blank for word, blank in pairs)


@given(_texts())
def test_lines_joined_fast_say_what_words_joined_one_by_one_say(text: str) -> None:
    plain = "\n\n" not in text and are_plain(cut_lines(text))
    assert flow(text, odd_blanks=has_odd_blanks(text), plain=plain) == flow(text)


@given(_texts())
def test_damage_shows_a_sign_wherever_it_is_found(text: str) -> None:
    finders = [finder for *_, finder in (*repairs._SIGNS, *repairs._LEFT_OVER)]
    every = [("", finder) for finder in (*finders, repairs._spaced, repairs._misread)]
    in_capitals = text == text.upper()
    found = repairs.suspects(text, text, shape_of(text), in_capitals=in_capitals)
    suspected = [each for each in found if each[1] is not repairs._qs]
    for block in text.split("\n\n"):
        assert repairs.find_mends(block, text, suspected) == repairs.find_mends(block, text, every)


@given(_texts())
def test_the_first_characters_of_a_line_let_all_patterns_through(text: str) -> None:
    for line in text.split("\n"):
        classified = CLASSIFICATION_LINE.match(line) or LOOSE_CLASSIFICATION_LINE.match(line)
        assert opens_level(line) or not classified
        assert opens_dtg(line) or not (DTG_LINE.match(line) or GARBLED_DTG_LINE.match(line))
        label = LABEL.match(line)
        assert label_of_paragraph(line) == (label and (label["label"] or label["bare"]))
        assert is_rule(line) == bool(re.match(r"\s*(?:[-=_*~]\s?){3,}\s*\Z", line))


@given(_texts())
def test_a_section_mark_is_found_from_its_numbers(text: str) -> None:
    for line in text.split("\n"):
        fast, slow = find_section_mark(line), SECTION_MARK.search(line)
        assert (fast and fast.span()) == (slow and slow.span())


@given(st.text(max_size=60))
def test_a_shape_has_a_sign_for_each_character(text: str) -> None:
    shape = shape_of(text)
    assert len(shape) == len(text)
    capitals = [at for at, sign in enumerate(text) if "A" <= sign <= "Z"]
    assert [at for at, sign in enumerate(shape) if sign == "A"] == capitals


_MARKS = """UNCLAS UNCLASSIFIED CONFIDENTIAL SECRET EFTO EF TO FINAL SECTION ECTION OF ON GF SENSITIVE NOFORN BERN
    LA PAZ ST. 01 02 012 000123 12345678 1234/02 TOSEC TOP LIMITED USE CONFIDENT A R P O RR 140915Z 1409152
    JAN MAR MAN 07 1974 7 ZZH O7 Z SUBJ: SUBJECT: TAGS: REF: REFS: E.O. 12958: 11652 N/A PREL ** : . (A)""".split()
_LINES = st.lists(
    st.sampled_from([*_MARKS, "C O N F I D E N T I A L", "S E C R E T", "LIMITED OFFICIAL USE"]),
    max_size=8,
).flatmap(lambda words: st.sampled_from([" ", " ", " ", "  "]).map(lambda blank: blank.join(words)))


@given(_LINES)
def test_the_usual_spelling_of_a_line_says_what_every_other_pattern_says(line: str) -> None:
    usual = (
        (classification._USUAL_LINE, CLASSIFICATION_LINE),
        (dtg._USUAL_LINE, DTG_LINE),
        *((quick, dict(labels._LABELS)[kind]) for kind, quick in labels._USUAL),
    )
    for quick, every in usual:
        if found := quick.match(line):
            meant = every.match(line)
            assert meant is not None
            assert (found.end(), found.groupdict()) == (meant.end(), meant.groupdict())


@given(_LINES, st.integers(0, 5))
def test_a_label_is_found_by_its_first_letter(line: str, at: int) -> None:
    # A letter misread, as in a scan.
    line = f"{line[:at]}{line[at : at + 1].translate(str.maketrans('SUBTAGEO1', '5VETIO,0I'))}{line[at + 1 :]}"
    either = (*labels._LABELS, *labels._SCANNED_LABELS)
    found = labels.label_of(line)
    if found is None:
        assert not any(pattern.match(line) for _, pattern in labels._LABELS)
        assert ":" not in line[:10] or not any(pattern.match(line) for _, pattern in either)


def test_every_post_can_be_told_by_the_last_word_of_its_name() -> None:
    for entry in (*tables.entries("posts"), *tables.entries("aliases")):
        for name in (entry.code, entry.name, entry.columns.get("city", "")):
            words = name.upper().split()
            if words and words[-1].isalpha() and tables.canonical_post(name):
                assert len(words[-1]) < 2 or tables.may_end_post(words[-1]), name


@given(_texts(), st.integers(1960, 2030))
def test_usual_names_and_codes_read_as_the_patterns_read_them(text: str, year: int) -> None:
    assert posts._letters(text) == re.sub("[^A-Z]", "", text.upper())
    for part in (*text.split(), " PREL ", "kgit", "PREL ECON", "XYZW"):
        words = [word.upper().strip("-/'") for word in tags_line._WORD.findall(part)]
        assert list(tags_line._between_commas(part, year)) == tags_line._of_words(words, year)
    assert all(furniture._BANNER.match(banner) for banner in furniture._USUAL_BANNERS)
