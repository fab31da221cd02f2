"""Finding: near words, fields, suggestions, more like this, all of the results."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reftel
from reftel import tables
from reftel.access import Label, Reader
from reftel.archive import Archive, QueryError, asking, spread, view
from reftel.archive.entry import index_text
from reftel.archive.model import Count, Order
from reftel.archive.snippet import fold
from reftel.archive.words import pairs_in, pairs_of, words_in
from reftel.telegram import Mrn
from tests.archive.test_archive import incoming, make

_TAGS = ("ETRD", "EFIN", "PGOV", "MARR", "SENV")
_WORDS = "lamp harbour tide keeper fog signal".split()


def found(archive: Archive, query: str) -> set[str | None]:
    results = archive.search(query, limit=1000)
    assert results.total == len(results.hits)
    return {hit.mrn for hit in results.hits}


@pytest.mark.parametrize("size", [2, 3])
def test_near_words_are_those_that_reading_finds_near(archive: Archive, size: int) -> None:
    rng = random.Random(size)
    texts = {
        f"07BERN{n}": [rng.choice([*_WORDS, "x", "y", "z"]) for _ in range(rng.randint(3, 14))]
        for n in range(1, 200)
    }
    archive.add(incoming(*(make(int(k[6:]), text=" ".join(v)) for k, v in texts.items())))

    def near(tokens: list[str], one: str, other: str, distance: int) -> bool:
        places = [(at, token) for at, token in enumerate(tokens) if token in (one, other)]
        return any(a != b and j - i <= distance + 1 for (i, a), (j, b) in pairwise(places))

    for distance in (0, 1, 3, 8):
        words = rng.sample(_WORDS, size)
        wanted = {
            number
            for number, tokens in texts.items()
            if all(
                near(tokens, one, other, distance)
                for place, one in enumerate(words)
                for other in words[place + 1 :]
            )
        }
        assert found(archive, f'"{" ".join(words)}"~{distance}') == wanted, (words, distance)


def test_a_word_near_itself_is_one_that_reading_finds_twice(archive: Archive) -> None:
    rng = random.Random(7)
    texts = {
        n: [rng.choice(["lamp", "x", "y", "z", "u", "v", "w"]) for _ in range(rng.randint(1, 14))]
        for n in range(1, 200)
    }
    archive.add(incoming(*(make(n, text=" ".join(v)) for n, v in texts.items())))
    for distance in (0, 1, 2, 3, 8, 20):
        wanted = {
            f"07BERN{n}"
            for n, tokens in texts.items()
            if any(
                token == "lamp" and "lamp" in tokens[at + 1 : at + distance + 2]
                for at, token in enumerate(tokens)
            )
        }
        assert found(archive, f'"lamp Lamp"~{distance}') == wanted, distance
        assert found(archive, f'"lamp lamp x"~{distance}') == wanted & found(
            archive, f'"x lamp"~{distance}'
        )


def test_words_in_the_brackets_of_a_field_are_looked_for_there(archive: Archive) -> None:
    archive.add(
        incoming(
            make(1, subject="LIGHT DUES"),
            make(2, subject="LIGHT", text="The dues."),
            make(3, post="OSLO", subject="FOG", text="The light dues."),
        )
    )
    assert found(archive, "subject:(light dues)") == {"07BERN1"}
    assert found(archive, "subject:(dues OR fog)") == {"07BERN1", "07OSLO3"}
    assert found(archive, "light -subject:(light dues)") == {"07BERN2", "07OSLO3"}
    assert found(archive, "light post:(ROME OR OSLO)") == {"07OSLO3"}
    assert archive.search("post:(BREN OR ROME) light").suggestion == "post:(BERN OR ROME) light"


def test_a_query_that_is_a_number_names_its_telegram_to_who_may_read_it(archive: Archive) -> None:
    archive.add(incoming(make(1), make(2).replace("UNCLAS", "SECRET")))
    assert archive.named(" 2007bern0001") == archive.named("07BERN1") == Mrn.of(2007, "BERN", 1)
    assert archive.named("07BERN2") == Mrn.of(2007, "BERN", 2)
    assert archive.named("07BERN3") is None
    assert archive.named("light 07BERN1") is None
    assert archive.view(Reader("somebody", "UNCLASSIFIED")).named("07BERN2") is None


def test_a_snippet_marks_words_that_stand_near_each_other(archive: Archive) -> None:
    archive.add(incoming(make(1, text="The dues for each light were paid.")))
    (hit,) = archive.search('"light dues"~5').hits
    assert [each.text for each in hit.snippet if each.marked] == ["dues", "light"]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_phrases_of_the_commonest_words_are_those_that_reading_finds(
    archive: Archive, size: int
) -> None:
    rng = random.Random(size)
    words = ["of", "the", "THAT", "à", "a", "lamp", "harbour"]
    gaps = [" ", "\n", ", ", "-", "."]
    texts = [
        "".join(rng.choice(words) + rng.choice(gaps) for _ in range(rng.randint(3, 30)))
        for _ in range(150)
    ]
    archive.add(incoming(*(make(n, text=text) for n, text in enumerate(texts, 1))))
    numbers = {
        f" {' '.join(re.findall('[a-z0-9]+', fold(index_text(t))))} ": t.mrn.short
        for t in (each.telegram for each in archive.every())
        if t.mrn
    }
    assert len(numbers) == len(texts)
    asked: Counter[tuple[bool, bool]] = Counter()
    for _ in range(60):
        standing = rng.choice(list(numbers)).split()
        at = rng.randrange(len(standing))
        phrase = rng.choice((standing[at : at + size], rng.choices(standing, k=size)))
        wanted = {each for text, each in numbers.items() if f" {' '.join(phrase)} " in text}
        assert found(archive, f'"{" ".join(phrase)}"') == wanted, phrase
        asked[bool(pairs_of(phrase)), bool(wanted)] += 1
    assert asked[True, True] and asked[False, True]


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from("of the OF THE, a-A.1_ \n"), max_size=60)
)
@example("of the_a 1of the\u0301 Of\u2028THE")
def test_pairs_are_of_the_words_that_the_index_holds(text: str) -> None:
    assert pairs_in(text).split(" ") == (pairs_of(words_in(text)) or [""])


def test_a_phrase_may_end_in_the_beginning_of_a_word(archive: Archive) -> None:
    endings = [f"a{n:03d}" for n in range(120)]
    archive.add(incoming(*(make(n, text=f"The harbour li{e}.") for n, e in enumerate(endings, 1))))
    assert len(found(archive, '"harbour li*"')) == 120
    assert found(archive, '"harbour lia00*"') == {f"07BERN{n}" for n in range(1, 11)}
    assert not found(archive, '"the li*"')


def test_every_field_finds_what_stands_in_it(example_archive: Archive) -> None:
    telegrams = {d.digest: d.telegram for d in example_archive.every()}

    def wanted(matches: object) -> set[str]:
        assert callable(matches)
        return {digest for digest, t in telegrams.items() if matches(t)}

    def words(*values: str | None) -> str:
        return fold(" ".join(value or "" for value in values))

    queries = {
        "action:secstate": lambda t: "secstate" in words(*(a.name for a in t.action)),
        "info:oslo": lambda t: "oslo" in words(*(a.name for a in t.info)),
        "office:EUR": lambda t: (
            t.distribution
            and any(
                code.split("-")[0] == "EUR"
                for code in (*t.distribution.action, *t.distribution.origin, *t.distribution.info)
            )
        ),
        "has:summary": lambda t: t.summary,
        "-has:summary": lambda t: not t.summary,
        "has:repair": lambda t: t.repairs,
        "precedence:immediate": lambda t: t.precedence == "IMMEDIATE",
        "form:sas": lambda t: t.dialect == "sas",
        "cites:79BERN4071": lambda t: (
            "79BERN4071" in {r.mrn for r in t.references} | {c.mrn for c in t.citations}
        ),
        "mrn:79BERN*": lambda t: t.mrn and t.mrn.short.startswith("79BERN"),
        "tags:P*": lambda t: any(tag.code.startswith("P") for tag in t.tags),
    }
    for query, matches in queries.items():
        results = example_archive.search(query, limit=1000)
        assert {hit.digest for hit in results.hits} == wanted(matches), query
        assert results.hits, f"no example shows {query}"


def test_all_results_come_one_by_one_in_order_from_every_label(archive: Archive) -> None:
    texts = [
        make(n, day=1 + n % 28, text=f"lamp {n}").replace("UNCLAS", "SECRET" if n % 3 else "UNCLAS")
        for n in range(1, 60)
    ]
    archive.add(incoming(*texts))
    for order in ("newest", "oldest"):
        hits = archive.search("lamp", order=order, limit=100).hits  # type: ignore[arg-type]
        every = [d.digest for d in archive.every("lamp", order)]  # type: ignore[arg-type]
        assert every == [hit.digest for hit in hits]
        assert len(every) == 59
    assert [d.digest for d in archive.view(Reader("somebody", "UNCLASSIFIED")).every("lamp")] == [
        d.digest for d in archive.every("lamp class:U")
    ]


def test_pages_of_all_results_do_not_overlap(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "_PAGE", 7)
    undated = [
        f"UNCLAS BERN {n:06d}\n\nTAGS: PREL\nSUBJECT: NO DATE {n}\n\n1. The lamp.\n"
        for n in range(900, 920)
    ]
    archive.add(incoming(*undated, *(make(n, text=f"lamp {n}") for n in range(1, 40))))
    for order in ("newest", "oldest"):
        every = [d.digest for d in archive.every("lamp", order)]  # type: ignore[arg-type]
        assert len(set(every)) == len(every) == 59
        assert every == [h.digest for h in archive.search("lamp", order=order, limit=99).hits]  # type: ignore[arg-type]


def test_a_page_far_behind_the_last_is_empty(archive: Archive) -> None:
    archive.add(incoming(make(1, text="lamp")))
    for order in ("relevance", "newest", "oldest"):
        results = archive.search("lamp", order=order, offset=2**40)  # type: ignore[arg-type]
        assert (results.total, results.hits) == (1, ())


def test_words_that_begin_alike_are_not_ranked(archive: Archive) -> None:
    archive.add(incoming(*(make(n, day=n, text="lamp " * n) for n in range(1, 9))))
    assert archive.search("lam*", order="relevance").order == "newest"
    assert archive.search('"the lam*" OR lamp').order == "relevance"


SPELLINGS = {
    "lihgt dues": "light dues",
    "lightdues": "light dues",
    "conventon": "convention",
    "convntin": "convention",
    '"ligt dues" harbour': '"light dues" harbour',
    "subject:MARTIIME": "subject:MARITIME",
    "post:BREN light": "post:BERN light",
    "tags:PRLE": "tags:PREL",
}


def test_misspelt_words_are_offered_as_they_stand_in_the_archive(archive: Archive) -> None:
    archive.add(incoming(make(1, text="The light dues convention stands in the harbour.")))
    for query, better in SPELLINGS.items():
        assert archive.search(query).suggestion == better, query
    for query in ("light dues", "zzzzzz", "-lihgt", "lihg*", "", "light lihgt OR zzzzzz", "dus"):
        assert archive.search(query).suggestion in (None, "light light OR zzzzzz"), query


def test_a_rare_slip_beside_a_common_word_is_offered_too(archive: Archive) -> None:
    texts = [make(n, text=f"The convention of {n}.") for n in range(1, 121)]
    archive.add(incoming(*texts, make(500, text="The convenion fell.")))
    results = archive.search("convenion")
    assert (results.total, results.suggestion) == (1, "convention")
    assert archive.search("convention").suggestion is None


def test_no_word_of_a_closed_telegram_is_offered(archive: Archive) -> None:
    closed = make(1, text="The lighthouse keeper.").replace("UNCLAS", "SECRET")
    archive.add(incoming(closed, make(2, text="The harbour.")))
    assert archive.search("lighthuose").suggestion == "lighthouse"
    assert archive.view(Reader("somebody", "UNCLASSIFIED")).search("lighthuose").suggestion is None


def test_more_like_this_finds_what_shares_its_marked_words(archive: Archive) -> None:
    fishing = "The herring quota and the trawler fleet of the northern grounds, "
    lamps = "The keeper trimmed the lantern at the lighthouse by the reef, "
    archive.add(
        incoming(
            *(make(n, subject="FISH", text=f"{fishing} part {n}.") for n in range(1, 6)),
            *(make(n, subject="LIGHT", text=f"{lamps} night {n}.") for n in range(11, 16)),
            make(21, subject="LIGHT", text=f"{lamps} closed.").replace("UNCLAS", "SECRET"),
        )
    )
    one = archive.cited_as(Mrn.of(2007, "BERN", 12))[0]
    like = archive.like(one.digest)
    assert {hit.mrn for hit in like} == {"07BERN11", "07BERN13", "07BERN14", "07BERN15", "07BERN21"}
    open_to_all = archive.view(Reader("somebody", "UNCLASSIFIED"))
    assert {hit.mrn for hit in open_to_all.like(one.digest)} == {hit.mrn for hit in like} - {
        "07BERN21"
    }
    assert archive.like("0" * 64) == ()


def test_more_like_this_under_a_label_of_few_telegrams(archive: Archive) -> None:
    crowd = (make(n, subject="NONE", text=f"Ship{n} came to berth{n}.") for n in range(1, 61))
    few = (
        make(n, subject=f"S{n}", text=f"The xebec of {n} sank.").replace("UNCLAS", "SECRET")
        for n in (101, 102)
    )
    archive.add(incoming(*crowd, *few))
    one = archive.cited_as(Mrn.of(2007, "BERN", 101))[0]
    assert {hit.mrn for hit in archive.like(one.digest)} == {"07BERN102"}


def test_more_like_this_is_told_by_words_that_stand_seldom_where_there_are_enough(
    archive: Archive,
) -> None:
    often = "harbour keeper lantern signal vessel cargo"
    seldom = [f"{letter}arrow" for letter in "abcdefghijklm"]
    archive.add(
        incoming(
            *(make(n, subject="NONE", text=f"Ship{n} at berth{n}.") for n in range(1, 41)),
            *(make(n, subject="NONE", text=f"{often}, by {n}.") for n in range(101, 113)),
            make(201, subject="NONE", text=f"Of {' '.join(seldom)}, east."),
            make(202, subject="NONE", text=f"{often}, and {' '.join(seldom)}, west."),
            make(203, subject="NONE", text=f"{often}, and once {seldom[0]}, north."),
        )
    )

    def like(number: int) -> set[str | None]:
        document = archive.cited_as(Mrn.of(2007, "BERN", number))[0]
        return {hit.mrn for hit in archive.like(document.digest, limit=50)}

    assert like(202) == {"07BERN201", "07BERN203"}
    # With a single word that stands seldom, those that stand often tell too.
    assert like(203) >= {f"07BERN{n}" for n in range(101, 113)}


@pytest.mark.parametrize("query", ["burned", "tags:SZ", "-tags:ECON", "subject:light OR tags:ECON"])
def test_many_results_counted_on_several_cores_are_counted_as_few_are(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    archive.add(incoming(*(make(n, tags=f"PREL, SZ, {tag}") for n, tag in enumerate(_TAGS, 1))))
    archive.add(incoming(*(make(n, tags="SZ, ECON", subject="LIGHT") for n in range(20, 24))))
    few = archive.search(query).facets
    assert few.tags
    assert few.year
    monkeypatch.setattr(asking, "_MANY", 0)
    archive._store._remembered.clear()
    assert archive.search(query).facets == few


def test_facets_say_when_they_hold_more_than_is_counted(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(incoming(*(make(n, tags=f"PREL, SZ, {tag}") for n, tag in enumerate(_TAGS, 1))))
    assert archive.search("").facets.cut == ()
    monkeypatch.setattr("reftel.archive.facets.MOST_LISTED", 3)
    facets = archive.search("burned").facets
    assert facets.cut == ("tags",)
    assert len(facets.tags) == 3


def test_dates_count_for_nothing_in_the_order_however_the_index_is_parted(archive: Archive) -> None:
    early = [make(n, year=2006, text="tide keeper") for n in (1, 2)]
    late = [make(n, year=2008, text="keeper " * n + "tide") for n in range(3, 8)]
    archive.add(incoming(*early, *late[3:]))
    archive.add(incoming(*late[:3]))
    whole = [hit.mrn for hit in archive.search("tide").hits]
    within = [hit.mrn for hit in archive.search("tide after:2007").hits]
    assert within == [each for each in whole if each and each.startswith("08")]
    assert len(within) == 5


@pytest.mark.parametrize("kept", [True, False])
def test_copies_under_several_labels_have_an_index_beside_and_need_none(
    archive: Archive, kept: bool
) -> None:
    story = "the lamp burned and the keeper wrote down what passed by in the night "
    closed = [
        make(n, day=n, text=story + "and so on").replace("UNCLAS BERN", "S E C R E T BERN")
        for n in range(1, 6)
    ]
    archive.add(incoming(*closed, *(make(n, day=n, text=story) for n in range(1, 4))))
    archive.add(incoming(make(4, day=4, text=story)))

    def beside() -> dict[int, frozenset[int]]:
        found = {each: archive._indexes.copies(each) for each in archive._store.labels()}
        return {label: index.documents()[1] for label, index in found.items() if index}

    def look(total: int, secret: int) -> None:
        held = spread.documents_of(archive._store)
        assert {label: ids for label, ids in beside().items() if ids} == held
        if not kept:
            for label in held:
                shutil.rmtree(archive._indexes._folder / f"{label}-copies")
            archive._indexes._open.clear()
        found = archive.search("keeper", limit=100)
        assert found.total == total == len(found.hits)
        assert _counts(found.facets.classification).get("SECRET", 0) == secret
        assert archive.view(_READERS[0]).search("keeper").total == 4

    look(5, 5)
    digests = [hit.digest for hit in archive.search("keeper", order="oldest").hits]
    archive.decide(digests[:1], Label("UNCLASSIFIED", ()), who="a reviewer", why="it is old")
    assert sum(map(len, spread.documents_of(archive._store).values())) == 6
    look(5, 5)
    archive.rebuild_index()
    look(5, 5)
    assert archive.verify() == []


def _counts(facet: tuple[Count, ...]) -> dict[str, int]:
    return {each.value: each.count for each in facet}


_READERS = (
    Reader("open", "UNCLASSIFIED"),
    Reader("confidential", "CONFIDENTIAL"),
    Reader("secret", "SECRET"),
)


@pytest.mark.parametrize("many", [20_000, 0])
@pytest.mark.parametrize("order", ["relevance", "oldest"])
def test_better_copies_under_other_labels_leave_every_count_and_page_as_reading_finds_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, order: Order, many: int
) -> None:
    monkeypatch.setattr(asking, "_MANY", many)
    story = (
        "the lamp burned and the keeper wrote down what passed by in the night with his own hand"
    )
    levels = {
        "UNCLASSIFIED": "UNCLAS",
        "CONFIDENTIAL": "C O N F I D E N T I A L",
        "SECRET": "S E C R E T",
    }
    copies: list[tuple[int, str]] = []
    texts = []
    for number in range(1, 25):
        for at, (level, line) in enumerate(levels.items()):
            if number % (at + 2) == 0:
                # The more closed, the more it says.
                text = make(number, day=1 + number, text=f"{story} {'and so on ' * at}")
                texts.append(text.replace("UNCLAS BERN", f"{line} BERN"))
                copies.append((number, level))
    archive.add(incoming(*texts))
    highest = list(levels)
    # Each twice, one after the other: what is remembered of one is no answer to another.
    for reader in (*_READERS, *_READERS):
        seen = archive.view(reader)
        best: dict[int, str] = {}
        for number, level in copies:
            if highest.index(level) <= highest.index(reader.clearance):
                best[number] = max(level, best.get(number, level), key=highest.index)
        for query in ("", "lamp", "tags:PREL -fog"):
            found = seen.search(query, order=order, limit=100)
            assert found.total == len(best) == len(found.hits)
            assert {(hit.mrn, hit.classification) for hit in found.hits} == {
                (f"07BERN{number}", level) for number, level in best.items()
            }
            assert _counts(found.facets.classification) == Counter(best.values())
            assert _counts(found.facets.tags) == {"PREL": len(best)}
            assert _counts(found.facets.post) == {"BERN": len(best)}
            pages = [
                hit
                for offset in range(0, 30, 7)
                for hit in seen.search(query, order=order, limit=7, offset=offset).hits
            ]
            assert [hit.digest for hit in pages] == [hit.digest for hit in found.hits]
            assert seen.search(query, order=order, limit=7, offset=7).facets == found.facets


def test_every_tag_of_a_telegram_is_counted_once_however_many_and_listed_or_not(
    archive: Archive,
) -> None:
    listed = ["PREL", "PGOV", "ECON", "ETRD", "SZ", "UK", "EAID", "MARR"]
    assert all(tables.tag(code, None) for code in listed)
    texts = [
        make(1, tags=", ".join([*listed, "PREL", "LAMPX"])),
        make(2, tags=", ".join(["LAMPX", *reversed(listed)])),
        make(3, tags="SZ (ROE, JANE), LAMPX, LAMPX"),
    ]
    archive.add(incoming(*texts))
    expected = Counter(
        code for text in texts for code in {tag.code for tag in reftel.read(text).tags}
    )
    assert expected["MARR"] == 2
    assert expected["LAMPX"] == 3
    assert _counts(archive.search("").facets.tags) == expected
    assert [archive.search(f'tags:"{code}"').total for code in expected] == [*expected.values()]


def test_a_star_alone_finds_what_has_something_there(archive: Archive) -> None:
    archive.add(incoming(make(1), make(2, post="ROME"), _WITHOUT))
    (without,) = [hit.digest for hit in archive.search("").hits if hit.mrn is None]
    for field in ("post", "class", "tags"):
        assert archive.search(f"{field}:*").total == 2
        assert [hit.digest for hit in archive.search(f"-{field}:*").hits] == [without]
    assert archive.search("post:1").total == 0
    with pytest.raises(QueryError, match="before the star"):
        archive.search("subject:*")


_WITHOUT = """FM AMEMBASSY BERN
TO SECSTATE WASHDC

SUBJECT: THE LIGHT

1. IT BURNED.

DOE
"""
