"""Copies of one telegram and telegrams that share a number, told apart; the copy to read."""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reftel
from reftel.access import Reader
from reftel.archive import Archive
from reftel.archive.alignment import plain_words, words_of
from reftel.archive.copies import are_copies, same_under_another_number
from reftel.telegram import Mrn
from tests.archive.test_archive import incoming
from tests.telegrams import corpus_folder

_WORDS = """harbour minister lighthouse keeper convention tariff shipment delegate agreement frontier
railway committee ambassador schedule cargo vessel inspector treaty bureau consul passport quota report
increase decision meeting paper copper market price reserve opposition cabinet budget deputy article draft
response proposal session observer conference visit arrival departure escort hotel briefing approval""".split()


def telegram(
    text: str,
    *,
    number: int = 5,
    sent: str = "010915Z MAR 79",
    subject: str = "LIGHTHOUSE DUES",
    before: str = "",
    section: str = "",
) -> str:
    heading = f"R {sent}\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC 1234\n"
    return (
        f"{heading}UNCLAS {section}BERN {number:06d}\n\n{before}E.O. 12065: N/A\nTAGS: PREL\n"
        f"SUBJECT: {subject}\n\n{text}\n\nDOE\n"
    )


def prose(rng: random.Random, words: int) -> str:
    """Numbered paragraphs of words, with figures among them."""
    said = [
        rng.choice(_WORDS) if rng.random() > 0.05 else str(rng.randint(10, 9999))
        for _ in range(words)
    ]
    lines = [" ".join(said[at : at + 11]).upper() for at in range(0, words, 11)]
    paragraphs = ["\n".join(lines[at : at + 4]) for at in range(0, len(lines), 4)]
    return "\n\n".join(f"{n}. {p}." for n, p in enumerate(paragraphs, 1))


def damaged(rng: random.Random, text: str, share: float) -> str:
    """Letters lost and changed as on a bad circuit."""
    out = []
    for c in text:
        if c.isalpha() and rng.random() < share:
            c = rng.choice(("", "X", "V", "?"))
        out.append(c)
    return "".join(out)


VISA = """1. SUBJECT VISA CASE OF {name}, BORN {born} AT ZURICH, WAS REFERRED
BY THE CONSULAR SECTION UNDER STANDING INSTRUCTIONS. APPLICANT WISHES TO DEPART
ON OR ABOUT THE END OF THE MONTH FOR A VISIT OF TWO WEEKS TO RELATIVES.

2. POST FINDS NO DEROGATORY INFORMATION IN ITS FILES AND RECOMMENDS ISSUANCE.
PLEASE ADVISE BY TELEGRAM WHETHER THE DEPARTMENT HAS ANY OBJECTION."""


def visa(name: str, born: str = "4 JUN 1931", **given: str) -> str:
    return telegram(VISA.format(name=name, born=born), subject="VISAS: DONKEY", **given)  # type: ignore[arg-type]


def copies(one: str, other: str) -> bool:
    a, b = reftel.read(one), reftel.read(other)
    found = are_copies(a, b)
    assert are_copies(b, a) == found, "which comes first does not matter"
    return found


def test_forms_that_differ_in_a_name_or_a_figure_are_different_telegrams() -> None:
    one = visa("HANS MEIER")
    assert copies(one, visa("HANS ME1ER")), "a figure in the place of a letter is damage"
    assert not copies(one, visa("PETER KELLER"))
    assert not copies(one, visa("HANS MEIER", "4 JUN 1937"))
    assert not copies(one, visa("PETER KELLER", sent="020915Z MAR 79"))


def test_short_texts_must_agree_in_everything() -> None:
    one = telegram("CONCUR.")
    assert copies(one, one.replace("CONCUR.", "CONCVR."))
    assert not copies(one, telegram("DO NOT CONCUR."))
    assert not copies(one, telegram("CONCUR.", sent="030915Z MAR 79"))
    assert not copies(one, telegram("CONCUR.", subject="FISHERY LIMITS"))


def test_a_copy_of_which_half_is_lost_is_a_copy() -> None:
    rng = random.Random(3)
    whole = prose(rng, 200)
    assert copies(telegram(whole), telegram(whole[: len(whole) // 2]))
    tail = "\n\n".join(whole.split("\n\n")[2:])
    assert copies(telegram(whole), telegram(tail))


def test_sections_are_never_copies_of_each_other() -> None:
    text = prose(random.Random(4), 120)
    first, second = (telegram(text, section=f"SECTION 0{n} OF 02 ") for n in (1, 2))
    assert not copies(first, second)


def test_a_corrected_copy_is_the_one_to_read_and_the_other_stays(tmp_path: Path) -> None:
    rng = random.Random(5)
    text = prose(rng, 90)
    wrong = text.replace("HARBOUR", "AIRPORT").replace("KEEPER", "PILOT")
    filed, corrected = (
        telegram(f"{wrong} AND A SENTENCE THAT THE CORRECTION LEAVES OUT."),
        telegram(text, before="C O R R E C T E D   C O P Y (TEXT)\n\n"),
    )
    for name, order in (("a", (filed, corrected)), ("b", (corrected, filed))):
        with Archive.open(tmp_path / name) as archive:
            archive.add(incoming(*order))
            assert archive.count() == 1
            reading, other = archive.cited_as(Mrn.of(1979, "BERN", 5))
            assert (reading.telegram.source, other.telegram.source) == (corrected, filed)


def test_releases_that_withhold_different_passages_are_copies() -> None:
    lines = prose(random.Random(6), 160).splitlines()
    for mark in ("[ ]", "[1 line not declassified]", "(b)(1)"):
        one, other = list(lines), list(lines)
        one[2:4] = [mark]
        other[7:9] = [mark]
        assert copies(telegram("\n".join(one)), telegram("\n".join(lines))), mark
        assert copies(telegram("\n".join(one)), telegram("\n".join(other))), mark


@pytest.mark.parametrize(
    "mark", ["[name and title not declassified]", "(b)(1)", "XXXXXXXXXXXXXXXXXXXX"]
)
@pytest.mark.parametrize("fuller_first", [True, False])
def test_the_fuller_release_is_read_however_long_the_mark_of_what_the_other_withholds(
    archive: Archive, mark: str, fuller_first: bool
) -> None:
    text = prose(random.Random(11), 120)
    # Some damage makes no copy worse than one that withholds something.
    fuller = telegram(f"{text}\n\n9. THE AMBASSADOR SAW ROE AND DIDN?T STAY.")
    lesser = telegram(f"{text}\n\n9. THE AMBASSADOR SAW {mark} AND DIDN'T STAY.")
    archive.add(incoming(*((fuller, lesser) if fuller_first else (lesser, fuller))))
    assert archive.count() == 1
    assert [each.telegram.source for each in archive.cited_as(Mrn.of(1979, "BERN", 5))] == [
        fuller,
        lesser,
    ]
    assert archive.search("roe").total == 1


def test_a_telegram_repeated_within_another_is_no_copy() -> None:
    text = prose(random.Random(7), 100)
    outer = f"FOLLOWING SENT ACTION NATO FROM SECSTATE DEC 04 REPEATED YOU: QUOTE\n{text}\nUNQUOTE"
    assert not copies(telegram(text), telegram(outer))


def test_a_misread_number_is_seen_through_only_where_all_else_is_the_same() -> None:
    text = prose(random.Random(8), 100)
    one = telegram(text, number=4120)

    def same(other: str) -> bool:
        return same_under_another_number(reftel.read(one), reftel.read(other))

    assert same(telegram(text, number=4128))
    assert same(telegram(text, number=1420))
    assert not same(telegram(text, number=4199)), "two figures differ"
    assert not same(telegram(text, number=4128, sent="010916Z MAR 79"))
    assert not same(telegram(text.replace("MINISTER", "AMBASSADOR", 1), number=4128))
    short = "\n".join(text.splitlines()[:2])
    assert not same_under_another_number(
        reftel.read(telegram(short, number=4120)), reftel.read(telegram(short, number=4128))
    )


def test_two_halves_are_one_telegram_when_the_whole_comes(tmp_path: Path) -> None:
    whole = prose(random.Random(9), 220)
    paragraphs = whole.split("\n\n")
    halves = [telegram("\n\n".join(part)) for part in (paragraphs[:2], paragraphs[2:], paragraphs)]
    seen = set()
    for at, order in enumerate(itertools.permutations(halves)):
        with Archive.open(tmp_path / str(at)) as archive:
            archive.add(incoming(*order))
            found = archive.cited_as(Mrn.of(1979, "BERN", 5))
            assert found[0].telegram.source == halves[2]
            seen.add((archive.count(), tuple(d.digest for d in found)))
            assert archive.verify() == []
    assert len(seen) == 1
    assert seen.pop()[0] == 1


def test_generated_copies_are_found_and_no_other_telegram_is_taken_for_one() -> None:
    """Every false join hides a telegram, so there may be none; a missed copy is only shown twice."""
    rng = random.Random(11)
    rounds = int(os.environ.get("REFTEL_COPIES", "60"))
    found = wanted = 0
    for _ in range(rounds):
        text = prose(rng, rng.choice((30, 60, 120, 300)))
        original = telegram(text)
        half = text[: int(len(text) * rng.uniform(0.4, 0.9))]
        for copy in (
            telegram(damaged(rng, text, 0.02)),
            telegram(half),
            telegram(damaged(rng, half, 0.01)),
            telegram(text, before="C O R R E C T E D  C O P Y\n\n"),
        ):
            wanted += 1
            found += copies(original, copy)
        words = text.split()
        changed = list(words)
        for at in rng.sample(range(len(words)), max(3, len(words) // 15)):
            changed[at] = rng.choice(_WORDS).upper() if words[at].isalpha() else changed[at]
        for other in (
            telegram(prose(rng, len(words))),
            telegram(" ".join(changed), sent="050915Z MAR 79"),
            telegram(text.replace(words[len(words) // 2], "73519"), sent="090915Z MAR 79"),
        ):
            assert not copies(original, other), other
    assert found / wanted >= 0.9, f"{found} of {wanted} copies found"


def test_the_same_real_telegrams_in_two_exports_are_copies_and_no_others_are() -> None:
    folder = corpus_folder()
    pairs = [
        [reftel.read(p.read_text(encoding="utf-8")) for p in (path, folder / "aad" / path.name)]
        for path in sorted((folder / "1970s").glob("*.txt"))
        if (folder / "aad" / path.name).exists()
    ]
    if not pairs:
        pytest.skip("the corpus has no telegrams in two forms")
    with_text = [pair for pair in pairs if pair[0].text.strip()]
    assert [p[0].mrn for p in with_text if not are_copies(*p)] == []
    # Told apart by their text alone: these have different numbers, and are compared as if they had one.
    for one, other in itertools.combinations(with_text[:25], 2):
        assert not are_copies(one[0], other[1]), (one[0].mrn, other[1].mrn)


def test_a_closed_copy_brings_nothing_together_for_those_who_may_not_read_it(
    tmp_path: Path,
) -> None:
    paragraphs = prose(random.Random(9), 220).split("\n\n")
    halves = [telegram("\n\n".join(part)) for part in (paragraphs[:2], paragraphs[2:])]
    whole = telegram("\n\n".join(paragraphs)).replace("UNCLAS BERN", "S E C R E T BERN")
    reader = Reader("open", clearance="UNCLASSIFIED")
    with Archive.open(tmp_path / "open") as archive:
        archive.add(incoming(*halves))
        wanted = archive.view(reader).cited_as(Mrn.of(1979, "BERN", 5))
        assert len(wanted) == 2
    for at, order in enumerate(itertools.permutations([*halves, whole])):
        with Archive.open(tmp_path / str(at)) as archive:
            archive.add(incoming(*order))
            seen = archive.view(reader)
            found = seen.cited_as(Mrn.of(1979, "BERN", 5))
            assert {d.digest: d.variant_of for d in found} == {
                d.digest: d.variant_of for d in wanted
            }
            assert seen.count() == seen.search("").total == 2


@given(st.text(st.characters() | st.sampled_from("AZaz09 .,-/[]()X_\n\u2028ß"), max_size=60))
@example("the [EXCISED] part, ((B)(1)) and XXXXX")
def test_texts_are_compared_by_the_words_that_are_laid_beside_each_other(text: str) -> None:
    assert plain_words(text) == [word.plain for word in words_of(text)]
